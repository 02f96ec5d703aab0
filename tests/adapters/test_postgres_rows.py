"""Rows to dataclasses and back: whatever was written is read again."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.postgres.rows import rules_from, rules_to, step_from, step_to
from bot.models import Limit, Rules, Step, StepResult, StepState

texts = st.text(max_size=20)
times = st.none() | st.datetimes(timezones=st.timezones())
rules = st.builds(
    Rules,
    timeout=st.none() | st.floats(0, 1e9),
    optional=st.booleans(),
    supersede=st.booleans(),
    needs=st.lists(texts, max_size=3).map(tuple),
    limits=st.lists(st.builds(Limit, texts, st.integers(0)), max_size=3).map(tuple),
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
    result=st.none() | st.builds(StepResult, st.none() | st.integers(), texts, texts, texts),
    excerpt=st.none() | st.lists(texts, max_size=3).map(tuple),
)


@given(rules)
def test_rules(these: Rules) -> None:
    assert rules_from(json.loads(json.dumps(rules_to(these)))) == these


def test_rules_of_a_version_that_knew_none() -> None:
    assert rules_from({}) == Rules()


@given(steps)
def test_steps(step: Step) -> None:
    assert step_from(json.loads(json.dumps(step_to(step)))) == step
