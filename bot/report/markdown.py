"""Text that strangers wrote, as Markdown that GitHub shows exactly so and acts on in no way.

GitHub looks for @mentions, issue and commit references, addresses and emoji names in the *rendered* text, so
neither a backslash nor a character reference stops it. Code does: whatever looks suspicious is shown as code.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from bot.report.clean import clean_line, elide, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CODE_LIMIT = 100
PLAIN_LIMIT = 300
NOTHING = "\N{EN DASH}"

_BACKTICKS = re.compile(r"`+")
_SUSPICIOUS = re.compile(
    r"[@#<>&*_~`|\\\[\]{}$^]"  # mentions, references, HTML, Markdown, formulas
    r"|:(?!$)|^:"  # addresses, emoji names; a colon that ends a word is harmless
    r"|www\.|[0-9a-f]{7}|[a-z]-\d",  # addresses, commits, GH-12 and its like
    re.IGNORECASE,
)
_STARTS_A_BLOCK = re.compile(r"\d+[.)]$|[-+=]+$")  # as a paragraph's first word: a list, rule or heading
_CLOSING = ".,;!?"


def plain(text: str, limit: int = PLAIN_LIMIT) -> str:
    """The text on one line; its harmless words as they are, every other one as code."""
    words = elide(one_line(text), limit).split()
    return " ".join(_word(word, first=index == 0) for index, word in enumerate(words))


def _word(word: str, *, first: bool) -> str:
    if not _SUSPICIOUS.search(word) and not (first and _STARTS_A_BLOCK.match(word)):
        return word
    core = word.rstrip(_CLOSING if ":" in word[:-1] else _CLOSING + ":")
    return code(core, len(core)) + word[len(core) :] if core else code(word)


def code(text: str, limit: int = CODE_LIMIT) -> str:
    """The text as inline code that it can't break out of."""
    flat = elide(one_line(text), limit)
    if not flat:
        return NOTHING
    ticks = "`" * (_longest_run(flat) + 1)
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{padding}{flat}{padding}{ticks}"


def html_code(text: str, limit: int = CODE_LIMIT) -> str:
    """The text as code in our own HTML (a summary, where GitHub reads no Markdown)."""
    return f"<code>{html.escape(elide(one_line(text), limit) or NOTHING)}</code>"


def fence(lines: Iterable[str], language: str = "") -> str:
    """The lines as a code block whose fence is longer than any that they hold."""
    body = [clean_line(line) for line in lines]
    ticks = "`" * max(3, 1 + max(map(_longest_run, body), default=0))
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


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
