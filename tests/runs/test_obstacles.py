"""Why a run in Airflow does not go on, from what Airflow says of itself and of the DAG."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import Conditions, DagCondition, DagRun, DagRunState, Pool, Step, StepState
from bot.runs.obstacles import obstacle, stands_still
from tests.examples import NOON, at, run

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT = {"default_pool": Pool(128, 100)}
WELL = DagCondition(
    most_runs=16,
    pools={"clone": "default_pool", "build": "gpu", "test": "default_pool"},
    before={"clone": frozenset(), "build": frozenset({"clone"}), "test": frozenset({"build"})},
)


def step(name: str, state: StepState, began: float | None = None, ended: float | None = None) -> Step:
    first, last = (None if seconds is None else at(seconds) for seconds in (began, ended))
    return Step(name, -1, name, state, int(began is not None), first, last)


CLONED = step("clone", StepState.SUCCEEDED, 1, 10)
BUILD, TEST = step("build", StepState.WAITING), step("test", StepState.WAITING)
BETWEEN = DagRun(DagRunState.RUNNING, (CLONED, BUILD, TEST), at(0))
QUEUED = DagRun(DagRunState.QUEUED, (step("clone", StepState.WAITING), BUILD, TEST))
RESCHEDULED = DagRun(DagRunState.RUNNING, (step("clone", StepState.RUNNING, 1, 4), BUILD, TEST), at(0))


class TestStandingStill:
    @pytest.mark.parametrize(
        ("there", "since"),
        [
            pytest.param(BETWEEN, 10, id="between two steps"),
            pytest.param(QUEUED, 0, id="queued"),
            pytest.param(RESCHEDULED, 4, id="its step looks again later"),
            pytest.param(replace(BETWEEN, started_at=at(30)), 30, id="begun late"),
        ],
    )
    def test_is_a_minute_without_progress(self, there: DagRun, since: float) -> None:
        assert not stands_still(run(), there, at(since + 59))
        assert stands_still(run(), there, at(since + 60))

    @pytest.mark.parametrize(
        "there",
        [
            pytest.param(replace(BETWEEN, state=DagRunState.FAILED), id="ended"),
            pytest.param(
                DagRun(DagRunState.RUNNING, (step("clone", StepState.RUNNING, 1), BUILD)), id="at work"
            ),
        ],
    )
    def test_is_not(self, there: DagRun) -> None:
        assert not stands_still(run(), there, at(10**6))

    def test_counts_from_when_it_was_let_go_on(self) -> None:
        assert not stands_still(replace(run(), resumed_at=at(1000)), BETWEEN, at(1030))


def said(there: DagRun, dag: DagCondition | None, now: datetime = NOON, **conditions: object) -> str:
    known = replace(Conditions(pools=DEFAULT), dags={} if dag is None else {"checks": dag}, **conditions)  # type: ignore[arg-type] # of a table
    return obstacle(run(), there, known, now)


@pytest.mark.parametrize(
    "there", [BETWEEN, QUEUED, RESCHEDULED], ids=["between steps", "queued", "rescheduled"]
)
@pytest.mark.parametrize(
    ("dag", "why"),
    [
        pytest.param(
            replace(WELL, paused=True), "waits: DAG 'checks' is paused: unpause it in Airflow", id="paused"
        ),
        pytest.param(
            DagCondition(gone=True),
            "waits: DAG 'checks' is gone from Airflow: deploy its file again",
            id="gone",
        ),
        pytest.param(
            replace(WELL, import_error=True),
            "waits: DAG 'checks' can't be imported any more: see Airflow's import errors",
            id="broken",
        ),
        pytest.param(
            replace(WELL, import_error=True, paused=True),
            "waits: DAG 'checks' can't be imported any more: see Airflow's import errors",
            id="broken and paused",
        ),
    ],
)
def test_a_dag_that_can_not_run(there: DagRun, dag: DagCondition, why: str) -> None:
    assert said(there, dag) == why


@pytest.mark.parametrize("there", [BETWEEN, QUEUED], ids=["between steps", "queued"])
def test_a_scheduler_that_is_down(there: DagRun) -> None:
    why = "waits: Airflow's scheduler has not been heard of since 12:00 UTC: start it"
    assert said(there, WELL, at(60), scheduler_silent_since=NOON) == why
    assert said(there, None, at(60), scheduler_silent_since=NOON) == why, "whatever is known of the DAG"


def test_a_queued_run_waits_for_others_of_its_dag() -> None:
    assert said(QUEUED, WELL) == "waits for its turn in Airflow, which runs 16 of DAG 'checks' at once"
    assert said(QUEUED, replace(WELL, most_runs=None)) == ""


@pytest.mark.parametrize(
    ("pools", "why"),
    [
        pytest.param(
            DEFAULT,
            "waits: step 'build' needs pool 'gpu', which does not exist: create it in Airflow",
            id="missing",
        ),
        pytest.param(
            DEFAULT | {"gpu": Pool(2, 0)}, "waits for a place in pool 'gpu' (2 of 2 taken)", id="full"
        ),
        pytest.param(
            DEFAULT | {"gpu": Pool(2, -1)},
            "waits for a place in pool 'gpu' (3 of 2 taken)",
            id="made smaller",
        ),
        pytest.param(
            DEFAULT | {"gpu": Pool(0, 0)},
            "waits for pool 'gpu', which has no slots: give it some in Airflow",
            id="without slots",
        ),
        pytest.param(
            DEFAULT | {"gpu": Pool(2, 1)}, "waits for a worker of Airflow to start step 'build'", id="a place"
        ),
        pytest.param(
            DEFAULT | {"gpu": Pool(-1, -1)},
            "waits for a worker of Airflow to start step 'build'",
            id="no limit",
        ),
        pytest.param({}, "waits for a worker of Airflow to start step 'build'", id="unknown"),
    ],
)  # fmt: skip
def test_a_step_and_its_pool(pools: dict[str, Pool], why: str) -> None:
    assert said(BETWEEN, WELL, pools=pools) == why


def test_only_what_could_start_waits_for_a_pool() -> None:
    """That `build` will want a pool that is not there does not keep `clone` from starting."""
    there = replace(QUEUED, state=DagRunState.RUNNING)
    assert said(there, WELL) == "waits for a worker of Airflow to start step 'clone'"


def test_what_has_to_be_mended_comes_first() -> None:
    dag = replace(WELL, pools={"clone": "default_pool", "build": "gpu"}, before={})
    there = DagRun(DagRunState.RUNNING, (step("clone", StepState.WAITING), BUILD), at(0))
    full = {"default_pool": Pool(1, 0)}
    assert said(there, dag, pools=full).startswith("waits: step 'build' needs pool 'gpu'")


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(DagRun(DagRunState.RUNNING, (), at(0)), id="no steps yet"),
        pytest.param(
            DagRun(DagRunState.RUNNING, (step("clone", StepState.RETRYING, 1, 9), BUILD)), id="retry"
        ),
        pytest.param(RESCHEDULED, id="looks again later"),
    ],
)
def test_nothing_is_said_where_nothing_is_known(there: DagRun) -> None:
    assert said(there, WELL) == ""
    assert said(BETWEEN, None) == ""
