"""What the views share, and how they find it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app, g

from .responses import ApiError, not_found
from .state import Pull

if TYPE_CHECKING:
    from .auth import Caller
    from .faults import Faults
    from .limits import Limits
    from .openapi_check import OpenApiCheck
    from .request_log import RequestLog
    from .state import Issue, Repository, World
    from .webhooks import Webhooks

SHA = re.compile("[0-9a-fA-F]{4,40}")
"""A SHA, or the beginning of one."""


@dataclass
class Hub:
    """One stand-in's parts."""

    world: World
    webhooks: Webhooks
    limits: Limits
    check: OpenApiCheck
    faults: Faults
    log: RequestLog


def hub() -> Hub:
    """The parts of the stand-in that serves this request."""
    return cast("Hub", current_app.extensions["standin"])


def caller() -> Caller:
    """Who makes this REST request."""
    return cast("Caller", g.caller)


def the_repository(owner: str, name: str) -> Repository:
    """A repository that the caller may see; 404 otherwise."""
    found = hub().world.find_repository(f"{owner}/{name}")
    if found is None or not caller().sees(found):
        raise not_found()
    return found


def the_issue(repository: Repository, number: int) -> Issue:
    """An issue or pull request; 404 otherwise."""
    if number not in repository.issues:
        raise not_found()
    return repository.issues[number]


def the_pull(repository: Repository, number: int) -> Pull:
    """A pull request; 404 otherwise."""
    found = the_issue(repository, number)
    if not isinstance(found, Pull):
        raise not_found()
    return found


def the_commit(repository: Repository, ref: str, *, status: int = 422) -> str:
    """The SHA that a branch, tag, `pull/N/head` or SHA names; an error of `status` otherwise."""
    if ref in repository.heads:
        return repository.heads[ref]
    as_ref = (f"refs/tags/{ref}", f"refs/{ref.removeprefix('refs/')}")
    for name in (ref, *as_ref) if SHA.fullmatch(ref) else as_ref:
        if sha := repository.git.resolve(name):
            return sha
    raise ApiError(status, f"No commit found for SHA: {ref}") if status != not_found().status else not_found()
