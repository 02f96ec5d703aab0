"""Strangers' text for pages: without secrets, terminal codes and what deceives. Jinja escapes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.prose import elide, one_line
from bot.report.logs.clean import clean_line
from bot.report.logs.command import shown_command
from bot.report.logs.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE_LIMIT = 300
BLOCK_LINES = 60


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Knows our own secrets."""

    secrets: Sequence[str] = field(default=(), repr=False)

    def line(self, text: str, limit: int = LINE_LIMIT) -> str:
        """The text on one line of at most so many characters."""
        return elide(one_line(redact(text, self.secrets)), limit)

    def block(self, text: str) -> str:
        """Lines as they are, the first so many of them."""
        lines = [clean_line(line) for line in redact(text.strip("\n"), self.secrets).split("\n")]
        return "\n".join(lines if len(lines) <= BLOCK_LINES else [*lines[:BLOCK_LINES], "⋯"])

    def command(self, text: str) -> str:
        """A command to copy, whole."""
        return shown_command(text, self.secrets)
