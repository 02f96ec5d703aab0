"""What a step's tests said, as its run's page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.report import texts
from bot.report.comments.rows import step_name
from bot.report.comments.source import file_url
from bot.report.duration import human

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import FlakyTest, Run, Step, TestFailure
    from bot.pages.text import Cleaner


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A test that failed: `place` is its file and line, `address` shows them on GitHub, where known."""

    name: str
    message: str
    place: str
    address: str
    took: str


@dataclass(frozen=True, slots=True)
class StepTests:
    """The tests of one step. `more` failed ones are not named."""

    step: str
    total: int
    passed: int
    failed: int
    skipped: int
    took: str
    failures: Sequence[FailedTest]
    more: int
    flaky: Sequence[str]
    notes: Sequence[str]

    @property
    def summary(self) -> str:
        """In a few words: "2 failed, 118 passed, 3 skipped"."""
        parts = ((self.failed, "failed"), (self.passed, "passed"), (self.skipped, "skipped"))
        return ", ".join(f"{number:,} {word}" for number, word in parts if number) or "no tests"


def tests_of(run: Run, step: Step, clean: Cleaner) -> StepTests | None:
    """The step's tests; None where it left no results."""
    results = step.result.tests if step.result else None
    if results is None:
        return None
    return StepTests(
        step=clean.line(step_name(step)),
        total=results.total,
        passed=max(0, results.total - results.failed - results.skipped),
        failed=results.failed,
        skipped=results.skipped,
        took="" if results.seconds is None else human(results.seconds),
        failures=[_failed(run, failure, clean) for failure in results.failures],
        more=max(0, results.failed - len(results.failures)),
        flaky=[clean.line(name) for name in results.flaky],
        notes=[clean.line(note) for note in results.notes],
    )


def flaky_text(test: FlakyTest, clean: Cleaner) -> str:
    """What is known of a test that passed and failed at the same commit."""
    return (
        f"{clean.line(test.name)} (step {clean.line(test.step)}): {texts.flakiness(test.failed, test.runs)}"
    )


def _failed(run: Run, failure: TestFailure, clean: Cleaner) -> FailedTest:
    line = "" if failure.line is None else f":{failure.line}"
    return FailedTest(
        name=clean.line(failure.name),
        message=clean.block(failure.message),
        place=f"{clean.line(failure.file)}{line}" if failure.file else "",
        address=file_url(run, failure.file, failure.line),
        took="" if failure.seconds is None else human(failure.seconds),
    )
