"""Comparing what people read with files; `UPDATE_SNAPSHOTS=1 pytest tests/stories` writes them anew."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

HERE = Path(__file__).parent / "snapshots"

_VARYING = (
    (re.compile(r"<!-- preflight: in place of \d+ -->\n"), ""),  # whether there was one depends on the pace
    (re.compile(r"(?<=/runs/)preflight~[\w.~%-]+"), "DAG_RUN_ID"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://HOST"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "RUN_ID"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "SHA"),
    (re.compile(r"`[0-9a-f]{7}`"), "`SHA`"),
    (re.compile(r"(?<=/ok-to-test )[0-9a-f]{12}"), "SHA12"),
    (re.compile(r"(?<=pr-logs/pull/)[\w.-]+"), "REPOSITORY"),
    (re.compile(r"(?:\bunder )?\b(?:\d+m ?)?\d+(?:\.\d+)?s\b"), "TIME"),
)


def assert_reads(name: str, text: str) -> None:
    """The text equals the file of that name, but for ids, commits, durations and our own address."""
    for pattern, placeholder in _VARYING:
        text = pattern.sub(placeholder, text)
    text = f"{text.rstrip()}\n"
    path = HERE / name
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.is_file(), f"there is no {path.name}: run with UPDATE_SNAPSHOTS=1, then read what it wrote"
    known = path.read_text()
    changes = difflib.unified_diff(known.splitlines(), text.splitlines(), path.name, "now", lineterm="")
    assert text == known, "\n".join(changes)
