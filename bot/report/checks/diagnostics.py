"""What compilers, linters and type checkers say of a file's line: `src/app.c:12:5: error: no such thing`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.report.logs.clean import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_LIMIT = 1_000

_MARK = r"(?:\[?(?P<mark>ERROR|WARNING|WARN|error|warning)\]?:?\s+)?"
_PATH = r"(?P<path>(?:file://)?(?:[A-Za-z]:)?[^\s:()\[\]\"'<>|]++)"
_PLACES = (
    r":(?P<line>\d{1,7})(?::\d{1,7})?(?=[:\s])",  # gcc, clang, Go, javac, mypy, ruff, eslint, pytest
    r"\((?P<line>\d{1,7})(?:,\d{1,7})?\)(?=[:\s])",  # tsc, MSVC
    r":\[(?P<line>\d{1,7})(?:,\d{1,7})?\](?=\s)",  # Maven
)
_SHAPES = tuple(re.compile(rf"\s*{_MARK}{_PATH}{place}[:\s-]*+(?P<message>\S.*)") for place in _PLACES)

# rustc says what first, and where in the next line.
_RUST_WHAT = re.compile(r"\s*(?P<message>(?:error|warning)(?:\[\w+\])?: .+)")
_RUST_WHERE = re.compile(r"\s*-->\s+(?P<path>[^\s:]++):(?P<line>\d{1,7}):\d{1,7}$")

_SEVERITY = re.compile(r"(?:fatal )?(error|\w*warning|warn|note|info|hint|help)\b", re.IGNORECASE)
_ASIDES = frozenset({"note", "info", "hint", "help"})
_FRAME = re.compile(r"\+0x[0-9a-f]+$|in [<\w]\S*$")  # a line of a stack: Go's, Python's
_WARNINGS = ("warning", "warn")
_FILE = re.compile(r"[^/\\]\.\w+$|(?:^|[/\\])\w*file$", re.IGNORECASE)  # "app.py", "Makefile"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a tool says of one line of a file, whose `path` is as the tool wrote it."""

    path: str
    line: int
    message: str
    warning: bool


def diagnostics(lines: Iterable[str]) -> Iterator[Diagnostic]:
    """Those that a log's lines hold, in their order; remarks on other ones ("note: ...") are left out."""
    what = ""
    for raw in lines:
        line = clean_line(raw)[:LINE_LIMIT]
        where = _RUST_WHERE.match(line)
        found = _diagnostic(where, what, "") if where and what else _first(line)
        said = _RUST_WHAT.match(line)
        what = said["message"] if said else ""
        if found is not None:
            yield found


def _first(line: str) -> Diagnostic | None:
    for shape in _SHAPES:
        match = shape.match(line)
        if match is not None:
            return _diagnostic(match, match["message"], match["mark"] or "")
    return None


def _diagnostic(place: re.Match[str], message: str, mark: str) -> Diagnostic | None:
    path, line = place["path"].removeprefix("file://"), int(place["line"])
    said = _SEVERITY.match(message)
    severity = (said[1] if said else mark).lower()
    if severity in _ASIDES or line < 1 or not _FILE.search(path) or _FRAME.match(message.strip()):
        return None
    return Diagnostic(path, line, message.strip(), severity.endswith(_WARNINGS))
