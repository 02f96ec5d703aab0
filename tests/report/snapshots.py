"""Comparing with files that a person can read; `UPDATE_SNAPSHOTS=1 pytest tests/report` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent


def assert_is_snapshot(name: str, text: str) -> None:
    """The text equals the file of that name (below tests/report), character by character."""
    path = HERE / name
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(text)
    assert path.is_file(), f"there is no {path.name}: run with UPDATE_SNAPSHOTS=1, then read what it wrote"
    assert text == path.read_text()
