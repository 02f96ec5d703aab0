"""`pull_request`: opened, reopened, synchronize, ready_for_review, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.events.payload import take, take_repository, take_time
from bot.events.types import Ignored, PullAction, PullRequestEvent

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(payload: Mapping[str, object]) -> Ignored | PullRequestEvent:
    """Read the payload; actions that start or stop nothing are ignored."""
    action = take(payload, "action", str)
    if action not in {known.value for known in PullAction}:
        return Ignored(f"pull_request {action} starts and stops nothing")
    return PullRequestEvent(
        repository=take_repository(payload),
        number=take(payload, "pull_request.number", int),
        action=PullAction(action),
        head_sha=take(payload, "pull_request.head.sha", str),
        sender=take(payload, "sender.login", str),
        updated_at=take_time(payload, "pull_request.updated_at"),
    )
