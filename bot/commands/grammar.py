"""Which lines of a comment are commands, by a real Markdown parser.

A command begins its line (up to three spaces before it) in a paragraph or heading, one within a list too:
quotes, fenced, indented and inline code, HTML and links don't count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

# A slash that could begin a command is marked with its line's number in private-use characters before
# parsing; where the mark comes out again at the start of a line of plain text, the line is a command.
MARK = re.compile("\ue000(\\d+)\ue001")
CANDIDATE = re.compile(r"( {0,3})/(?=[A-Za-z?])")

QUOTING = re.compile(r"<(/?)(?:blockquote|code|pre|samp|kbd|tt)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that begins with a slash; not `plain` if it holds code, links or images beside text.

    `text` is what GitHub shows of it, without those; `source` all that was written.
    """

    number: int
    text: str
    plain: bool
    source: str


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark")


def command_lines(body: str) -> tuple[CommandLine, ...]:
    """All lines of the comment that could be commands, in their order."""
    lines = (
        body.replace("\ue000", "").replace("\ue001", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    marked = [_marked(number, line) for number, line in enumerate(lines, 1)]
    if marked == lines:
        return ()
    tokens = _markdown().parse("\n".join(marked))
    found = (line for token in _outside_quotes(tokens) for line in _read(token.children or ()))
    return tuple(CommandLine(number, text, plain, lines[number - 1].strip()) for number, text, plain in found)


def _marked(number: int, line: str) -> str:
    found = CANDIDATE.match(line)
    return line if found is None else f"{found[1]}\ue000{number}\ue001{line[found.end() :]}"


def _outside_quotes(tokens: Sequence[Token]) -> Iterator[Token]:
    """The text of paragraphs and headings that are no part of a quote, be that one in HTML."""
    quotes, tags, block = 0, 0, ""
    for token in tokens:
        if token.type in ("blockquote_open", "blockquote_close"):
            quotes += token.nesting
        elif token.type == "html_block":
            tags = max(0, tags + _opened(token.content))
        elif token.type == "inline" and block in ("paragraph_open", "heading_open") and not quotes + tags:
            yield token
        block = token.type


def _opened(html: str) -> int:
    """How many elements that quote are open after this HTML which were not before."""
    return sum(-1 if close else 1 for close in QUOTING.findall(html))


def _read(children: Sequence[Token]) -> Iterator[tuple[int, str, bool]]:
    text, plain, nested = "", True, 0
    for child in (*children, None):
        if child is None or child.type in ("softbreak", "hardbreak"):
            mark = MARK.match(text)
            if mark:
                yield int(mark[1]), "/" + MARK.sub("/", text[mark.end() :]).strip(), plain
            text, plain = "", nested == 0
        elif child.type == "text" and nested == 0:
            text += child.content
        elif child.type == "html_inline":
            nested = max(0, nested + _opened(child.content))
        else:
            nested += child.nesting
            plain = False
