"""Shortening what a status says so that no name in it is cut: names stay whole, or go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.prose import elide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAME_LIMIT = 40
"""Characters of a name; a longer one is cut in its own middle. GitHub's logins have at most 39."""

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_WORD = re.compile(r"\S+")
_CUT = " … "


def without_astral(text: str) -> str:
    """The text without characters beyond U+FFFF, which GitHub refuses in statuses."""
    return _ASTRAL.sub("\ufffd", text)


def short_name(name: str) -> str:
    """A name as it stands in a longer text."""
    return elide(name, NAME_LIMIT)


def shorten(text: str, limit: int, names: Iterable[str] = ()) -> str:
    """The text in at most `limit` characters, without a piece of its middle.

    What is cut is never a part of a name, nor of a word that could be one; a name (or word) that is longer
    than any should be is cut in its own middle.
    """
    if len(text) <= limit:
        return text
    names = sorted({name for name in names if name}, key=len, reverse=True)
    for name in names:
        text = text.replace(name, short_name(name))
    if len(text) <= limit:
        return text
    room = limit - len(_CUT)
    if room < 1:
        return "…"[:limit]
    tail_room = room * 2 // 5
    head, tail = room - tail_room, len(text) - tail_room
    for start, end in _merged(_whole(text, [short_name(name) for name in names])):
        head = start if start < head < end else head
        tail = end if start < tail < end else tail
    left, right = text[:head].rstrip(), text[tail:].lstrip()
    return f"{left}{_gap(text, head) if left else ''}…{_gap(text, tail) if right else ''}{right}"


def _gap(text: str, at: int) -> str:
    """A space, unless the cut goes through a (long) word."""
    return " " if text[at - 1].isspace() or text[at].isspace() else ""


def _whole(text: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where something stands that is not to be cut."""
    for word in _WORD.finditer(text):
        if len(word.group()) <= NAME_LIMIT:
            yield word.span()
    for name in names:
        start = text.find(name)
        while start >= 0:
            yield start, start + len(name)
            start = text.find(name, start + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in order, those that overlap as one."""
    last: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if last is not None and start < last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last
