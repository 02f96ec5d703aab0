"""What a log holds beside what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.logs.noise import in_repository

COPY = "/tmp/preflight-step-s4d2jzlr/preflight-bgmw55ws/source/"  # noqa: S108 - a line of a log


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (f'  File "{COPY}tests/test_a.py", line 8', '  File "tests/test_a.py", line 8'),
        (f"{COPY}a.c:3:1: error: x", "a.c:3:1: error: x"),
        (f"cp {COPY}a {COPY}b", "cp a b"),
        (f"at ({COPY}src/app.ts:10:5)", "at (src/app.ts:10:5)"),
        ("/home/alice/source/a.py", "/home/alice/source/a.py"),
        ("/preflight-x/source/a.py", "/preflight-x/source/a.py"),
        ("", ""),
    ],
)
def test_files_are_named_as_the_repository_has_them(line: str, seen: str) -> None:
    assert in_repository(line) == seen


@given(st.text(), st.text())
def test_the_rest_of_a_line_stays(before: str, after: str) -> None:
    line = f"{before} {COPY}{after}"
    if "/preflight-" not in before + after:
        assert in_repository(line) == f"{before} {after}"


def test_a_hostile_line_takes_no_time() -> None:
    assert len(in_repository("/a" * 30_000 + "/preflight-aaaaaaaa/source/" * 1_000)) <= 60_000
