"""What every Airflow behind our ports does to resume a run: the real one, and the fake of the other tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowUnavailable, DagRunNotFound
from bot.models import DagRunState, RunRef, Step, StepState
from tests.adapters.airflow_worlds import WORLDS, World, cancel, new_ref, world_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import DagRun

P, F, B, S = "succeeded", "failed", "blocked", "skipped"


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return world_of(request)


def finished(run: DagRun) -> bool:
    return run.state.finished


def trigger(world: World, dag_id: str) -> RunRef:
    ref = new_ref(dag_id)
    assert world.airflow.trigger(ref, {}, "")
    return ref


def ended(world: World, dag_id: str) -> tuple[RunRef, DagRun]:
    ref = trigger(world, dag_id)
    return ref, world.until(ref, finished)


def cancelled(world: World, dag_id: str, when: Callable[[DagRun], bool]) -> tuple[RunRef, tuple[Step, ...]]:
    """A run that was cancelled, and its steps as the bot knows them: who had passed is told by an XCom."""
    ref = trigger(world, dag_id)
    world.until(ref, when)
    cancel(world, ref)

    def known(step: Step) -> Step:
        had_passed = world.airflow.xcom(ref, step, "preflight") is not None
        return replace(step, state=StepState.SUCCEEDED) if had_passed else step

    return ref, tuple(known(step) for step in world.until(ref, finished).steps)


def story(run: DagRun) -> dict[str, str]:
    """What each step ended as, and its tries: "failed 1"."""
    return {
        step.task_id if step.map_index < 0 else f"{step.task_id}[{step.map_index}]": (
            f"{step.state.value} {step.try_number}"
        )
        for step in run.steps
    }


def all_but_one_have_passed(task_id: str) -> Callable[[DagRun], bool]:
    def happened(run: DagRun) -> bool:
        states = sorted(step.state.value for step in run.steps if step.task_id == task_id)
        return states == ["running", P, P]

    return happened


STORIES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "resume_linear": (
        {"first": f"{P} 1", "flaky": f"{F} 1", "next": f"{B} 0", "last": f"{B} 0"},
        {"first": f"{P} 1", "flaky": f"{P} 2", "next": f"{P} 1", "last": f"{P} 1"},
    ),
    "resume_mapped": (
        {
            "names": f"{P} 1", "check[0]": f"{P} 1", "check[1]": f"{F} 1", "check[2]": f"{P} 1",
            "report": f"{B} 0",
        },
        {
            "names": f"{P} 1", "check[0]": f"{P} 1", "check[1]": f"{P} 2", "check[2]": f"{P} 1",
            "report": f"{P} 1",
        },
    ),
    "resume_unmapped": (
        {"flaky_names": f"{F} 1", "one_of": f"{B} 0"},
        {"flaky_names": f"{P} 2", "one_of[0]": f"{P} 1", "one_of[1]": f"{P} 1"},
    ),
    "resume_scoped": (
        {
            "apart": f"{P} 1", "outer": f"{P} 1", "beside": f"{P} 1", "inner": f"{P} 1", "flaky": f"{F} 1",
            "end_inner": f"{P} 1", "judge": f"{P} 1", "end_outer": f"{P} 1",
        },
        {
            "apart": f"{P} 1", "outer": f"{P} 2", "beside": f"{P} 1", "inner": f"{P} 2", "flaky": f"{P} 2",
            "end_inner": f"{P} 2", "judge": f"{P} 2", "end_outer": f"{P} 2",
        },
    ),
    "resume_setup": (
        {"begin": f"{F} 1", "work": f"{B} 0", "end": f"{B} 0"},
        {"begin": f"{P} 2", "work": f"{P} 1", "end": f"{P} 1"},
    ),
    "resume_teardown": (
        {"begin": f"{P} 1", "work": f"{P} 1", "end": f"{F} 1"},
        {"begin": f"{P} 1", "work": f"{P} 1", "end": f"{P} 2"},
    ),
    "resume_branch": (
        {
            "choose": f"{P} 1", "left": f"{P} 1", "right": f"{S} 0", "join": f"{P} 1",
            "gate": f"{P} 1", "gated": f"{S} 0", "gated_end": f"{S} 0",
            "excused": f"{S} 1", "excused_end": f"{P} 1", "flaky": f"{F} 1", "last": f"{B} 0",
        },
        {
            "choose": f"{P} 1", "left": f"{P} 1", "right": f"{S} 0", "join": f"{P} 1",
            "gate": f"{P} 1", "gated": f"{S} 0", "gated_end": f"{S} 0",
            "excused": f"{S} 1", "excused_end": f"{P} 1", "flaky": f"{P} 2", "last": f"{P} 1",
        },
    ),
    "resume_timed_out": (
        {"first": f"{P} 1", "slow": f"{S} 1", "last": f"{S} 0"},
        {"first": f"{P} 1", "slow": f"{P} 2", "last": f"{P} 1"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def told(world: World) -> Mapping[str, tuple[DagRun, DagRun]]:
    """A run of each, as it ended and as it ended again, all at the same time."""
    refs = {dag_id: trigger(world, dag_id) for dag_id in STORIES}
    before = {dag_id: world.until(ref, finished) for dag_id, ref in refs.items()}
    for dag_id, ref in refs.items():
        world.airflow.resume(ref, before[dag_id].steps)
    return {dag_id: (before[dag_id], world.until(ref, finished)) for dag_id, ref in refs.items()}


class TestWhatDidNotSucceedRunsAgain:
    """And what succeeded does not, but for setups, teardowns and leaves that judge what runs again."""

    @pytest.mark.parametrize("dag_id", STORIES)
    def test_after_a_failure_or_airflows_own_timeout(
        self, told: Mapping[str, tuple[DagRun, DagRun]], dag_id: str
    ) -> None:
        run, again = told[dag_id]
        assert (story(run), story(again)) == STORIES[dag_id]
        assert again.state is DagRunState.SUCCESS

    def test_after_a_cancel_what_had_passed_stays_passed(self, world: World) -> None:
        """Airflow calls a mapped step failed that had passed, if another one of its task still ran."""
        ref, known = cancelled(world, "resume_stopped", all_but_one_have_passed("part"))
        run = world.airflow.look([ref])[ref]
        assert run is not None
        assert story(run) == {
            "begin": f"{P} 1", "names": f"{P} 1", "part[0]": f"{F} 1", "part[1]": f"{F} 1",
            "part[2]": f"{F} 1", "after": f"{S} 0", "end": f"{P} 1",
        }  # fmt: skip
        world.airflow.resume(ref, known)
        assert story(world.until(ref, finished)) == {
            "begin": f"{P} 2", "names": f"{P} 1", "part[0]": f"{P} 1", "part[1]": f"{P} 2",
            "part[2]": f"{P} 1", "after": f"{P} 1", "end": f"{P} 2",
        }  # fmt: skip

    def test_also_within_a_mapped_group(self, world: World) -> None:
        ref, known = cancelled(world, "resume_group", all_but_one_have_passed("pair.closing"))
        world.airflow.resume(ref, known)
        assert story(world.until(ref, finished)) == {
            "names": f"{P} 1",
            **{f"pair.opening[{index}]": f"{P} 1" for index in range(3)},
            **{f"pair.closing[{index}]": f"{P} {1 + (index == 1)}" for index in range(3)},
        }

    def test_where_all_had_passed_airflow_only_judges_anew(self, world: World) -> None:
        ref, run = ended(world, "contract_quick")
        world.airflow.resume(ref, run.steps)
        assert story(world.until(ref, finished)) == {"zulu": f"{P} 1", "mike": f"{P} 1", "alpha": f"{P} 1"}


class TestOnlyOnce:
    def test_a_run_that_goes_on_is_left_alone(self, world: World) -> None:
        ref = trigger(world, "contract_paused")
        before = world.airflow.look([ref])
        world.airflow.resume(ref, ())
        assert world.airflow.look([ref]) == before

    def test_one_that_was_resumed_goes_on_once(self, world: World) -> None:
        ref, run = ended(world, "resume_linear")
        for _ in range(3):
            world.airflow.resume(ref, run.steps)
        assert story(world.until(ref, finished)) == STORIES["resume_linear"][1]

    def test_nor_is_it_resumed_again_when_it_has_ended(self, world: World) -> None:
        ref, run = ended(world, "resume_linear")
        world.airflow.resume(ref, run.steps)
        again = world.until(ref, finished)
        world.airflow.resume(ref, run.steps)
        assert world.airflow.look([ref])[ref] == again

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_cut_off_anywhere_it_can_be_repeated(self, world: World, method: str) -> None:
        ref, known = cancelled(world, "resume_stopped", all_but_one_have_passed("part"))
        with (
            world.losing_an_answer_while_resuming(method) as airflow,
            pytest.raises(AirflowUnavailable),
        ):
            airflow.resume(ref, known)
        world.airflow.resume(ref, known)
        assert story(world.until(ref, finished)) == {
            "begin": f"{P} 2", "names": f"{P} 1", "part[0]": f"{P} 1", "part[1]": f"{P} 2",
            "part[2]": f"{P} 1", "after": f"{P} 1", "end": f"{P} 2",
        }  # fmt: skip

    def test_a_run_that_was_cancelled_meanwhile_can_be_resumed_again(self, world: World) -> None:
        ref, run = ended(world, "resume_linear")
        world.airflow.resume(ref, run.steps)
        cancel(world, ref)
        known = world.until(ref, finished).steps
        world.airflow.resume(ref, known)
        again = world.until(ref, finished)
        assert {step.state for step in again.steps} == {StepState.SUCCEEDED}
        assert again.steps[0].try_number == 1

    def test_a_run_that_is_not_there(self, world: World) -> None:
        with pytest.raises(DagRunNotFound):
            world.airflow.resume(new_ref("contract_quick"), ())


def test_what_is_to_run_again_waits_and_shows_no_times(world: World) -> None:
    ref, run = ended(world, "resume_scoped")
    world.airflow.resume(ref, run.steps)
    now = world.airflow.look([ref])[ref]
    assert now is not None
    waiting = [step for step in now.steps if step.state in (StepState.WAITING, StepState.RETRYING)]
    assert len(waiting) >= 4
    assert {(step.started_at, step.ended_at) for step in waiting} == {(None, None)}
