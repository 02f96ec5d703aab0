from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import Outcome, Phase, Run, StatusState, StepState
from bot.report.statuses.estimate import estimate
from bot.report.statuses.status import describe_run
from tests.report.examples import NOON, at, failed, passed, run, step

STEPS = (
    *(passed(f"step-{index}", 0, 1) for index in range(3)),
    *(step(f"step-{index}", StepState.RUNNING) for index in range(3, 8)),
)
RUNNING = replace(run("unit", *STEPS), started_at=NOON)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "about 5 min left"),
        (60, "about 4 min left"),
        (100, "about 3 min left"),
        (239, "about 1 min left"),
        (241, "less than a minute left"),
        (300, "less than a minute left"),
        (330, "less than a minute left"),
        (331, "longer than usual"),
        (100_000, "longer than usual"),
    ],
)
def test_of_five_minutes(seconds: float, said: str) -> None:
    assert estimate(RUNNING, 300, at(seconds)) == said


@pytest.mark.parametrize(
    ("usual", "said"),
    [
        (5, "less than a minute left"),
        (600, "about 10 min left"),
        (1_000, "about 15 min left"),
        (3_500, "about 1 h left"),
        (3_600, "about 1 h left"),
        (6_000, "about 1 h 45 min left"),
        (30_000, "about 8 h left"),
    ],
)
def test_the_longer_the_coarser(usual: float, said: str) -> None:
    assert estimate(RUNNING, usual, NOON) == said


@pytest.mark.parametrize(
    ("shown", "usual"),
    [
        pytest.param(RUNNING, None, id="without history"),
        pytest.param(replace(RUNNING, started_at=None), 300, id="before it began"),
        pytest.param(replace(RUNNING, phase=Phase.WANTED), 300, id="before Airflow has it"),
        pytest.param(replace(RUNNING, resumed_at=at(5)), 300, id="of a part"),
        pytest.param(replace(RUNNING, phase=Phase.FINISHED, outcome=Outcome.SUCCESS), 300, id="at the end"),
    ],
)
def test_nothing_is_guessed(shown: Run, usual: float | None) -> None:
    assert estimate(shown, usual, at(60)) == ""


def test_a_status_tells_how_far_it_is_and_how_long_it_takes() -> None:
    assert describe_run(RUNNING, at(60), 300) == (StatusState.PENDING, "3/8 steps, about 4 min left")
    assert describe_run(RUNNING, at(900), 300) == (StatusState.PENDING, "3/8 steps, longer than usual")


def test_and_what_failed_already() -> None:
    trouble = replace(RUNNING, steps=(failed("lint"), *STEPS))
    assert describe_run(trouble, at(60), 300)[1] == "lint failed; 3/9 steps, about 4 min left"


def test_an_hour_is_told_in_few_words() -> None:
    words = [estimate(RUNNING, 3600, at(second)) for second in range(3600)]
    assert len(set(words)) < 25
    assert "" not in words
