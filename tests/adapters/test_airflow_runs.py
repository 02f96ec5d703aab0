from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow_client.client.models.task_instance_state import TaskInstanceState

from bot.adapters.airflow import AirflowClient, runs
from bot.adapters.airflow.steps import STEP_STATES
from bot.errors import AirflowUnavailable
from bot.models import DagRunState, RunRef, StepState
from tests.adapters.airflow_script import (
    Asked,
    Said,
    dag_run,
    scripted_airflow,
    task_instance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lists:
    """The lists that `look` reads, served in pages. `cap` is the greatest page that Airflow gives."""

    def __init__(self) -> None:
        self.runs: list[dict[str, object]] = []
        self.instances: list[dict[str, object]] = []
        self.cap = 100
        self.asked: list[str] = []
        self.by_name: dict[str, Said] = {}

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked.path.rpartition("/api/v2")[2])
        if asked.path.endswith("/tasks"):
            return Said(404, {"detail": "not found"})
        if asked.path.endswith("/taskInstances/list"):
            page = self._page(
                self.instances, int(str(asked.body["page_offset"])), int(str(asked.body["page_limit"]))
            )
            return Said(body={"task_instances": page, "total_entries": len(self.instances)})
        if asked.path.endswith("/dags/~/dagRuns"):
            hidden = self._page(self.runs, int(asked.query["offset"]), int(asked.query["limit"]))
            return Said(body={"dag_runs": hidden, "total_entries": len(self.runs)})
        return self.by_name.get(asked.path.rpartition("/")[2], Said(404, {"detail": "not found"}))

    def _page(self, rows: list[dict[str, object]], offset: int, limit: int) -> list[dict[str, object]]:
        return rows[offset : offset + min(limit, self.cap)]


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def airflow(lists: Lists) -> Iterator[AirflowClient]:
    with scripted_airflow() as server:
        server.answer = lists.answer
        yield AirflowClient(server.url, "ci-bot", "secret")


def refs(count: int) -> list[RunRef]:
    return [
        RunRef("checks", f"preflight~main~acme~app~{number}~unit~0123456789ab~1") for number in range(count)
    ]


def test_pages_are_read_to_their_end_however_small(airflow: AirflowClient, lists: Lists) -> None:
    wanted = refs(10)
    lists.cap = 7
    lists.runs = [dag_run(ref.dag_run_id) for ref in wanted]
    lists.instances = [
        task_instance(ref.dag_run_id, task, "success") for ref in wanted for task in ("a", "b", "c")
    ]
    found = airflow.look(wanted)
    assert [len(run.steps) for run in found.values() if run] == [3] * 10


def test_many_runs_are_read_in_parts(airflow: AirflowClient, lists: Lists) -> None:
    wanted = refs(120)
    lists.runs = [dag_run(ref.dag_run_id) for ref in wanted]
    lists.instances = [task_instance(ref.dag_run_id, "a", "success") for ref in wanted]
    found = airflow.look(wanted)
    assert list(found) == wanted
    assert all(run and len(run.steps) == 1 for run in found.values())


def test_a_url_stays_shorter_than_proxies_allow(lists: Lists) -> None:
    lengths: list[int] = []
    with scripted_airflow() as server:

        def answer(asked: Asked) -> Said:
            lengths.append(sum(len(value) for value in asked.query.values()))
            return lists.answer(asked)

        server.answer = answer
        wanted = [RunRef("checks", f"{'a+' * 100}~{number}") for number in range(60)]
        lists.runs = [dag_run(ref.dag_run_id) for ref in wanted]
        assert None not in AirflowClient(server.url, "ci-bot", "secret").look(wanted).values()
    assert max(lengths) < runs.QUERY_CHARACTERS + 500


def test_a_run_is_gone_only_if_airflow_says_so_by_name(airflow: AirflowClient, lists: Lists) -> None:
    (hidden, gone) = refs(2)

    lists.by_name[hidden.dag_run_id] = Said(body=dag_run(hidden.dag_run_id, state="success"))
    found = airflow.look([hidden, gone])
    assert found[gone] is None
    run = found[hidden]
    assert run is not None
    assert run.state is DagRunState.SUCCESS


def test_runs_are_read_before_their_steps(airflow: AirflowClient, lists: Lists) -> None:
    (ref,) = refs(1)
    lists.runs = [dag_run(ref.dag_run_id)]
    lists.instances = [task_instance(ref.dag_run_id, "a", "success")]
    airflow.look([ref])
    assert lists.asked == ["/dags/~/dagRuns", "/dags/~/dagRuns/~/taskInstances/list", "/dags/checks/tasks"]
    lists.asked.clear()
    airflow.look([ref])
    assert lists.asked == ["/dags/~/dagRuns", "/dags/~/dagRuns/~/taskInstances/list"]


class TestAListThatShiftsBetweenPages:
    @pytest.fixture
    def shifting(self, lists: Lists) -> Iterator[tuple[AirflowClient, list[int]]]:
        """A first task instance that is retried, and so moves to the end, as often as the list says."""
        (ref,) = refs(1)
        shifts = [0]
        lists.cap = 2
        lists.runs = [dag_run(ref.dag_run_id)]
        lists.instances = [task_instance(ref.dag_run_id, task, "running") for task in "abcd"]
        with scripted_airflow() as server:

            def answer(asked: Asked) -> Said:
                said = lists.answer(asked)
                if asked.body.get("page_offset") == 0 and shifts[0]:
                    shifts[0] -= 1
                    lists.instances.append(lists.instances.pop(0))
                return said

            server.answer = answer
            yield AirflowClient(server.url, "ci-bot", "secret"), shifts

    def test_is_read_again(self, shifting: tuple[AirflowClient, list[int]]) -> None:
        airflow, shifts = shifting
        shifts[0] = 1
        (run,) = airflow.look(refs(1)).values()
        assert run is not None
        assert {step.task_id for step in run.steps} == {*"abcd"}

    def test_is_not_believed_if_it_never_stands_still(
        self, shifting: tuple[AirflowClient, list[int]]
    ) -> None:
        airflow, shifts = shifting
        shifts[0] = 100
        with pytest.raises(AirflowUnavailable, match="changed faster"):
            airflow.look(refs(1))


@pytest.mark.parametrize(
    ("state", "try_number", "expected"),
    [
        (None, 0, StepState.WAITING),
        ("scheduled", 1, StepState.WAITING),
        ("queued", 1, StepState.WAITING),
        ("queued", 2, StepState.RETRYING),
        ("scheduled", 3, StepState.RETRYING),
        ("awaiting_input", 1, StepState.WAITING),
        ("running", 2, StepState.RUNNING),
        ("deferred", 1, StepState.RUNNING),
        ("up_for_reschedule", 1, StepState.RUNNING),
        ("up_for_retry", 1, StepState.RETRYING),
        ("restarting", 1, StepState.RETRYING),
        ("success", 1, StepState.SUCCEEDED),
        ("failed", 1, StepState.FAILED),
        ("upstream_failed", 0, StepState.BLOCKED),
        ("skipped", 0, StepState.SKIPPED),
        ("removed", 0, StepState.REMOVED),
    ],
)
def test_states(
    airflow: AirflowClient, lists: Lists, state: str | None, try_number: int, expected: StepState
) -> None:
    (ref,) = refs(1)
    lists.runs = [dag_run(ref.dag_run_id)]
    lists.instances = [task_instance(ref.dag_run_id, "a", state, try_number=try_number)]
    (run,) = airflow.look([ref]).values()
    assert run is not None
    assert run.steps[0].state is expected


def test_every_state_that_airflow_has_is_known() -> None:
    assert set(STEP_STATES) == {*TaskInstanceState, None}


@pytest.mark.parametrize(
    ("map_index", "rendered", "name"),
    [
        (-1, None, "lint"),
        (0, None, "lint[0]"),
        (3, "3", "lint[3]"),
        (3, "", "lint[3]"),
        (3, "ruff ✅", "ruff ✅"),
    ],
)
def test_names(airflow: AirflowClient, lists: Lists, map_index: int, rendered: str | None, name: str) -> None:
    (ref,) = refs(1)
    lists.runs = [dag_run(ref.dag_run_id)]
    lists.instances = [
        task_instance(ref.dag_run_id, "lint", "success", map_index=map_index, rendered_map_index=rendered)
    ]
    (run,) = airflow.look([ref]).values()
    assert run is not None
    assert run.steps[0].name == name


def test_tasks_that_the_dag_does_not_know_come_as_they_started(airflow: AirflowClient, lists: Lists) -> None:
    (ref,) = refs(1)
    lists.runs = [dag_run(ref.dag_run_id)]
    lists.instances = [
        task_instance(ref.dag_run_id, "waiting", None, try_number=0),
        task_instance(ref.dag_run_id, "second", "running", start_date="2026-01-01T00:00:02Z"),
        task_instance(ref.dag_run_id, "third", "running", start_date="2026-01-01T00:00:02Z"),
        task_instance(ref.dag_run_id, "first", "success", start_date="2026-01-01T00:00:01Z"),
    ]
    (run,) = airflow.look([ref]).values()
    assert run is not None
    assert [step.task_id for step in run.steps] == ["first", "second", "third", "waiting"]
