"""A part of a long log: some lines of it, or those that hold what somebody looks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.prose import strip_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.pages.logs import Lines

SIZE = 1_000
CONTEXT = 2
MATCHES = 200
LONGEST_SEARCH = 200
BEFORE = 20  # lines before the one that a link leads to


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number. `parts` are its pieces: every second one is what was looked for."""

    number: int
    parts: Sequence[str]

    @property
    def match(self) -> bool:
        """Whether it holds what was looked for."""
        return len(self.parts) > 1


@dataclass(frozen=True, slots=True)
class Window:
    """Lines in a row. `older` and `newer` are where the windows beside it begin, None at the log's ends."""

    lines: Sequence[Line]
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Hits:
    """Groups of lines in a row around those that match; `total` counts all that match."""

    groups: Sequence[Sequence[Line]]
    shown: int
    total: int


def window(lines: Lines, start: int | None) -> Window:
    """The lines from that number on; the last ones without a number."""
    begin = lines.last - SIZE + 1 if start is None else min(start, lines.last)
    begin = max(begin, lines.first)
    shown = lines.texts[begin - lines.first :][:SIZE]
    end = begin + len(shown)
    return Window(
        lines=[Line(number, (text,)) for number, text in enumerate(shown, begin)],
        older=max(lines.first, begin - SIZE) if begin > lines.first else None,
        newer=end if end <= lines.last else None,
    )


def search(lines: Lines, wanted: str) -> Hits:
    """The lines that hold the text, whatever its letters' case, with some around each."""
    pattern = re.compile(f"({re.escape(wanted)})", re.IGNORECASE)
    matching = [index for index, text in enumerate(lines.texts) if pattern.search(text)]
    shown = matching[:MATCHES]
    groups = [
        [Line(lines.first + index, pattern.split(lines.texts[index])) for index in group]
        for group in _grouped(shown, len(lines.texts))
    ]
    return Hits(groups, len(shown), len(matching))


def searched(text: str) -> str:
    """What somebody looks for, as a line of a log could hold it."""
    return strip_codes(text).strip("\r\n")[:LONGEST_SEARCH]


def start_for(number: int) -> int:
    """Where to begin so that the line can be seen with some before it."""
    return max(1, number - BEFORE)


def _grouped(matching: Sequence[int], total: int) -> list[range]:
    """Ranges of lines with what is around them; ranges that touch are one."""
    groups: list[range] = []
    for index in matching:
        first, beyond = max(0, index - CONTEXT), min(total, index + CONTEXT + 1)
        if groups and first <= groups[-1].stop:
            groups[-1] = range(groups[-1].start, beyond)
        else:
            groups.append(range(first, beyond))
    return groups
