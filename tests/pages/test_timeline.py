"""Steps as bars."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import StepState
from bot.pages.timeline import SCALE, THINNEST, Bar, timeline
from tests.examples import at
from tests.pages.showing import step


def test_bars_lie_where_the_steps_lay() -> None:
    first = step("clone", started_at=at(10), ended_at=at(20))
    second = step("test", started_at=at(20), ended_at=at(110))
    found = timeline([first, second], at(500))
    assert found.bars[first.key] == Bar(0, 100, "ended after 10s")
    assert found.bars[second.key] == Bar(100, 900, "began after 10s, ended after 1m40s")
    assert found.length == "1m40s"


def test_a_running_step_s_bar_grows() -> None:
    done = step("clone", started_at=at(0), ended_at=at(50))
    running = step("test", StepState.RUNNING, started_at=at(50), ended_at=None)
    assert timeline([done, running], at(100)).bars[running.key].width == 500
    assert timeline([done, running], at(200)).bars[running.key].width == 750


def test_a_step_that_did_not_begin_has_none() -> None:
    waiting = step("test", StepState.WAITING, started_at=None)
    assert timeline([waiting], at(9)).bars == {}
    assert timeline([], at(9)).length == ""


@pytest.mark.parametrize("end", [0, -30], ids=["at once", "before it began"])
def test_a_moment_is_a_bar_too(end: float) -> None:
    one = step("clone", started_at=at(0), ended_at=at(end))
    assert timeline([one], at(0)).bars[one.key].width >= THINNEST


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-100, 10**6)), min_size=1, max_size=20))
def test_no_bar_leaves_the_scale(spans: list[tuple[int, int]]) -> None:
    steps = [
        step(f"s{index}", started_at=at(start), ended_at=at(start) + timedelta(seconds=took))
        for index, (start, took) in enumerate(spans)
    ]
    for bar in timeline(steps, at(0)).bars.values():
        assert bar.start >= 0
        assert bar.width >= THINNEST
        assert bar.start + bar.width <= SCALE
