"""Airflow's NDJSON log stream, turned into lines of text.

Whatever a step prints arrives inside a JSON string, so nothing it prints can pass for another line, logger or
level. Memory stays bounded however long a line is.
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

from bot.models import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINE_CHARACTERS = 16 * 1024
"""Longer lines are cut, and end in "…" then."""

RECORD_BYTES = 1024 * 1024
"""Of a longer record only the beginning is kept, and who logged it."""

_TAIL_BYTES = 1024
_GROUPS_IN_GROUPS = 5
_SOURCES = "::group::Log message source details"
_END_GROUP = "::endgroup::"
# Possessive ("++", "*+"): otherwise the memory to turn back at every letter is many times the record.
_CUT_EVENT = re.compile(rb'"event": ?"((?:[^"\\]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+)')
_ORIGIN = re.compile(rb'"(logger|level)": ?"([^"\\]*)"')  # inside a JSON string the quotes would be escaped


def read_lines(chunks: Iterable[bytes]) -> Iterator[LogLine]:
    """The lines of one try's log, without Airflow's list of the places where it looked for the log."""
    in_sources = False
    for position, record in enumerate(_records(chunks)):
        event = record.get("event")
        if position == 0 and event == _SOURCES:
            in_sources = True
        if not in_sources:
            yield from _lines(record)
        elif event == _END_GROUP:
            in_sources = False


def _records(chunks: Iterable[bytes]) -> Iterator[dict[str, object]]:
    line = bytearray()
    tail = b""  # the latest bytes of a line that grew too long
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            tail = _grow(line, end, tail)
            yield from _parsed(bytes(line), tail)
            line.clear()
            tail = b""
        tail = _grow(line, rest, tail)
    yield from _parsed(bytes(line), tail)


def _grow(line: bytearray, more: bytes, tail: bytes) -> bytes:
    """Add to the line as much as it may hold; what exceeds it goes to the tail, which is returned."""
    room = RECORD_BYTES - len(line)
    line += more[:room]
    return (tail + more[room:])[-_TAIL_BYTES:]


def _parsed(line: bytes, tail: bytes) -> Iterator[dict[str, object]]:
    if tail:
        yield _salvaged(line, tail)
    elif line.strip():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield record if isinstance(record, dict) else {"event": line.decode(errors="replace")}


def _salvaged(head: bytes, tail: bytes) -> dict[str, object]:
    """What can be told of a record of which only the two ends are there."""
    event = head[:LINE_CHARACTERS].decode(errors="replace")
    if found := _CUT_EVENT.search(head):
        event = json.loads(f'"{found[1].decode(errors="ignore")}"', strict=False)
    origin = _ORIGIN.findall(head[-_TAIL_BYTES:] + tail)
    return {"event": event} | {key.decode(): value.decode(errors="replace") for key, value in origin}


def _lines(record: dict[str, object]) -> Iterator[LogLine]:
    logger, level = str(record.get("logger") or ""), str(record.get("level") or "")
    for text in _texts(record):
        # An io.StringIO yields line by line, where str.splitlines would also split at \x0b or \u2028.
        for line in io.StringIO(text or "\n"):
            yield LogLine(_cut(line.rstrip("\r\n")), logger, level)


def _texts(record: dict[str, object]) -> Iterator[str]:
    yield str(record.get("event", ""))
    yield from _traceback(record.get("error_detail"))


def _traceback(chain: object, depth: int = 0) -> Iterator[str]:
    """An exception with those that led to it, the way Python prints them: the last one raised comes last."""
    if depth == _GROUPS_IN_GROUPS:
        return
    for position, error in reversed([*enumerate(_dicts(chain))]):
        yield "Traceback (most recent call last):"
        for frame in _dicts(error.get("frames")):
            yield f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
        yield f"{error.get('exc_type')}: {error.get('exc_value')}"
        yield from map(str, _list(error.get("exc_notes")))
        for group in _list(error.get("exceptions")):
            yield from _traceback(group, depth + 1)
        if position > 0:
            yield (
                "The above exception was the direct cause of the following exception:"
                if error.get("is_cause")
                else "During handling of the above exception, another exception occurred:"
            )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _cut(line: str) -> str:
    line = line.encode(errors="replace").decode()  # JSON can name half a character, which nobody can store
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]}…"
