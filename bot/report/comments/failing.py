"""What fails at a head, by names that can be remembered: so that people are told of what newly fails."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.models import PREFIX, CommentPolicy, Outcome, Phase, StatusState, StepState
from bot.prose import one_line
from bot.report import texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from bot.models import PullView, Run, Verdict

LONGEST_NAME = 100
MOST_TESTS = 200
"""Tests that are remembered one by one; of more, only that there are many."""

_MANY = "*"
_FAILED = (Outcome.FAILURE, Outcome.ERROR, Outcome.TIMED_OUT)
_FAILED_STATES = (StatusState.FAILURE, StatusState.ERROR)


def stands_in_the_way(verdict: Verdict) -> bool:
    """Whether it failed, or is about to, and is held against the pull request."""
    run = verdict.run
    if run is None:
        return verdict.status is not None and verdict.status.state in _FAILED_STATES
    if run.rules.optional:
        return False
    return run.outcome in _FAILED if run.outcome else _is_failing(run)


def failing(view: PullView) -> frozenset[str]:
    """Names of what fails, such as "unit" and "unit: test_x"; as bounded as the configuration is.

    What was not run because something else failed is not among them.
    """
    names: set[str] = set()
    for verdict in _told(view):
        if stands_in_the_way(verdict) and not _is_consequence(verdict):
            pipeline = _name(verdict)
            names |= {pipeline, *(_within(pipeline, test) for test in _tests(verdict.run))}
    return bounded(names)


def bounded(names: AbstractSet[str]) -> frozenset[str]:
    """The names of what fails; of too many tests only that there are many in their pipelines."""
    if len(names) <= MOST_TESTS:
        return frozenset(names)
    tests = {name for name in names if any(name.startswith(f"{other}: ") for other in names)}
    if len(tests) <= MOST_TESTS:
        return frozenset(names)
    pipelines = names - tests
    with_tests = (name for name in pipelines if any(test.startswith(f"{name}: ") for test in tests))
    return frozenset({*pipelines, *(_within(name, _MANY) for name in with_tests)})


def newly_failing(now: frozenset[str], before: frozenset[str]) -> frozenset[str]:
    """What fails now and did not before; where many tests of a pipeline did, none of its tests is new."""
    many = tuple(name.removesuffix(_MANY) for name in before if name.endswith(f": {_MANY}"))
    return frozenset(name for name in now - before if not (many and name.startswith(many)))


def still_failing(before: frozenset[str], view: PullView) -> frozenset[str]:
    """What fails and is no news, and of what failed before all that was not run to its end again."""
    now = failing(view)
    proven = tuple(_name(verdict) for verdict in _told(view) if _has_ended(verdict))
    unproven = {
        name for name in before if not any(name == proof or name.startswith(f"{proof}: ") for proof in proven)
    }
    return bounded((now - newly_failing(now, before)) | unproven)


def _told(view: PullView) -> Iterable[Verdict]:
    """What the comment tells of."""
    if view.report.comment is CommentPolicy.OFF:
        return [verdict for verdict in view.verdicts if not verdict.pipeline]
    return view.verdicts


def _is_failing(run: Run) -> bool:
    """Whether a step of an unfinished run failed, unless it is about to run again or is not to blame.

    It counts once its result was read: its tests are part of the same news.
    """
    if run.cancel is not None or run.phase is not Phase.ACTIVE:
        return False
    return any(step.state is StepState.FAILED and step.result is not None for step in run.steps)


def _is_consequence(verdict: Verdict) -> bool:
    run = verdict.run
    return run is not None and run.outcome is Outcome.ERROR and run.reason.startswith(texts.NOT_STARTED)


def _has_ended(verdict: Verdict) -> bool:
    if verdict.run is not None:
        return verdict.run.outcome in (Outcome.SUCCESS, *_FAILED)
    return verdict.status is not None and verdict.status.state is not StatusState.PENDING


def _tests(run: Run | None) -> list[str]:
    """The failing tests of the failed steps; of a step that names only some of them, that they are many."""
    found: list[str] = []
    for step in run.steps if run else ():
        tests = step.result.tests if step.state is StepState.FAILED and step.result else None
        if tests is not None:
            named = len(tests.failures) >= tests.failed
            found += [failure.name for failure in tests.failures] if named else [_MANY]
    return found


def _name(verdict: Verdict) -> str:
    return _short(verdict.context.removeprefix(PREFIX) if verdict.pipeline else verdict.context)


def _within(pipeline: str, test: str) -> str:
    return f"{pipeline}: {_short(test)}"


def _short(name: str) -> str:
    """On one line, and cut where it is long; told apart by a hash then."""
    flat = one_line(name)
    if len(flat) <= LONGEST_NAME:
        return flat
    digest = hashlib.sha256(flat.encode()).hexdigest()[:12]
    return f"{flat[: LONGEST_NAME - 13]}…{digest}"
