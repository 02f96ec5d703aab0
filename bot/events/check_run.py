"""`check_run`: somebody clicked on one of our check runs: GitHub's "Re-run", or a button of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.click import Asks, ClickEvent
from bot.events.click_on_branch import BranchClickEvent, branch_of
from bot.events.payload import take, take_repository
from bot.events.types import Ignored
from bot.models import PREFIX, read_external_id

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(payload: Mapping[str, object]) -> Ignored | ClickEvent | BranchClickEvent:
    """Read the payload. Its `pull_requests` are empty for forks: our external id names the pull request."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action not in ("rerequested", "requested_action"):
        return Ignored(f"a check run that was {action} starts nothing", action, repository)
    name = take(payload, "check_run.name", str)
    external_id = take(payload, "check_run.external_id", str)
    ours = read_external_id(external_id)
    if ours is None or not name.startswith(PREFIX):
        return Ignored("the check run is none of ours", action, repository)
    asked = "rerun" if action == "rerequested" else take(payload, "requested_action.identifier", str)
    if asked not in {one.value for one in Asks}:
        return Ignored(f"the button {asked!r} is none of ours", action, repository)
    number, run_id = ours
    sha, sender = take(payload, "check_run.head_sha", str), take(payload, "sender.login", str)
    if number > 0:
        return ClickEvent(repository, number, sha, name, run_id, Asks(asked), sender, external_id)
    branch = branch_of(repository, take(payload, "check_run.check_suite.head_branch", str), sha)
    if branch.number != number:
        return Ignored("the check run is about another branch", action, repository)
    return BranchClickEvent(branch, run_id, Asks(asked), sender, external_id)
