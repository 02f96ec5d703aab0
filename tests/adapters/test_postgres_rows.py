"""Rows to dataclasses and back: whatever was written is read again."""

from __future__ import annotations

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.postgres.rows import rules_from, rules_to, step_from, step_to
from bot.models import Limit, LogMatcher, Rules, Step, StepResult, StepState, TestFailure, TestResults

texts = st.text(max_size=20)
times = st.none() | st.datetimes(timezones=st.just(UTC))
seconds = st.none() | st.floats(0, 1e9)
rules = st.builds(
    Rules,
    timeout=st.floats(0, 1e9),
    optional=st.booleans(),
    supersede=st.booleans(),
    needs=st.lists(texts, max_size=3).map(tuple),
    limits=st.lists(st.builds(Limit, texts, st.integers(0)), max_size=3).map(tuple),
    matchers=st.lists(
        st.builds(LogMatcher, texts, texts, st.integers(0, 9), st.integers(0, 9)), max_size=2
    ).map(tuple),
)
failures = st.builds(TestFailure, texts, texts, texts, st.none() | st.integers(1), seconds)
tests = st.builds(
    TestResults,
    total=st.integers(0, 10**9),
    failed=st.integers(0, 10**9),
    skipped=st.integers(0, 10**9),
    seconds=seconds,
    failures=st.lists(failures, max_size=3).map(tuple),
    flaky=st.lists(texts, max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)
results = st.builds(
    StepResult,
    exit_code=st.none() | st.integers(),
    reason=texts,
    reproduce=texts,
    argv=texts,
    tests=st.none() | tests,
    artifacts=st.integers(0, 10**9),
    dropped=texts,
)
steps = st.builds(
    Step,
    task_id=texts,
    map_index=st.integers(-1, 1000),
    name=texts,
    state=st.sampled_from(StepState),
    try_number=st.integers(0, 100),
    started_at=times,
    ended_at=times,
    result=st.none() | results,
    excerpt=st.none() | st.lists(texts, max_size=3).map(tuple),
)

OF_BEFORE = {
    "task_id": "run",
    "map_index": 0,
    "name": "lint",
    "state": "failed",
    "try_number": 1,
    "started_at": None,
    "ended_at": None,
    "result": {"exit_code": 1, "reason": "exit 1", "reproduce": "ruff check .", "argv": "ruff"},
    "excerpt": ["E501"],
}
"""A step as the version before wrote it."""


@given(rules)
def test_rules(these: Rules) -> None:
    assert rules_from(json.loads(json.dumps(rules_to(these)))) == these


def test_rules_of_a_version_that_knew_none() -> None:
    assert rules_from({}) == Rules()


def test_rules_of_a_version_that_knew_no_matchers() -> None:
    before = {"timeout": 60.0, "optional": True, "supersede": True, "needs": [], "limits": []}
    assert rules_from(before) == Rules(timeout=60.0, optional=True)


def test_rules_of_a_version_in_which_a_run_might_never_end() -> None:
    before = {"timeout": None, "optional": False, "supersede": True, "needs": (), "limits": ()}
    assert rules_from(before) == Rules(timeout=86_400)


@given(steps)
def test_steps(step: Step) -> None:
    assert step_from(json.loads(json.dumps(step_to(step)))) == step


def test_a_step_of_a_version_that_knew_no_tests() -> None:
    assert step_from(OF_BEFORE).result == StepResult(1, "exit 1", "ruff check .", "ruff")


@given(steps)
def test_the_version_before_finds_what_it_looks_for(step: Step) -> None:
    """It takes every key of a result as a field that it knows."""
    written = step_to(step)
    assert written.keys() >= OF_BEFORE.keys()
    assert written["result"] is None or written["result"].keys() == OF_BEFORE["result"].keys()  # type: ignore[attr-defined]  # JSON
