"""Secrets taken out of text before it is stored or shown: by their well-known shapes, ours, the operator's.

What is a secret is found in the text as it came but for terminal codes, and also as if carriage returns were
not there, so that neither hides a part of one. Only then may the text be cut.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.prose import strip_codes
from bot.report.logs.shapes import SHAPES
from bot.report.logs.sought import REDACTED, sought

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.report.logs.sought import Sought, Span

_KEY = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_KEY_BEGIN = re.compile(r"-{4,5} ?BEGIN " + _KEY)
_KEY_END = re.compile(r"-{4,5} ?END " + _KEY)
_KEY_MATERIAL = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{32}")
_KEY_REMAINDER = re.compile(
    r"\s*+(?:[A-Za-z0-9+/=]{0,76}|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Subject):.*)\s*+"
)


class Redactor:
    """Takes secrets out of one text, line by line; hides all lines of a private key's block.

    `secrets` are literal ones and the operator's patterns (SecretPattern).
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._sought = sought(secrets)
        self._in_key = False
        self._foreign_lines: int | None = None  # since the last key material; None before the first

    def line(self, line: str) -> str | None:
        """The line without secrets and terminal codes; None for a further line of a private key."""
        text: str | None = strip_codes(line)
        if self._in_key:
            text = self._leave_key(text or "")
        if text is None:
            return None
        spans = [*self._key_spans(text), *_spans(text, self._sought)]
        if "\r" in text.rstrip("\r"):
            spans += _spans_across_returns(text, self._sought)
        return _struck(text, spans)

    def _leave_key(self, text: str) -> str | None:
        """What follows the key's end in this line; None while inside. A key without an end ends by itself."""
        end = _KEY_END.search(text)
        if end is not None:
            self._in_key = False
            return text[end.end() :] if text[end.end() :].strip("\"', \t\r") else None
        if _KEY_MATERIAL.search(text):
            self._foreign_lines = 0
            return None
        if _KEY_REMAINDER.fullmatch(text):
            return None
        if self._foreign_lines == 0:  # in a log with prefixed lines, the key's short last line looks foreign
            self._foreign_lines = 1
            return None
        self._in_key = False
        return text

    def _key_spans(self, text: str) -> Iterator[Span]:
        if "PRIVATE KEY" not in text:
            return
        position = 0
        while (begin := _KEY_BEGIN.search(text, position)) is not None:
            end = _KEY_END.search(text, begin.end())
            if end is None:
                self._in_key, self._foreign_lines = True, None
                yield begin.start(), len(text)
                return
            position = end.end()
            yield begin.start(), position


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without secrets: those of well-known shapes and the given ones. Terminal codes go too."""
    redactor = Redactor(secrets)
    lines = (redactor.line(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line is not None)


def _spans(text: str, known: Sought) -> list[Span]:
    """Where secrets stand."""
    spans = [*known.begun_in(text)]
    if not known.may_be_in(text):
        return spans  # nearly every line of a log
    spans += known.found_in(text)
    holds = text.lower().__contains__
    for shape in SHAPES:
        if any(map(holds, shape.anchors)):
            spans += [(found.end(1), found.end()) for found in shape.pattern.finditer(text)]
    return spans


def _spans_across_returns(text: str, known: Sought) -> list[Span]:
    """Where secrets stand of which a carriage return hides a part."""
    kept = [index for index, character in enumerate(text) if character != "\r"]
    spans = _spans(text.replace("\r", ""), known)
    return [(kept[start], kept[end - 1] + 1) for start, end in spans]


def _struck(text: str, spans: Iterable[Span]) -> str:
    """The text without these parts; what overlaps is one."""
    shown, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            shown += [text[position:start], REDACTED]
        position = max(position, end)
    return "".join((*shown, text[position:]))
