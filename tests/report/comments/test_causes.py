"""Why a step failed, in words."""

from __future__ import annotations

import pytest

from bot.models import StepResult, StepState
from bot.report.comments.causes import cause
from tests.report.examples import step


@pytest.mark.parametrize(
    ("reason", "code", "log", "said"),
    [
        pytest.param("exit 1 after 42s", 1, "", "exit 1 after 42s", id="as the step says"),
        pytest.param("timed out after 30m", None, "", "timed out after 30m", id="a timeout"),
        pytest.param("", 3, "", "exit 3", id="only its exit code"),
        pytest.param("", -15, "", "killed by signal 15", id="only its signal"),
        pytest.param("", None, "", "no exit code is known", id="nothing"),
        pytest.param(
            "killed by SIGKILL after 3m",
            -9,
            "",
            "killed by SIGKILL after 3m (perhaps out of memory)",
            id="killed",
        ),
        pytest.param(
            "exit 137 (SIGKILL) after 3m",
            137,
            "java.lang.OutOfMemoryError: Java heap space",
            "out of memory: exit 137 (SIGKILL) after 3m",
            id="killed, and its log says why",
        ),
        pytest.param(
            "exit 134 after 3m",
            134,
            "FATAL ERROR: JavaScript heap out of memory",
            "exit 134 after 3m (perhaps out of memory)",
            id="its log speaks of memory",
        ),
        pytest.param(
            "out of memory: killed", -9, "MemoryError", "out of memory: killed", id="it knows itself"
        ),
    ],
)
def test_a_failed_steps(reason: str, code: int | None, log: str, said: str) -> None:
    result = StepResult(exit_code=code, reason=reason)
    assert cause(step("test", StepState.FAILED, result=result, excerpt=(log,) if log else None)) == said


def test_one_that_left_nothing() -> None:
    assert cause(step("test", StepState.FAILED)) == "no exit code is known"
