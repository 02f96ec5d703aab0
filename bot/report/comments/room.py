"""How much of a comment is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMMENT_LIMIT = 65_536
"""GitHub's limit on a comment's characters."""


def size(text: str) -> int:
    """The length as JavaScript counts it (UTF-16), which is never less than GitHub's own count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(parts: Iterable[str], room: int, between: int) -> Iterator[str]:
    """The first parts that fit together, each taking `between` characters more than its own."""
    for part in parts:
        room -= size(part) + between
        if room < 0:
            return
        yield part
