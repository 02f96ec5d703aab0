"""Which lines of a comment are commands, by a real Markdown parser.

A command begins its line (up to three spaces before it) in a paragraph of its own level: quotes, lists,
fenced, indented and inline code, HTML and links don't count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

# A slash that could begin a command is marked with its line's number in private-use characters before
# parsing; where the mark comes out again at the start of a line of plain text, the line is a command.
MARK = re.compile("\ue000(\\d+)\ue001")
CANDIDATE = re.compile(r"^( {0,3})/(?=[A-Za-z?])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that begins with a slash; not `plain` if it holds code, links or images beside text."""

    number: int
    text: str
    plain: bool


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark")


def command_lines(body: str) -> tuple[CommandLine, ...]:
    """All lines of the comment that could be commands, in their order."""
    lines = (
        body.replace("\ue000", "").replace("\ue001", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    marked = [CANDIDATE.sub(f"\\1\ue000{number}\ue001", line) for number, line in enumerate(lines, 1)]
    if marked == lines:
        return ()
    tokens = _markdown().parse("\n".join(marked))
    return tuple(line for token in _top_level(tokens) for line in _read(token.children or ()))


def _top_level(tokens: Sequence[Token]) -> Iterator[Token]:
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.level == 0 and before.type in ("paragraph_open", "heading_open"):
            yield token


def _read(children: Sequence[Token]) -> Iterator[CommandLine]:
    text, plain, nested = "", True, 0
    for child in (*children, None):
        if child is None or child.type in ("softbreak", "hardbreak"):
            mark = MARK.match(text)
            if mark:
                yield CommandLine(int(mark[1]), "/" + MARK.sub("/", text[mark.end() :]).strip(), plain)
            text, plain = "", nested == 0
        elif child.type == "text" and nested == 0:
            text += child.content
        elif child.type != "html_inline":
            nested += child.nesting
            plain = False
