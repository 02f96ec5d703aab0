"""A repository's own matchers: patterns that strangers may have written, as rows beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from bot.report.logs.matchers import Matcher

if TYPE_CHECKING:
    from bot.models import LogMatcher

WEIGHT = 11
"""A little more than any of ours."""

_MEMORY = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OwnMatchers:
    """The rows, and a pattern (RE2) that finds out in one look that a line is none of theirs."""

    rows: tuple[Matcher, ...]
    may: Any  # re2 has no annotations

    def matching(self, line: str) -> tuple[Matcher, ...]:
        """All rows that have such lines."""
        if not self.rows or self.may.match(line) is None:
            return ()
        return tuple(row for row in self.rows if row.matches(line))


@lru_cache(maxsize=64)
def own_matchers(matchers: tuple[LogMatcher, ...]) -> OwnMatchers:
    """The rows for these matchers; one whose pattern RE2 refuses is left out."""
    compiled = [(number, one, _compiled(one.pattern)) for number, one in enumerate(matchers)]
    found = [(number, one, pattern) for number, one, pattern in compiled if pattern is not None]
    rows = tuple(
        Matcher(f"{one.name} (the repository's, {number})", pattern, WEIGHT, one.before, one.after)
        for number, one, pattern in found
    )
    return OwnMatchers(rows, _compiled("|".join(f"(?:{one.pattern})" for _, one, _ in found)))


def _compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 has no annotations
    """Matches from a line's beginning what the pattern finds anywhere in it; None for what is no pattern."""
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(f"(?s:.*?)(?:{pattern})", options)
    except (re2.error, UnicodeEncodeError):
        return None
