"""What is waited for in the end, and for how long."""

from __future__ import annotations

import pytest

from tests.chaos.settling import Patience, unfinished

UP = {"preflight_database_up": 1.0}
QUEUED = 'preflight_deliveries{state="queued"}'
OLDEST = 'preflight_oldest_seconds{queue="oldest_report"}'


@pytest.mark.parametrize(
    ("heard", "over"),
    [
        pytest.param(["2 wait", "1 waits", "nothing waits"], False, id="things-go-on"),
        pytest.param(["1 waits"] * 3, True, id="nothing-changes"),
        pytest.param(["queued", "working", "queued", "working"], True, id="to-and-fro"),
        pytest.param(["queued", "working", "queued", "done"], False, id="to-and-fro-and-on"),
    ],
)
def test_patience_ends_without_news(heard: list[str], *, over: bool) -> None:
    """One look a second, and patience for two seconds."""
    patience = Patience(2.0, 0.0)
    for now, state in enumerate(heard):
        patience.hear(state, float(now))
    assert patience.is_over(float(len(heard) - 1)) is over


def test_only_news_are_told() -> None:
    patience = Patience(9.0, 0.0)
    assert [patience.hear(state, 0.0) for state in ("queued", "working", "queued")] == [True, True, False]


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        pytest.param({}, ["no figures"], id="nobody-answers"),
        pytest.param({"preflight_database_up": 0.0}, ["no figures"], id="no-database"),
        pytest.param(UP | {QUEUED: 0.0, OLDEST: 0.0}, [], id="all-is-done"),
        pytest.param(UP | {QUEUED: 2.0}, [f"{QUEUED} 2"], id="deliveries-wait"),
        pytest.param(UP | {OLDEST: 3.2}, ["a report waits"], id="a-report-waits"),
        pytest.param(UP | {OLDEST: 90.7}, ["a report waits"], id="and-that-it-waits-longer-is-no-news"),
    ],
)
def test_what_is_still_to_be_done(figures: dict[str, float], said: list[str]) -> None:
    assert unfinished(figures) == said
