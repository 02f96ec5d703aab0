"""What a step's XCom says, read as the word of a program that may run anybody's code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from bot.models import StepResult, TestFailure, TestResults

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 2_000
MAX_COMMAND = 16 * 1024  # a dry run shows the exact commands
MAX_NAME = 500
MAX_FAILURES = 100
MAX_COUNT = 10**9
MAX_NOTES = 10
DEEPEST = 4  # the XCom, its tests, their list, a test
MOST_KEYS = 50
LOOKED_AT = 64 * 1024  # characters of a text


def read_result(value: object, redact: Callable[[str], str] = str) -> StepResult:
    """The result in a `preflight` XCom; an empty one of a DAG of another kind, or of a killed process.

    Its texts are redacted before anything is cut, so that no part of a secret stays.
    """
    value = _redacted(value, redact, DEEPEST)
    if not isinstance(value, Mapping):
        return StepResult()
    artifacts = value.get("artifacts")
    kept = artifacts if isinstance(artifacts, Mapping) else {}
    return StepResult(
        exit_code=_exit_code(value.get("exit_code")),
        reason=_text(value.get("reason")),
        reproduce=_text(value.get("reproduce"), MAX_COMMAND),
        argv=_text(value.get("argv"), MAX_COMMAND),
        tests=_tests(value.get("tests")),
        artifacts=_count(kept.get("kept")),
        dropped=_text(kept.get("dropped")),
    )


def _redacted(value: object, redact: Callable[[str], str], depth: int) -> object:
    """The JSON value with all that may be used of its texts redacted."""
    if isinstance(value, str):
        return redact(value[:LOOKED_AT])
    if isinstance(value, Mapping) and depth:
        return {key: _redacted(one, redact, depth - 1) for key, one in islice(value.items(), MOST_KEYS)}
    if isinstance(value, list) and depth:
        return [_redacted(one, redact, depth - 1) for one in value[:MAX_FAILURES]]
    return value


def _tests(value: object) -> TestResults | None:
    """Counts that fit together: no more tests failed or were skipped than there are."""
    if not isinstance(value, Mapping):
        return None
    failures = _failures(value.get("failures"))
    failed = max(_count(value.get("failed")), len(failures))
    skipped = _count(value.get("skipped"))
    return TestResults(
        total=max(_count(value.get("total")), failed + skipped),
        failed=failed,
        skipped=skipped,
        seconds=_seconds(value.get("seconds")),
        failures=failures,
        flaky=tuple(_names(value.get("flaky"), MAX_FAILURES, MAX_NAME)),
        notes=tuple(_names(value.get("notes"), MAX_NOTES, MAX_TEXT)),
    )


def _failures(value: object) -> tuple[TestFailure, ...]:
    """The tests that failed, each name once."""
    by_name: dict[str, TestFailure] = {}
    for one in _items(value, MAX_FAILURES):
        if failure := _failure(one):
            by_name.setdefault(failure.name, failure)
    return tuple(by_name.values())


def _failure(value: object) -> TestFailure | None:
    """A test that failed, None for one without a name."""
    if not isinstance(value, Mapping):
        return None
    name = _text(value.get("name"), MAX_NAME)
    if not name.strip():
        return None
    return TestFailure(
        name=name,
        message=_text(value.get("message")),
        file=_text(value.get("file"), MAX_NAME),
        line=_count(value.get("line")) or None,
        seconds=_seconds(value.get("seconds")),
    )


def _names(value: object, most: int, longest: int) -> list[str]:
    return [text for one in _items(value, most) if (text := _text(one, longest))]


def _items(value: object, most: int) -> list[object]:
    return value[:most] if isinstance(value, list) else []


def _text(value: object, most: int = MAX_TEXT) -> str:
    return value[:most] if isinstance(value, str) else ""


def _exit_code(value: object) -> int | None:
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MAX_COUNT else None
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_COUNT else 0


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MAX_COUNT and math.isfinite(value) else None
