"""The events that mean something to us, each reduced to what a decision needs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Repository


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and why."""

    reason: str


class PullAction(enum.Enum):
    """What happened to a pull request, as GitHub's `action` says it."""

    OPENED = "opened"
    REOPENED = "reopened"
    SYNCHRONIZE = "synchronize"
    READY = "ready_for_review"
    CLOSED = "closed"

    @property
    def is_push(self) -> bool:
        """Whether the sender is who put the head there."""
        return self in (PullAction.OPENED, PullAction.SYNCHRONIZE)


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """A pull request changed. The head is the one of that moment; GitHub may have a newer one by now."""

    repository: Repository
    number: int
    action: PullAction
    head_sha: str
    sender: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CommentEvent:
    """Somebody wrote a comment on an open pull request."""

    repository: Repository
    number: int
    comment_id: int
    author: str
    body: str


Event = Ignored | PullRequestEvent | CommentEvent
