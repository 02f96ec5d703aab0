"""Keeps the XCom `preflight` small enough for Airflow: what is long gives way first, counts stay true."""

import json
from collections.abc import Iterator
from typing import Any

MAX_XCOM_BYTES = 48 * 1024
_MESSAGES = (200, 100, 40)
_FAILURES = (60, 30, 10, 3, 0)
_COMMANDS = (4_000, 500)


def bounded(described: dict[str, Any]) -> dict[str, Any]:
    """Return the XCom with as much as fits: messages are cut, then failures left out, then commands cut."""
    for smaller in _smaller(described):
        if len(json.dumps(smaller)) < MAX_XCOM_BYTES:
            return smaller
    return {**described, "tests": None, "argv": "", "reproduce": None}


def _smaller(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield described
    tests = described["tests"]
    if tests:
        for most in _MESSAGES:
            tests = {**tests, "failures": [_short(failure, most) for failure in tests["failures"]]}
            yield {**described, "tests": tests}
        for most in _FAILURES:
            tests = {**tests, "failures": tests["failures"][:most], "flaky": tests["flaky"][:most]}
            yield {**described, "tests": tests}
    for most in _COMMANDS:
        cut = {key: _elided(described[key], most) for key in ("argv", "reproduce")}
        yield {**described, "tests": tests, **cut}


def _short(failure: dict[str, Any], most: int) -> dict[str, Any]:
    return {**failure, "message": _elided(failure["message"], most)}


def _elided(text: str | None, most: int) -> str | None:
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"
