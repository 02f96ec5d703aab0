from __future__ import annotations

import pytest

from bot.report.duration import about, coarse, human, seconds_between
from tests.report.examples import NOON, at


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "under 1s"),
        (0.9, "under 1s"),
        (1, "1s"),
        (42.7, "42s"),
        (60, "1m"),
        (80, "1m20s"),
        (61, "1m01s"),
        (720, "12m"),
        (3600, "1h"),
        (3900, "1h05m"),
        (86_399, "23h59m"),
        (86_400, "1d"),
        (183_600, "2d3h"),
    ],
)
def test_a_finished_duration(seconds: float, said: str) -> None:
    assert human(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, ""), (19, ""), (20, "20s"), (85, "1m20s"), (179, "2m"), (610, "10m"), (3700, "1h"), (30_000, "8h")],
)
def test_a_growing_duration_is_rounded_down(seconds: float, said: str) -> None:
    assert coarse(seconds) == said


def test_a_growing_duration_changes_rarely() -> None:
    words = [coarse(seconds) for seconds in range(6 * 3600)]
    assert len(set(words)) < 50
    first_minute = set(words[:60])
    assert first_minute == {"", "20s", "40s"}


def test_between_moments() -> None:
    assert seconds_between(NOON, at(5)) == 5
    assert seconds_between(at(5), NOON) == 0, "clocks that disagree make no negative time"
    assert seconds_between(None, NOON) is None
    assert seconds_between(NOON, None) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "about 1 min"),
        (100, "about 2 min"),
        (570, "about 10 min"),
        (700, "about 10 min"),
        (3599, "about 1 h"),
        (3600, "about 1 h"),
        (5000, "about 1 h 30 min"),
        (7 * 3600, "about 7 h"),
        (100 * 3600, "about 100 h"),
    ],
)
def test_a_guess_is_no_more_exact_than_it_can_be(seconds: float, said: str) -> None:
    assert about(seconds) == said
