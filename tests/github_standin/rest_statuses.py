"""Commit statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from . import shapes_commit
from .hub import caller, hub, the_commit, the_repository
from .responses import ApiError, body_object, invalid, page_of
from .state import Status, now

if TYPE_CHECKING:
    from .state import Repository

routes = Blueprint("statuses", __name__)
STATES = ("error", "failure", "pending", "success")
LONGEST_DESCRIPTION = 140
LONGEST_CONTEXT = 255
MOST_PER_CONTEXT = 1000
LAST_OF_THREE_BYTES = "\uffff"
"""What lies beyond it, most emoji for instance, takes four bytes in UTF-8."""


@routes.post("/repos/<owner>/<name>/statuses/<sha>")
def create_status(owner: str, name: str, sha: str) -> tuple[Response, int]:
    """Give a commit a status."""
    repository, world = the_repository(owner, name), hub().world
    caller().require(repository, "statuses", "write", "write")
    body = body_object()
    state, context = body.get("state"), body.get("context") or "default"
    description, target = body.get("description"), body.get("target_url") or None
    if state not in STATES:
        raise invalid("Status", "state", "State is not included in the list")
    if len(description or "") > LONGEST_DESCRIPTION:
        raise invalid(
            "Status", "description", f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)"
        )
    if len(context) > LONGEST_CONTEXT:
        raise invalid("Status", "context", f"context is too long (maximum is {LONGEST_CONTEXT} characters)")
    for field, text in (("context", context), ("description", description or "")):
        if any(character > LAST_OF_THREE_BYTES for character in text):
            raise invalid("Status", field, f"{field} doesn't accept 4-byte Unicode")
    if target and not target.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "Target URL must use http(s) scheme")
    resolved = repository.git.resolve(sha) if sha.isalnum() else None
    if resolved is None:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    written = repository.statuses[resolved]
    if sum(1 for each in written if _same(each.context, context)) >= MOST_PER_CONTEXT:
        raise invalid("Status", "base", "This SHA and context has reached the maximum number of statuses.")
    status = Status(
        world.new_id("status"),
        resolved,
        context,
        state,
        description,
        target,
        caller().person(),
        now(),
        request.environ.get("standin.received_at", now()),
    )
    written.append(status)
    response = jsonify(shapes_commit.status(world, repository, status))
    response.headers["Location"] = response.get_json()["url"]
    return response, 201


@routes.get("/repos/<owner>/<name>/commits/<path:ref>/statuses")
def list_statuses(owner: str, name: str, ref: str) -> Response:
    """Every status a commit was given, newest first."""
    repository = the_repository(owner, name)
    written = repository.statuses.get(the_commit(repository, ref, status=404), [])
    shown = page_of(list(reversed(written)))
    return jsonify([shapes_commit.status(hub().world, repository, each) for each in shown])


@routes.get("/repos/<owner>/<name>/commits/<path:ref>/status")
def get_combined_status(owner: str, name: str, ref: str) -> Response:
    """The newest status of each context, and what they are together."""
    repository = the_repository(owner, name)
    sha = the_commit(repository, ref, status=404)
    newest = newest_statuses(repository, sha)
    shown = list(page_of(newest))
    return jsonify(shapes_commit.combined_status(hub().world, repository, sha, shown, newest))


def newest_statuses(repository: Repository, sha: str) -> list[Status]:
    """The newest status of each context, in the order the contexts were first seen; case does not matter."""
    newest: dict[str, Status] = {}
    for status in repository.statuses.get(sha, []):
        newest[status.context.lower()] = status
    return list(newest.values())


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
