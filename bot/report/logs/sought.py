"""The secrets that are known by name: our own, in all their spellings, and the operator's patterns."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import re2

from bot.policy.configuration.regex import Regex
from bot.policy.operator import SecretPattern
from bot.prose import strip_codes
from bot.report.logs.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Span = tuple[int, int]

REDACTED = "[redacted]"

MIN_LITERAL = 6
"""Shorter literal secrets are not looked for: they would hide ordinary words."""

CUT = "…"
"""How a line ends of which the rest was cut off."""

_PERCENT = re.compile("%[0-9A-F]{2}")
_MIN_BEGUN = 4
_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for; `may` finds out in a single look that a line holds none, as nearly all do."""

    literals: tuple[str, ...]
    patterns: tuple[Any, ...]  # re2 has no annotations
    may: Any

    def may_be_in(self, text: str) -> bool:
        """Whether the text may hold any secret at all, one of a well-known shape too."""
        return self.may.search(text) is not None

    def found_in(self, text: str) -> Iterator[Span]:
        """Where literal secrets stand, and what patterns match: their first group where they have one."""
        for literal in self.literals:
            start = text.find(literal)
            while start >= 0:
                yield start, start + len(literal)
                start = text.find(literal, start + len(literal))
        for pattern in self.patterns:
            for found in pattern.finditer(text):
                start, end = found.span(1 if pattern.groups and found[1] is not None else 0)
                if start < end:
                    yield start, end

    def begun_in(self, text: str) -> Iterator[Span]:
        """Where a literal secret begins of which the rest was cut off."""
        if text.endswith(CUT):
            end = len(text) - len(CUT)
            for literal in self.literals:
                for length in range(min(len(literal), end), _MIN_BEGUN - 1, -1):
                    if text.startswith(literal[:length], end - length):
                        yield end - length, end
                        break


def sought(secrets: Iterable[str]) -> Sought:
    """What these secrets look like, SecretPatterns among them."""
    given = tuple(secrets)
    return _sought(
        tuple(str(one) for one in given if not isinstance(one, SecretPattern)),
        tuple(str(one) for one in given if isinstance(one, SecretPattern)),
    )


@lru_cache(maxsize=16)
def _sought(secrets: tuple[str, ...], patterns: tuple[str, ...]) -> Sought:
    literals = _literals(secrets)
    anchors = "|".join(re2.escape(anchor) for shape in SHAPES for anchor in shape.anchors)
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    may = "|".join((f"(?i:{anchors})", *map(re2.escape, literals), *(f"(?:{one})" for one in patterns)))
    compiled = tuple(Regex.parse(pattern).compiled for pattern in patterns)
    return Sought(literals, compiled, re2.compile(may, options))


def _literals(secrets: Iterable[str]) -> tuple[str, ...]:
    """What to look for: each line of each secret as it may be spelled; the longest first."""
    lines = {strip_codes(line).strip() for secret in secrets for line in secret.splitlines()}
    spelled = {one for line in lines if len(line) >= MIN_LITERAL for one in _spellings(line)}
    found = (one for one in spelled if len(one) >= MIN_LITERAL and one not in REDACTED)
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def _spellings(secret: str) -> Iterator[str]:
    """The secret as text, as URLs, JSON and HTML write it, and within base64 wherever it begins there."""
    yield secret
    for spell in (quote, quote_plus):
        yield (spelled := spell(secret, safe=""))
        yield _PERCENT.sub(lambda found: found[0].lower(), spelled)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield html.escape(secret)
    content = secret.encode()
    for before in range(3):
        bits = 8 * before, 8 * (before + len(content))
        inside = slice(-(-bits[0] // 6), bits[1] // 6)  # the characters that nothing around it changes
        padded = b"\0" * before + content + b"\0\0"
        yield base64.b64encode(padded).decode()[inside]
        yield base64.urlsafe_b64encode(padded).decode()[inside]
