"""One part of a pattern, between two slashes: characters, `*`, `?` and `[...]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STAR = "*"
CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r" \t-\r",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What one name between two slashes must look like.

    It is `literal` where that is not None, else it fits `regex`, begins with `head` and ends in `tail`.
    """

    regex: re.Pattern[str]
    literal: str | None = None
    head: str = ""
    tail: str = ""

    def matches(self, name: str) -> bool:
        """Whether the name looks like that."""
        return name == self.literal if self.literal is not None else bool(self.regex.fullmatch(name))


def compile_part(name: str) -> Part:
    """Read one part; ValueError says why it can't match."""
    tokens = list(_tokens(name))
    literal = "".join(char for _, char in tokens) if all(char for _, char in tokens) else None
    head = "".join(char for _, char in takewhile(lambda token: token[1], tokens))
    tail = "".join(char for _, char in takewhile(lambda token: token[1], reversed(tokens)))[::-1]
    return Part(re.compile(_regex([regex for regex, _ in tokens]), re.DOTALL), literal, head, tail)


def _regex(tokens: list[str]) -> str:
    """Each star but the last takes as little as it can and never gives back, so that it can't explode."""
    chunks = [""]
    for token in tokens:
        if token != STAR:
            chunks[-1] += token
        elif chunks[-1] or len(chunks) == 1:
            chunks.append("")
    first, *rest = chunks
    if not rest:
        return first
    return first + "".join(f"(?>.*?{chunk})" for chunk in rest[:-1]) + ".*" + rest[-1]


def _tokens(name: str) -> Iterator[tuple[str, str]]:
    """Its stars and characters as regular expressions, with the character where only one fits."""
    at = 0
    while at < len(name):
        char = name[at]
        at += 1
        if char == STAR:
            yield STAR, ""
        elif char == "?":
            yield ".", ""
        elif char == "[":
            regex, at = _bracket(name, at)
            yield regex, ""
        else:
            if char == "\\":
                if at == len(name):
                    raise ValueError("it ends in a backslash")
                char = name[at]
                at += 1
            yield re.escape(char), char


def _bracket(name: str, at: int) -> tuple[str, int]:
    """One `[...]` from behind its bracket, and where it ends."""
    negated = name[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    first = True
    while first or name[at : at + 1] != "]":
        first = False
        if at >= len(name):
            raise ValueError("a [ is never closed; write \\[ for the character")
        named = re.match(r"\[:([a-z]*):\]", name[at:])
        if named:
            if named[1] not in CLASSES:
                raise ValueError(f"there is no class [:{named[1]}:]")
            items.append(CLASSES[named[1]])
            at += named.end()
            continue
        low, at = _bracket_char(name, at)
        if name[at : at + 1] == "-" and name[at + 1 : at + 2] not in ("]", ""):
            high, at = _bracket_char(name, at + 1)
            if high < low:
                raise ValueError(f"the range {low}-{high} is the wrong way round")
            items.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            items.append(re.escape(low))
    return f"[{'^' if negated else ''}{''.join(items)}]", at + 1


def _bracket_char(name: str, at: int) -> tuple[str, int]:
    at += name[at] == "\\" and at + 1 < len(name)
    return name[at], at + 1
