"""What tests do to the fake; that it behaves as Airflow does is for test_airflow_contract.py to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import AirflowUnavailable, DagNotFound
from bot.models import DagRunState, LogLine, RunRef, Step, StepState
from tests.fakes.airflow import OWN_OUTPUT, FakeAirflow

REF = RunRef("checks", "preflight~1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def airflow() -> FakeAirflow:
    fake = FakeAirflow(clock=lambda: NOW)
    fake.add_dag("checks", tasks=["clone", "run"])
    fake.trigger(REF, {}, "a note")
    return fake


def steps(airflow: FakeAirflow) -> dict[str, Step]:
    run = airflow.look([REF])[REF]
    assert run is not None
    return {step.name: step for step in run.steps}


def test_a_step_is_tried_each_time_it_begins(airflow: FakeAirflow) -> None:
    tries = []
    for state in (StepState.RUNNING, StepState.RETRYING, StepState.RUNNING, StepState.SUCCEEDED):
        airflow.step(REF, "clone", state)
        step = steps(airflow)["clone"]
        tries.append((step.try_number, step.started_at, step.ended_at))
    assert tries == [(1, NOW, None), (1, NOW, NOW), (2, NOW, None), (2, NOW, NOW)]


def test_a_failure_ends_the_run_and_leaves_its_log(airflow: FakeAirflow) -> None:
    airflow.expand(REF, "run", 2)
    airflow.step(REF, "clone", StepState.SUCCEEDED)
    airflow.fail(REF, "run", map_index=1, log=["E501"])
    assert {name: step.state for name, step in steps(airflow).items()} == {
        "clone": StepState.SUCCEEDED,
        "run[0]": StepState.BLOCKED,
        "run[1]": StepState.FAILED,
    }
    assert [*airflow.log(REF, steps(airflow)["run[1]"])] == [LogLine("E501", OWN_OUTPUT, "info")]
    assert airflow.runs[REF].state is DagRunState.FAILED


def test_down_until_it_is_up(airflow: FakeAirflow) -> None:
    airflow.down = True
    with pytest.raises(AirflowUnavailable):
        airflow.look([REF])
    airflow.down = False
    assert airflow.look([REF])[REF]
    assert airflow.calls == {"trigger": 1, "look": 2}


def test_an_error_comes_once_and_before_the_work(airflow: FakeAirflow) -> None:
    airflow.fail_next("cancel", AirflowUnavailable("no"))
    with pytest.raises(AirflowUnavailable):
        airflow.cancel(REF)
    assert airflow.cancelled == []
    airflow.cancel(REF)
    assert airflow.cancelled == [REF]


def test_a_lost_answer_comes_after_the_work(airflow: FakeAirflow) -> None:
    airflow.lose_next_answer("cancel")
    with pytest.raises(AirflowUnavailable):
        airflow.cancel(REF)
    assert airflow.runs[REF].state is DagRunState.FAILED


def test_a_removed_dag_leaves_its_runs(airflow: FakeAirflow) -> None:
    airflow.remove_dag("checks")
    with pytest.raises(DagNotFound):
        airflow.trigger(RunRef("checks", "preflight~2"), {}, "")
    assert airflow.look([REF])[REF]
