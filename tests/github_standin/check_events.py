"""What people ask of check runs, and what GitHub tells about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes_check
from .checks import latest_runs, suite_of, suites_at
from .state import Refused, now

if TYPE_CHECKING:
    from .checks import CheckRun, CheckSuite
    from .state import Account, App, Installation, Repository, World


def request_suites(world: World, repository: Repository, by: Account, before: str, after: str) -> None:
    """Ask each App that may write checks for those of a commit that was pushed here for the first time."""
    for installation in world.installations_of(repository):
        app = installation.app
        if installation.suspended_at is not None or app.permissions.get("checks") != "write":
            continue
        if (after, app.id) not in repository.suites:
            suite = suite_of(world, repository, app, after)
            suite.before, suite.after = before, after
            _tell_app(world, "requested", suite, by)


def told(world: World, run: CheckRun, *, new: bool, completed: bool) -> None:
    """A check run was written: everybody who listens hears that it is new, or complete."""
    home, bot = run.suite.repository, run.suite.app.bot
    suite_completed = run.suite.roll_up()
    for action in ("created",) * new + ("completed",) * completed:
        world.emit("check_run", action, home, bot, {"check_run": shapes_check.run_payload(world, run)})
    if suite_completed:
        payload = {"check_suite": shapes_check.suite_payload(world, run.suite)}
        world.emit("check_suite", "completed", home, bot, payload)


def click(world: World, repository: Repository, sha: str, by: Account, *, name: str, identifier: str) -> None:
    """Press a button under the newest check run of a name."""
    run = _shown(repository, sha, by, name)
    if not any(action.identifier == identifier for action in run.actions):
        known = ", ".join(action.identifier for action in run.actions) or "none"
        raise Refused(f"{name!r} has no button {identifier!r}; there are: {known}")
    _tell_of_run(world, "requested_action", run, by, requested_action={"identifier": identifier})


def rerequest(world: World, repository: Repository, sha: str, by: Account, name: str) -> None:
    """Ask for a check run anew. It stays as it is; its suite is queued."""
    run = _shown(repository, sha, by, name)
    _reset(run.suite)
    _tell_of_run(world, "rerequested", run, by)


def rerequest_suites(world: World, repository: Repository, sha: str, by: Account) -> None:
    """Ask every App that has a suite at a commit for all its checks anew."""
    _refuse_readers(repository, by)
    suites = suites_at(repository, sha)
    if not suites:
        raise Refused(f"there is no check suite at {sha}")
    for suite in suites:
        _reset(suite)
        _tell_app(world, "rerequested", suite, by)


def _shown(repository: Repository, sha: str, by: Account, name: str) -> CheckRun:
    _refuse_readers(repository, by)
    found = [run for run in latest_runs(repository, sha) if run.name == name]
    if not found:
        raise Refused(f"there is no check run {name!r} at {sha}")
    return found[0]


def _refuse_readers(repository: Repository, by: Account) -> None:
    if not repository.allows(by, "write"):
        raise Refused(f"{by.login} may not write to {repository.full_name}, and sees no such button")


def _reset(suite: CheckSuite) -> None:
    suite.status, suite.conclusion, suite.updated_at = "queued", None, now()


def _tell_of_run(world: World, action: str, run: CheckRun, by: Account, **more: object) -> None:
    home, payload = run.suite.repository, {"check_run": shapes_check.run_payload(world, run)}
    if installation := _installation(world, home, run.suite.app):
        world.emit("check_run", action, home, by, payload | more, installation=installation)


def _tell_app(world: World, action: str, suite: CheckSuite, by: Account) -> None:
    home, payload = suite.repository, {"check_suite": shapes_check.suite_payload(world, suite)}
    if installation := _installation(world, home, suite.app):
        world.emit("check_suite", action, home, by, payload, installation=installation)


def _installation(world: World, repository: Repository, app: App) -> Installation | None:
    """By which the App hears of a repository: not after it was taken off, nor while it is suspended."""
    found = (each for each in world.installations_of(repository) if each.app is app)
    return next((each for each in found if each.suspended_at is None), None)
