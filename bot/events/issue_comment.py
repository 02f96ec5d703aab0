"""`issue_comment`: only newly created ones, on open pull requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import commands
from bot.commands.decide import decide
from bot.commands.session import Asker
from bot.errors import MalformedPayload
from bot.events.payload import take, take_repository, take_time
from bot.events.types import Ignored, Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.commands.types import ParsedComment
    from bot.models import PullRequest, Repository
    from bot.policy.decision import Decision
    from bot.policy.facts import Facts


@dataclass(frozen=True, slots=True)
class CommentEvent:
    """Somebody wrote a comment on an open pull request."""

    repository: Repository
    number: int
    comment_id: int
    author: str
    body: str
    created_at: datetime | None = None

    @property
    def action(self) -> str:
        """GitHub's word."""
        return "created"

    @property
    def parsed(self) -> ParsedComment:
        """The commands in the comment."""
        return commands.parse(self.body)

    @property
    def told(self) -> Told:
        """What the delivery tells."""
        return Told(self.number)

    def subject(self, facts: Facts) -> PullRequest:
        """The pull request as it is now."""
        return facts.pull_request()

    def decide(self, facts: Facts) -> Decision:
        """What its commands come to."""
        return decide(self.parsed, Asker(self.author, self.comment_id, self.created_at), facts)


def parse(payload: Mapping[str, object]) -> Ignored | CommentEvent:
    """Read the payload; the head SHA is not in it and has to be looked up."""
    action = take(payload, "action", str)
    repository = take_repository(payload)
    if action != "created":
        return Ignored(f"a comment that was {action} starts nothing", action, repository)
    if "pull_request" not in take(payload, "issue", dict):
        return Ignored("the comment is on an issue, not on a pull request", action, repository)
    if take(payload, "issue.state", str) != "open":
        return Ignored("the pull request is closed", action, repository)
    return CommentEvent(
        repository=repository,
        number=take(payload, "issue.number", int),
        comment_id=take(payload, "comment.id", int),
        author=take(payload, "comment.user.login", str),
        body=_body(payload),
        created_at=_created_at(payload),
    )


def _body(payload: Mapping[str, object]) -> str:
    try:
        return take(payload, "comment.body", str)
    except MalformedPayload:
        return ""  # GitHub sends null for an empty comment


def _created_at(payload: Mapping[str, object]) -> datetime | None:
    try:
        return take_time(payload, "comment.created_at")
    except MalformedPayload:
        return None
