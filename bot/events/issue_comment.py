"""`issue_comment`: only newly created ones, on open pull requests, by people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import MalformedPayload
from bot.events.payload import take, take_repository
from bot.events.types import CommentEvent, Ignored

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(payload: Mapping[str, object]) -> Ignored | CommentEvent:
    """Read the payload; the head SHA is not in it and has to be looked up."""
    action = take(payload, "action", str)
    if action != "created":
        return Ignored(f"a comment that was {action} starts nothing")
    if "pull_request" not in take(payload, "issue", dict):
        return Ignored("the comment is on an issue, not on a pull request")
    if take(payload, "issue.state", str) != "open":
        return Ignored("the pull request is closed")
    if take(payload, "comment.user.type", str) == "Bot":
        return Ignored("bots give no commands")
    return CommentEvent(
        repository=take_repository(payload),
        number=take(payload, "issue.number", int),
        comment_id=take(payload, "comment.id", int),
        author=take(payload, "comment.user.login", str),
        body=_body(payload),
    )


def _body(payload: Mapping[str, object]) -> str:
    try:
        return take(payload, "comment.body", str)
    except MalformedPayload:
        return ""  # GitHub sends null for an empty comment
