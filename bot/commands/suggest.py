"""Did you mean ...: the nearest known word, one edit away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 3  # shorter words are one edit away from too much


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The first of the known words that is one letter away: inserted, dropped, changed or swapped.

    Digits and hyphens have to be right: nobody who wrote py311 meant py312.
    """
    if len(word) < SHORTEST:
        return None
    return next((candidate for candidate in sorted(known) if one_letter_apart(word, candidate)), None)


def one_letter_apart(left: str, right: str) -> bool:
    """Whether one letter, or two neighbours that changed places, are all that the words differ in."""
    if abs(len(left) - len(right)) > 1 or left == right:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    rest_left, rest_right = left[start:], right[start:]
    if len(left) == len(right):
        if rest_left[1:] == rest_right[1:]:
            return (rest_left[:1] + rest_right[:1]).isalpha()
        swapped = rest_left[1:2] + rest_left[:1] + rest_left[2:]
        return swapped == rest_right and rest_left[:2].isalpha()
    longer, shorter = (rest_left, rest_right) if len(left) > len(right) else (rest_right, rest_left)
    return longer[1:] == shorter and longer[:1].isalpha()
