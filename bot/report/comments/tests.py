"""The tests of a step: those that failed, with what they say and where, and those that are flaky."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import FlakyTest
from bot.prose import code, listing, plain
from bot.report import texts
from bot.report.comments.source import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, Step, TestFailure, TestResults
    from bot.report.comments.rows import Row

MESSAGE_LIMIT = 200
_NOTES = 3
_FLAKY = 5


def failing_tests(run: Run, step: Step, flaky: Sequence[FlakyTest], most: int) -> list[str]:
    """Blocks of Markdown: how many tests of the failed step failed, at most so many of them, the notes."""
    tests = step.result.tests if step.result else None
    if tests is None:
        return []
    return [*_failures(run, step, tests, flaky, most), *unread(tests)]


def unread(tests: TestResults) -> list[str]:
    """A line about JUnit files that could not be read."""
    return [texts.unread_tests(listing([plain(note) for note in tests.notes], _NOTES))] if tests.notes else []


def counted(tests: TestResults) -> str:
    """How many tests there were, and failed: plain text, empty where there were none."""
    if tests.failed:
        return texts.tests_failed(tests.failed, tests.total)
    return texts.tests_passed(tests.total, tests.skipped) if tests.total else ""


def flaky_line(rows: Sequence[Row]) -> str:
    """One quiet line about the flaky tests that no failed step's list names, empty without one."""
    said = [
        _flaky_name(test, row) for row in rows for test in _flaky_tests(row) if test.name not in _listed(row)
    ]
    return texts.flaky(listing(said, _FLAKY)) if said else ""


def _failures(run: Run, step: Step, tests: TestResults, flaky: Sequence[FlakyTest], most: int) -> list[str]:
    if not tests.failed:
        return [texts.no_test_failed(tests.total, all_read=tests.complete)] if tests.total else []
    known = {test.name: test for test in flaky if test.step in (step.name, step.task_id)}
    shown = tests.failures[:most]
    items = [_item(run, failure, known.get(failure.name)) for failure in shown]
    missing = tests.failed - len(shown)
    if items and missing > 0:
        items.append(f"- {texts.more_tests(missing)}")
    said = texts.tests_failed(tests.failed, tests.total)
    return [f"{said}:", "\n".join(items)] if items else [f"{said}."]


def _item(run: Run, failure: TestFailure, flaky: FlakyTest | None) -> str:
    where = place(run, failure.file, failure.line)
    name = code(failure.name) + (f" ({where})" if where else "")
    message = f": {code(failure.message, MESSAGE_LIMIT)}" if failure.message.strip() else ""
    return f"- {name}{message}" + (f" (flaky: {_often(flaky)})" if flaky else "")


def _flaky_tests(row: Row) -> list[FlakyTest]:
    """Those that earlier runs prove, then those that failed and passed within a step of this run."""
    steps = row.run.steps if row.run else ()
    within = [
        FlakyTest(step.name, name, 0, 0)
        for step in steps
        if step.result and step.result.tests
        for name in step.result.tests.flaky
    ]
    return list({test.name: test for test in (*within, *row.past.flaky)}.values())


def _listed(row: Row) -> set[str]:
    """The tests that are told of as failures."""
    return {
        failure.name
        for step in row.failed_steps
        if step.result and step.result.tests
        for failure in step.result.tests.failures
    }


def _flaky_name(test: FlakyTest, row: Row) -> str:
    return f"{texts.within(code(test.name), code(row.name))} ({_often(test)})"


def _often(test: FlakyTest) -> str:
    return texts.flakiness(test.failed, test.runs) if test.runs else texts.FLAKY_WITHIN
