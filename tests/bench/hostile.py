"""Comments as long as GitHub takes them, written to keep a bot busy; each number gives another text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST = 65_536
"""Characters of a comment."""


def _repeated(text: str) -> Callable[[int], str]:
    return lambda number: f"/test n{number}\n\n{text * LONGEST}"[:LONGEST]


def _counted(begin: str, text: str) -> Callable[[int], str]:
    """The text again and again, with a number of its own for each."""
    return lambda number: (begin + "".join(text.format(at) for at in range(number, LONGEST)))[:LONGEST]


COMMENTS: Mapping[str, Callable[[int], str]] = {
    "lines of a slash": _repeated("/\n"),
    "empty lines": _repeated("\n"),
    "the same command": _repeated("/test x\n"),
    "many commands": _counted("", "/test x{}\n"),
    "misspelt commands": _counted("", "/tset x{}\n"),
    "one command, many names": _counted("/test", " unit-ap{}"),
    "brackets": _repeated("["),
    "emphasis": _repeated("*a_ "),
}
