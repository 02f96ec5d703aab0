"""The bot's own client takes the quick Airflow for Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient
from bot.models import DagRunState, RunRef, StepState
from bot.policy.configuration import check_dags, parse
from tests.bench.eight_steps import STEPS, configuration
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.sleeping_run import DAG, SleepingRun
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

REF = RunRef(DAG, "preflight~here~acme~app~1~unit~0123456789ab~1")


@pytest.fixture
def airflow() -> Iterator[QuickAirflow]:
    quick = QuickAirflow("http://127.0.0.1:9/nudge", "a secret")
    yield quick
    quick.close()


@pytest.fixture
def client(airflow: QuickAirflow) -> AirflowClient:
    return AirflowClient(airflow.url, airflow.username, airflow.password)


def test_it_takes_the_pipeline_of_eight_steps(client: AirflowClient) -> None:
    pipelines = parse(configuration(60).encode())
    check_dags(pipelines, client.dag)
    steps = pipelines.pipelines["unit"].params["steps"]
    assert isinstance(steps, dict)
    assert len(steps) == STEPS


def test_a_run_sleeps_and_is_green(client: AirflowClient) -> None:
    conf = {"steps": {"lint": "sleep 0", "test": "sleep 0.01"}}

    assert client.trigger(REF, conf, "")
    assert not client.trigger(REF, conf, "")
    assert client.conf(REF) == conf
    wait_for(lambda: (run := client.look([REF])[REF]) is not None and run.state is DagRunState.SUCCESS)

    run = client.look([REF])[REF]
    assert run is not None
    assert [step.name for step in run.steps] == ["clone", "lint", "test"]
    assert {step.state for step in run.steps} == {StepState.SUCCEEDED}
    assert run.started_at is not None
    assert run.ended_at is not None
    xcom = client.xcom(REF, run.steps[2], "preflight")
    assert isinstance(xcom, dict)
    assert (xcom["exit_code"], xcom["reproduce"]) == (0, "sleep 0.01")


def test_a_run_that_is_not_there_is_none(client: AirflowClient) -> None:
    assert client.look([REF]) == {REF: None}


def test_steps_are_told_as_time_passes() -> None:
    run = SleepingRun.begin(REF.dag_run_id, {"steps": {"short": "sleep 10", "long": "sleep 30"}}, 1000.0)

    def states(now: float) -> list[tuple[str | None, str | None]]:
        return [
            (each["rendered_map_index"] or each["task_id"], each["state"]) for each in run.as_instances(now)
        ]

    assert states(1000.5) == [("clone", "running"), ("step", None)]
    assert states(1001) == [("clone", "success"), ("short", "running"), ("long", "running")]
    assert states(1011) == [("clone", "success"), ("short", "success"), ("long", "running")]
    assert (run.as_dag_run(1030.9)["state"], run.as_dag_run(1031)["state"]) == ("running", "success")
    assert [at for at, _ in run.hints()] == [1000, 1000, 1001, 1001, 1011, 1001, 1031, 1031]


def test_it_runs_nothing_but_sleeps() -> None:
    with pytest.raises(ValueError, match="only sleeping"):
        SleepingRun.begin(REF.dag_run_id, {"steps": {"x": "rm -rf /"}}, 0.0)
