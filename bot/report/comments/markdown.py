"""Blocks of Markdown around text that strangers wrote; inline text is made harmless by `bot.prose`."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from bot.prose import CODE_LIMIT, NOTHING, elide, longest_ticks, one_line
from bot.report.logs.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def html_code(text: str, limit: int = CODE_LIMIT) -> str:
    """The text as code in our own HTML (a summary, where GitHub reads no Markdown)."""
    return f"<code>{html.escape(elide(one_line(text), limit) or NOTHING)}</code>"


def fence(lines: Iterable[str]) -> str:
    """Lines of a log as a code block whose fence is longer than any that they hold."""
    return _fenced("", [clean_line(line) for line in lines])


def fenced_command(command: str) -> str:
    """A command (see `shown_command`) as a code block, ready to copy."""
    return _fenced("sh", command.split("\n"))


def _fenced(language: str, body: Sequence[str]) -> str:
    ticks = "`" * max(3, 1 + max(map(longest_ticks, body), default=0))
    return "\n".join((ticks + language, *body, ticks))


def table(header: Sequence[str], alignment: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of inline Markdown; each alignment is `:--` or `--:`."""
    return "\n".join(_row(cells) for cells in (header, alignment, *rows))


def fold(summary: str, body: str) -> str:
    """Markdown that shows when its summary (our own HTML, one line) is clicked."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def link(label: str, url: str) -> str:
    """Inline Markdown that leads to one of our own addresses, or the label alone without one."""
    return f"[{label}]({url})" if url else label


def _row(cells: Sequence[str]) -> str:
    """A row; GitHub takes the backslash from an escaped pipe even within code."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
