"""A run as people may see it: all that strangers, steps and their tests wrote, without secrets.

Whatever is rendered from a redacted run needs no further care for secrets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.report.logs.command import shown_command
from bot.report.logs.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Past, Run, Step, StepResult, TestFailure, TestResults


def redacted_run(run: Run, secrets: Sequence[str] = ()) -> Run:
    """The run with no secret in any text that reports show; commands become what may be copied."""
    return replace(
        run,
        cancel=None if run.cancel is None else redact(run.cancel, secrets),
        note=redact(run.note, secrets),
        reason=redact(run.reason, secrets),
        steps=tuple(_step(step, secrets) for step in run.steps),
    )


def redacted_past(past: Past, secrets: Sequence[str] = ()) -> Past:
    """What came before, likewise: so that tests compare by the names that are shown."""
    return replace(
        past,
        before=None if past.before is None else redacted_run(past.before, secrets),
        flaky=tuple(
            replace(test, step=redact(test.step, secrets), name=redact(test.name, secrets))
            for test in past.flaky
        ),
    )


def _step(step: Step, secrets: Sequence[str]) -> Step:
    excerpt = step.excerpt
    return replace(
        step,
        name=redact(step.name, secrets),
        result=None if step.result is None else _result(step.result, secrets),
        excerpt=tuple(redact("\n".join(excerpt), secrets).split("\n")) if excerpt else excerpt,
    )


def _result(result: StepResult, secrets: Sequence[str]) -> StepResult:
    return replace(
        result,
        reason=redact(result.reason, secrets),
        reproduce=shown_command(result.reproduce, secrets),
        argv=shown_command(result.argv, secrets),
        tests=None if result.tests is None else _tests(result.tests, secrets),
        dropped=redact(result.dropped, secrets),
    )


def _tests(tests: TestResults, secrets: Sequence[str]) -> TestResults:
    return replace(
        tests,
        failures=tuple(_failure(failure, secrets) for failure in tests.failures),
        flaky=tuple(redact(name, secrets) for name in tests.flaky),
        notes=tuple(redact(note, secrets) for note in tests.notes),
    )


def _failure(failure: TestFailure, secrets: Sequence[str]) -> TestFailure:
    return replace(
        failure,
        name=redact(failure.name, secrets),
        message=redact(failure.message, secrets),
        file=redact(failure.file, secrets),
    )
