"""How long a run may take, waiting included."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import CancelKind, Outcome, Phase, Rules
from bot.runs.timeout import in_time, seconds_left
from tests.examples import NOON, at, run

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Run

LIMITED = replace(run(created_at=NOON), rules=Rules(timeout=1800))


def test_counts_from_when_it_was_asked_for() -> None:
    assert seconds_left(LIMITED, at(60)) == 1740


def test_ends_after_a_day_where_nobody_said_anything_else() -> None:
    assert seconds_left(run(created_at=NOON), at(0)) == 86_400


def test_counts_anew_when_it_is_resumed() -> None:
    assert seconds_left(replace(LIMITED, resumed_at=at(7200)), at(7260)) == 1740


@pytest.mark.parametrize(
    "free",
    [
        pytest.param(replace(LIMITED, cancel="by rita"), id="asked to stop already"),
        pytest.param(replace(LIMITED, phase=Phase.FINISHED, outcome=Outcome.SUCCESS), id="finished"),
    ],
)
def test_does_not_concern_every_run(free: Run) -> None:
    assert seconds_left(free, at(10**6)) is None
    assert in_time(free, at(10**6)) is free


@pytest.mark.parametrize("now", [NOON, at(1799)])
def test_a_run_in_time_is_left_alone(now: datetime) -> None:
    assert in_time(LIMITED, now) is LIMITED


@pytest.mark.parametrize("now", [at(1800), at(10**6)])
def test_one_whose_time_is_over_is_asked_to_stop(now: datetime) -> None:
    late = in_time(LIMITED, now)
    assert (late.cancel, late.cancel_kind) == ("timed out after 30m", CancelKind.TIMEOUT)


@pytest.mark.parametrize(
    ("note", "silent_since", "said"),
    [
        pytest.param("", None, "timed out after 30m", id="it ran"),
        pytest.param(
            "waits: DAG 'x' is paused: unpause it in Airflow",
            None,
            "timed out after 30m: DAG 'x' is paused: unpause it in Airflow",
            id="something in Airflow kept it",
        ),
        pytest.param(
            "waits for a place in pool 'gpu' (2 of 2 taken)",
            None,
            "timed out after 30m: still waits for a place in pool 'gpu' (2 of 2 taken)",
            id="no place",
        ),
        pytest.param(
            "queued: 2 ahead", None, "timed out after 30m: still queued: 2 ahead", id="not its turn"
        ),
        pytest.param("waits for unit", None, "timed out after 30m: still waits for unit", id="a need"),
        pytest.param(
            "waiting for Airflow",
            at(60),
            "timed out after 30m: Airflow did not answer since 12:01 UTC",
            id="Airflow was away",
        ),
        pytest.param(
            "waiting for Airflow",
            at(-86_400),
            "timed out after 30m: Airflow did not answer since 2026-03-03 12:00 UTC",
            id="for long",
        ),
        pytest.param(
            "waiting for Airflow",
            None,
            "timed out after 30m: Airflow does not answer",
            id="who knows since when",
        ),
        pytest.param(
            "waiting for Airflow, which refuses our login: its operator has to look",
            None,
            "timed out after 30m: Airflow refuses our login: its operator has to look",
            id="our login",
        ),
    ],
)
def test_says_what_it_waited_for(note: str, silent_since: datetime | None, said: str) -> None:
    assert in_time(replace(LIMITED, note=note), at(1800), silent_since).cancel == said


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(1, "1s"), (90, "1m30s"), (3600, "1h"), (5400, "1h30m"), (86_400, "24h"), (0.25, "0.25s")],
)
def test_says_after_how_long(seconds: float, written: str) -> None:
    late = in_time(replace(LIMITED, rules=Rules(timeout=seconds)), at(10**6))
    assert late.cancel == f"timed out after {written}"
