"""Waiting: longer after each failure, never all at the same moment, never for long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.patience import SLOWEST, Pause, Turns, backoff, spread


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (7, 30), (10_000, 30)]
)
def test_tries_come_ever_later_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert backoff(failures, chance=lambda: 0.0) == seconds


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(1, 600))
def test_a_try_comes_at_most_a_quarter_earlier(failures: int, chance: float, slowest: float) -> None:
    latest = backoff(failures, slowest, chance=lambda: 0.0)
    assert 0.75 * latest <= backoff(failures, slowest, chance=lambda: chance) <= latest <= slowest


def test_those_who_failed_together_do_not_come_back_together() -> None:
    assert len({backoff(9) for _ in range(100)}) > 90
    assert len({spread(9) for _ in range(100)}) > 90


@given(st.floats(0, SLOWEST), st.floats(0, 1))
def test_nobody_comes_before_it_was_said(seconds: float, chance: float) -> None:
    assert seconds <= spread(seconds, chance=lambda: chance) <= 1.25 * seconds


def test_a_pause_runs_out_and_is_remembered_until_all_is_well() -> None:
    now = 100.0
    pause = Pause(lambda: now)
    assert (pause.left, pause.cautious) == (0.0, False)
    pause.begin(5)
    now += 2
    assert (pause.left, pause.cautious) == (3.0, True)
    now += 4
    assert (pause.left, pause.cautious) == (0.0, True)
    pause.end()
    assert (pause.left, pause.cautious) == (0.0, False)


class TestTurns:
    def test_each_has_its_own(self) -> None:
        turns = Turns(100, lambda: 0.0)
        assert [turns.after(10, 2) for _ in range(3)] == [10, 12, 14]

    def test_time_goes_by(self) -> None:
        now = 0.0
        turns = Turns(100, lambda: now)
        turns.after(10, 2)
        now = 11
        assert turns.after(0, 2) == 1
        assert turns.after(10, 2) == 10

    def test_none_waits_for_longer_than_that(self) -> None:
        turns = Turns(100, lambda: 0.0)
        assert [turns.after(10, 60) for _ in range(4)] == [10, 70, 100, 100]

    def test_unless_there_is_nothing_before(self) -> None:
        assert Turns(100, lambda: 0.0).after(3600, 2) == 3600
