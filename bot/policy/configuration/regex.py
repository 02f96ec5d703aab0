"""The regular expressions that inputs may have: RE2's, which never take long and never take much.

They may come from strangers, as a pull request's own configuration is checked too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MAX_BYTES = 64 * 1024
"""What one compiled expression may take."""


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression that the whole of a text must match."""

    compiled: Any  # re2 has no annotations

    @classmethod
    def parse(cls, pattern: str) -> Regex:
        """Read an expression; ValueError says what is wrong with it."""
        return _parse(pattern)

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        try:
            return self.compiled.fullmatch(text) is not None
        except UnicodeEncodeError:  # half a character
            return False


@lru_cache(maxsize=64)
def _parse(pattern: str) -> Regex:
    options = re2.Options()
    options.max_mem = MAX_BYTES
    options.log_errors = False
    try:
        return Regex(re2.compile(pattern, options))
    except (re2.error, UnicodeEncodeError) as error:
        why = (
            error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else "half a character"
        )
        raise ValueError(f"the pattern {pattern!r} can't be used: {why}") from None
