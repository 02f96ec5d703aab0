"""What changed since the last run of this pull request: what is fixed, and what fails newly.

Each finished run is compared with the one that its context showed before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Outcome, StepState
from bot.prose import code, listing
from bot.report import texts
from bot.report.comments.rows import failed, step_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.models import Run, Step, TestResults
    from bot.report.comments.rows import Row

NAMED_PIPELINES = 5
NAMED_TESTS = 3

_RED = (Outcome.FAILURE, Outcome.TIMED_OUT)


def changes(rows: Sequence[Row]) -> str:
    """One line of Markdown, empty where nothing changed or there was no run before."""
    fixed = _said(rows, _fixed)
    failing = _said(rows, _newly_failing)
    return " ".join(
        [*([texts.fixed(fixed)] if fixed else []), *([texts.newly_failing(failing)] if failing else [])]
    )


def _said(rows: Sequence[Row], find: Callable[[Run, Run], Sequence[str] | None]) -> str:
    """Whole pipelines first, then steps and tests of the others."""
    whole: list[str] = []
    parts: list[str] = []
    for row in rows:
        run, before = row.run, row.past.before
        found = None if run is None or before is None else find(run, before)
        if found:
            names = [code(name) for name in found]
            parts.append(texts.within(listing(names, NAMED_TESTS), code(row.name)))
        elif found is not None:
            whole.append(code(row.name))
    return "; ".join(
        [
            *([listing(whole, NAMED_PIPELINES)] if whole else []),
            *([listing(parts, NAMED_PIPELINES)] if parts else []),
        ]
    )


def _fixed(run: Run, before: Run) -> Sequence[str] | None:
    """The steps and tests that are fixed; empty for the whole pipeline, None for nothing."""
    if before.outcome not in _RED:
        return None
    if run.outcome is Outcome.SUCCESS:
        return []
    if run.outcome not in _RED:
        return None
    states = {step_name(step): step.state for step in run.steps}
    results = _results(run)
    steps = [
        step_name(step) for step in failed(before.steps) if states.get(step_name(step)) is StepState.SUCCEEDED
    ]
    tests = [
        name
        for step, earlier in _results(before).items()
        if step not in steps and step in results and results[step].complete
        for name in _names(earlier)
        if name not in _names(results[step])
    ]
    return [*steps, *tests] or None


def _newly_failing(run: Run, before: Run) -> Sequence[str] | None:
    """The steps and tests that fail newly; empty for the whole pipeline, None for nothing."""
    if run.outcome not in _RED:
        return None
    if before.outcome is Outcome.SUCCESS:
        tested = any(_names(_results(run).get(step_name(step))) for step in failed(run.steps))
        return [name for step in failed(run.steps) for name in _why(step)] if tested else []
    if before.outcome not in _RED:
        return None
    failed_before = {step_name(step) for step in failed(before.steps)}
    earlier = _results(before)
    found: list[str] = []
    for step in failed(run.steps):
        name = step_name(step)
        if name not in failed_before:
            found += _why(step)
        elif name in earlier and earlier[name].complete:
            known = _names(earlier[name])
            found += [test for test in _names(_results(run).get(name)) if test not in known]
    return found or None


def _why(step: Step) -> list[str]:
    """The step's failing tests, or the step where no test is named."""
    tests = step.result.tests if step.result else None
    return list(_names(tests)) or [step_name(step)]


def _results(run: Run) -> dict[str, TestResults]:
    return {step_name(step): step.result.tests for step in run.steps if step.result and step.result.tests}


def _names(tests: TestResults | None) -> dict[str, None]:
    """The names of the failing tests, each once, in their order."""
    return dict.fromkeys(failure.name for failure in tests.failures) if tests else {}
