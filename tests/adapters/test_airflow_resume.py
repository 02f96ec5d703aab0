"""Which steps run again when a DAG run is resumed; for what Airflow does then see the contract suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient
from bot.adapters.airflow.graph import Graph
from bot.adapters.airflow.resume import is_resumed, passed_before, skipped_by, to_run_again
from bot.errors import DagNotFound, DagRunNotFound
from bot.models import DagRun, DagRunState, RunRef, Step, StepState
from tests.adapters.airflow_script import Asked, Said, dag_run, scripted_airflow, task_instance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAITING, SUCCEEDED, FAILED = StepState.WAITING, StepState.SUCCEEDED, StepState.FAILED
SKIPPED, BLOCKED, REMOVED = StepState.SKIPPED, StepState.BLOCKED, StepState.REMOVED
CANCELLED = StepState.CANCELLED
REF = RunRef("checks", "preflight~1")


def step(task_id: str, state: StepState, tries: int = 1, map_index: int = -1) -> Step:
    return Step(task_id, map_index, task_id, state, try_number=tries)


def over(*steps: Step, state: DagRunState = DagRunState.FAILED) -> DagRun:
    return DagRun(state, steps)


def line(*tasks: str, teardowns: Sequence[str] = ()) -> Graph:
    """Tasks, each after the one before."""
    after = dict(zip(tasks, [[task] for task in tasks[1:]] + [[]], strict=True))
    return Graph({task: frozenset(after[task]) for task in tasks}, frozenset(teardowns))


def again(
    run: DagRun, graph: Graph, known: Sequence[Step] | None = None, told: Sequence[str] = ()
) -> list[str]:
    return [one.task_id for one in to_run_again(run, run.steps if known is None else known, graph, told)]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param({"a": SUCCEEDED, "b": FAILED, "c": BLOCKED}, ["b", "c"], id="failed and blocked"),
        pytest.param({"a": SUCCEEDED, "b": FAILED, "c": SKIPPED}, ["b", "c"], id="skipped by a cancel"),
        pytest.param({"a": SKIPPED, "b": SKIPPED, "c": SKIPPED}, ["a", "b", "c"], id="never begun"),
        pytest.param({"a": SKIPPED, "b": SUCCEEDED, "c": FAILED}, ["c"], id="the run went on behind it"),
        pytest.param({"a": SUCCEEDED, "b": WAITING, "c": WAITING}, ["b", "c"], id="cut off while resuming"),
        pytest.param({"a": REMOVED, "b": FAILED, "c": BLOCKED}, ["b", "c"], id="removed"),
        pytest.param({"a": SUCCEEDED, "b": FAILED, "x": FAILED}, ["b"], id="not in the DAG any more"),
        pytest.param({"a": SUCCEEDED, "b": SUCCEEDED, "c": SUCCEEDED}, [], id="all passed"),
    ],
)
def test_what_did_not_succeed_runs_again(states: Mapping[str, StepState], expected: list[str]) -> None:
    run = over(*(step(task, state) for task, state in states.items()))
    assert again(run, line("a", "b", "c")) == expected


def test_a_teardown_that_ran_does_not_show_that_the_run_went_on() -> None:
    run = over(step("work", FAILED), step("after", SKIPPED, 0), step("end", SUCCEEDED))
    assert again(run, line("work", "after", "end", teardowns=["end"])) == ["work", "after"]


def test_what_a_branch_skips_stays_skipped() -> None:
    run = over(step("choose", SUCCEEDED), step("left", SKIPPED, 0), step("right", FAILED))
    graph = Graph({"choose": frozenset({"left", "right"}), "left": frozenset(), "right": frozenset()})
    assert again(run, graph, told=["left"]) == ["right"]


def test_what_had_passed_before_a_cancel_stays_passed() -> None:
    run = over(step("part", FAILED, map_index=0), step("part", FAILED, map_index=1))
    known = (step("part", SUCCEEDED, map_index=0), step("part", CANCELLED, map_index=1))
    assert passed_before(run, known) == [run.steps[0]]
    assert [one.map_index for one in to_run_again(run, known, line("part"), ())] == [1]


def test_a_setup_that_waits_because_a_resumption_was_cut_off_draws_nothing_with_it() -> None:
    known = (step("begin", SUCCEEDED), step("good", SUCCEEDED), step("bad", FAILED))
    run = over(step("begin", WAITING), step("good", SUCCEEDED), step("bad", WAITING))
    assert again(run, line("begin", "good", "bad"), known) == ["bad"]


@pytest.mark.parametrize(
    ("run", "known", "expected"),
    [
        pytest.param(over(step("a", FAILED)), [step("a", FAILED)], False, id="as it ended"),
        pytest.param(over(step("a", FAILED)), [], False, id="nothing known"),
        pytest.param(over(step("a", FAILED)), [step("a", CANCELLED)], False, id="cancelled"),
        pytest.param(over(step("a", FAILED, 2)), [step("a", FAILED)], True, id="tried again"),
        pytest.param(over(step("a", WAITING)), [step("a", FAILED)], False, id="cut off"),
        pytest.param(
            over(step("a", WAITING), state=DagRunState.QUEUED), [step("a", FAILED)], True, id="queued"
        ),
        pytest.param(
            over(step("a", FAILED), state=DagRunState.RUNNING), [step("a", FAILED)], True, id="running"
        ),
    ],
)
def test_whether_it_was_resumed_already(run: DagRun, known: Sequence[Step], expected: object) -> None:
    assert is_resumed(run, known) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"skipped": ["a", "b"]}, {"a", "b"}),
        ({"followed": ["a"]}, {"b"}),
        ({"followed": []}, {"a", "b"}),
        ({"skipped": [["a", 1], 3]}, set()),
        ({}, set()),
        (None, set()),
        ("a", set()),
    ],
    ids=lambda value: repr(sorted(value)) if isinstance(value, set) else repr(value),
)
def test_whom_a_branch_skips(said: object, expected: set[str]) -> None:
    assert skipped_by(said, ["a", "b"]) == expected


class TestTheCalls:
    """In the one order in which they can be cut off anywhere and repeated."""

    def asked(
        self, known: Sequence[Step], said: Mapping[str, Said] | None = None
    ) -> list[tuple[str, object]]:
        calls: list[tuple[str, object]] = []

        def answer(asked: Asked) -> Said:
            path = asked.path.rpartition("/api/v2")[2]
            if path.endswith("/list"):
                return Said(body={"task_instances": rows, "total_entries": len(rows)})
            if path.endswith("/dagRuns"):
                return Said(body={"dag_runs": [dag_run(REF.dag_run_id, state="failed")], "total_entries": 1})
            if path.endswith("/tasks"):
                return Said(body={"tasks": [task("clone", ["step"]), task("step", [])], "total_entries": 2})
            if asked.method == "GET":
                return Said(body=dag_run(REF.dag_run_id, state="failed"))
            calls.append((path.rpartition("/")[2] + asked.query.get("map_index", ""), asked.body))
            return (said or {}).get(asked.method, Said(body={"task_instances": [], "total_entries": 0}))

        rows = [
            task_instance(REF.dag_run_id, "clone", "success"),
            task_instance(REF.dag_run_id, "step", "failed", map_index=0),
            task_instance(REF.dag_run_id, "step", "failed", map_index=1),
        ]
        with scripted_airflow() as server:
            server.answer = answer
            AirflowClient(server.url, "ci-bot", "secret").resume(REF, known)
        return calls

    def test_what_failed_is_cleared_at_once(self) -> None:
        ((what, body),) = self.asked(())
        assert what == "clearTaskInstances"
        assert isinstance(body, dict)
        assert body["task_ids"] == [["step", 0], ["step", 1]]
        assert (body["dry_run"], body["only_failed"]) == (False, False)
        assert (body["include_downstream"], body["reset_dag_runs"]) == (True, True)

    def test_what_had_passed_is_called_so_before_the_run_goes_on(self) -> None:
        first, passed, last = self.asked([step("step", SUCCEEDED, map_index=0)])
        assert isinstance(first[1], dict)
        assert isinstance(last[1], dict)
        assert first[1]["task_ids"] == last[1]["task_ids"] == [["step", 1]]
        assert (first[1]["reset_dag_runs"], last[1]["reset_dag_runs"]) == (False, True)
        assert passed[0] == "step0"
        assert isinstance(passed[1], dict)
        assert passed[1]["new_state"] == "success"

    def test_a_step_that_is_called_so_already_is_fine(self) -> None:
        known = [step("step", SUCCEEDED, map_index=index) for index in (0, 1)]
        calls = self.asked(known[:1], {"PATCH": Said(409, {"detail": "already in success state"})})
        assert len(calls) == 3

    def test_a_dag_that_is_gone(self) -> None:
        with pytest.raises(DagNotFound):
            self.asked((), {"POST": Said(404, {"detail": "no such DAG"})})

    def test_a_run_that_is_gone(self) -> None:
        with scripted_airflow() as server:
            server.answer = lambda asked: (
                Said(body={"dag_runs": [], "total_entries": 0})
                if asked.path.endswith("/dagRuns")
                else Said(404, {"detail": "not found"})
            )
            with pytest.raises(DagRunNotFound):
                AirflowClient(server.url, "ci-bot", "secret").resume(REF, ())


def task(task_id: str, following: Sequence[str]) -> dict[str, object]:
    """What Airflow says of a task."""
    return {
        "task_id": task_id,
        "downstream_task_ids": list(following),
        "depends_on_past": False,
        "wait_for_downstream": False,
        "extra_links": [],
        "retry_exponential_backoff": 0,
        "trigger_rule": "all_success",
    }
