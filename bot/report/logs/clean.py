"""Lines of a log as a person at a terminal would have seen them, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.prose import strip_codes
from bot.report.logs.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 64 * 1024
"""Of a longer line only both ends are looked at."""

HALF = LONGEST // 2
MARGIN = 8 * 1024
"""What a secret may take that is cut through: more than a private key in one line."""


def last_state(line: str) -> str:
    """What a terminal would show in the end of a line that carriage returns overwrote (a progress bar)."""
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def clean_line(line: str) -> str:
    """One line of a log as a person would have seen it, without what could deceive its reader."""
    return last_state(strip_codes(line)).replace("\n", " ").rstrip()


def cleaned(texts: Iterable[str], secrets: Iterable[str] = ()) -> Iterator[str]:
    """The lines of a log: redacted first, each as a whole, then as a terminal would show it.

    What holds no line feed may be of any length, and is shown in at most `LONGEST` characters or so.
    """
    redactor = Redactor(secrets)
    for text in texts:
        for line in _lines(text):
            redacted = _both_ends(line, redactor) if len(line) > LONGEST else redactor.line(line)
            if redacted is not None:
                yield last_state(redacted).rstrip()


def _lines(text: str) -> Iterator[str]:
    """The lines of a text that may be huge, one at a time; a line feed at its end begins none."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    if start < len(text) or not text:
        yield text[start:]


def _both_ends(line: str, redactor: Redactor) -> str:
    """Both ends of an over-long line, without what stands beside the cut: it may be a part of a secret."""
    head = redactor.line(line[: HALF + MARGIN]) or ""
    tail = redactor.line(line[-HALF - MARGIN :]) or ""
    return f"{head[:-MARGIN]} … {tail[MARGIN:]}"
