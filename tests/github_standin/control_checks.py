"""The control API's actions on check runs, and on what is required to merge."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from . import check_events, checks
from .control_repository import repository_of
from .records import CheckAction, CheckAnnotation, CheckRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .hub import Hub


def check_runs(hub: Hub, repository: int, sha: str, *, every: bool) -> list[CheckRun]:
    """The newest check run of each App and name at a commit, or all of them; oldest first."""
    home = repository_of(hub, repository)
    suites = checks.suites_at(home, sha)
    found = [run for suite in suites for run in (suite.runs if every else suite.latest)]
    return [_check_run(each) for each in sorted(found, key=lambda run: run.id)]


def click(hub: Hub, repository: int, sha: str, by: str, *, name: str, identifier: str) -> None:
    """Press a button under a check run."""
    home = repository_of(hub, repository)
    check_events.click(hub.world, home, sha, hub.world.account(by), name=name, identifier=identifier)


def rerequest(hub: Hub, repository: int, sha: str, by: str, name: str) -> None:
    """Ask for a check run anew."""
    check_events.rerequest(hub.world, repository_of(hub, repository), sha, hub.world.account(by), name)


def rerequest_suites(hub: Hub, repository: int, sha: str, by: str) -> None:
    """Ask for all checks anew."""
    check_events.rerequest_suites(hub.world, repository_of(hub, repository), sha, hub.world.account(by))


def require(hub: Hub, repository: int, branch: str, names: Sequence[str]) -> None:
    """Say what must be green to merge into a branch."""
    repository_of(hub, repository).required[branch] = tuple(names)


def unmet(hub: Hub, repository: int, branch: str, sha: str) -> list[str]:
    """What keeps a commit from being merged."""
    return checks.unmet(repository_of(hub, repository), branch, sha)


def _check_run(found: checks.CheckRun) -> CheckRun:
    return CheckRun(
        id=found.id,
        app=found.suite.app.slug,
        sha=found.suite.head_sha,
        name=found.name,
        external_id=found.external_id,
        details_url=found.details_url,
        status=found.status,
        conclusion=found.conclusion,
        started_at=found.started_at,
        completed_at=found.completed_at,
        title=found.title,
        summary=found.summary,
        text=found.text,
        annotations=[CheckAnnotation(**asdict(each)) for each in found.annotations],
        actions=[CheckAction(**asdict(each)) for each in found.actions],
        received_at=found.received_at,
    )


ACTIONS: dict[str, Callable[..., object]] = {
    act.__name__: act for act in (check_runs, click, rerequest, rerequest_suites, require, unmet)
}
