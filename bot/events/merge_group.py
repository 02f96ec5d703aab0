"""`merge_group`: a merge queue wants its group tested, or took it apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.branch import BranchEvent
from bot.events.payload import take, take_repository
from bot.events.types import Ignored
from bot.models import Branch

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADS = "refs/heads/"


def parse(payload: Mapping[str, object]) -> Ignored | BranchEvent:
    """Read the payload. A group never changes: a new head is a new group, on a branch of its own."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action not in ("checks_requested", "destroyed"):
        return Ignored(f"merge_group {action} starts and stops nothing", action, repository)
    branch = Branch(
        repository=repository,
        name=take(payload, "merge_group.head_ref", str).removeprefix(HEADS),
        head_sha=take(payload, "merge_group.head_sha", str),
        base_ref=take(payload, "merge_group.base_ref", str).removeprefix(HEADS),
        before=take(payload, "merge_group.base_sha", str),
        merge_group=True,
        open=action == "checks_requested",
    )
    return BranchEvent(branch, "merge_group", action, take(payload, "sender.login", str))
