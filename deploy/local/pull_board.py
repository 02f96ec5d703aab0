"""Shows in the terminal what a pull request shows, whenever that changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from deploy.local.console import Console
    from tests.github_standin.client import Pull
    from tests.github_standin.records import Comment, Status

_SYMBOLS = {"pending": "…", "success": "✓", "failure": "✗", "error": "!"}


class PullBoard:
    """One pull request's statuses and the comments of the bot."""

    def __init__(self, pull: Pull, bot: str, console: Console) -> None:
        """`bot` is the login that the bot comments as."""
        self.pull = pull
        self.statuses: Mapping[str, Status] = {}
        self.comments: Sequence[Comment] = []
        self._bot = bot
        self._console = console
        self._shown_statuses: dict[str, tuple[str, str | None]] = {}
        self._shown_comments: dict[int, str] = {}

    def update(self) -> None:
        """Look at it once, and print what has changed."""
        self.statuses = self.pull.combined()
        self.comments = self.pull.comments(self._bot)
        for context, status in self.statuses.items():
            shown = (status.state, status.description)
            if self._shown_statuses.get(context) != shown:
                self._shown_statuses[context] = shown
                symbol = _SYMBOLS.get(status.state, "?")
                self._say(f"{symbol} {context:<16} {status.state:<8} {status.description or ''}")
        finished = all(status.state != "pending" for status in self.statuses.values())
        for comment in self.comments:
            before = self._shown_comments.get(comment.id)
            if before is None and not finished:
                self._say(f"{comment.author} comments")
                self._shown_comments[comment.id] = ""
            elif finished and before != comment.body:
                self._say(f"{comment.author} comments:")
                self._console.show(readable(comment.body))
                self._shown_comments[comment.id] = comment.body

    def is_over(self, contexts: Collection[str]) -> bool:
        """Whether all of these contexts have a final state."""
        return all(
            context in self.statuses and self.statuses[context].state != "pending" for context in contexts
        )

    def _say(self, text: str) -> None:
        self._console.say(f"#{self.pull.number} {text}")


def readable(markdown: str) -> str:
    """A comment's Markdown for a terminal: without HTML, indented."""
    text = re.sub(r"<!--.*?-->|</?[a-z]+[^<>]*>", "", markdown, flags=re.DOTALL)
    text = re.sub(r"\n\s*\n+", "\n\n", text).strip()
    return "\n".join(f"             │ {line}".rstrip() for line in text.splitlines())
