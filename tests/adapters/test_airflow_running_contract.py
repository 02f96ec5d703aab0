"""Whether a try of a step runs, as every Airflow behind our ports tells it: the real one, and the fake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowLoginRefused, AirflowUnavailable
from bot.models import RunRef, StepState
from tests.adapters.airflow_worlds import WORLDS, World, cancel, new_ref, world_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.models import DagRun


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return world_of(request)


def state(run: DagRun, task_id: str) -> StepState:
    return next(step.state for step in run.steps if step.task_id == task_id)


@pytest.fixture(scope="module")
def slow(world: World) -> Iterator[RunRef]:
    """A run of which `sleeping` runs, `stubborn` waits for its second try, and the rest waits."""
    ref = new_ref("contract_slow")
    world.airflow.trigger(ref, {}, "")
    wanted = {"sleeping": StepState.RUNNING, "stubborn": StepState.RETRYING}
    world.until(ref, lambda run: all(state(run, name) is there for name, there in wanted.items()))
    yield ref
    cancel(world, ref)


def test_a_step_that_runs_does(world: World, slow: RunRef) -> None:
    assert world.airflow.is_running(slow, "sleeping", 1)


@pytest.mark.parametrize(
    ("task_id", "try_number"),
    [
        pytest.param("sleeping", 0, id="a-try-before"),
        pytest.param("sleeping", 2, id="a-try-to-come"),
        pytest.param("stubborn", 1, id="one-that-is-over"),
        pytest.param("stubborn", 2, id="one-that-waits"),
        pytest.param("planned", 1, id="one-that-never-began"),
        pytest.param("later", 1, id="one-that-is-not-expanded-yet"),
        pytest.param("nosuch", 1, id="no-step-at-all"),
        pytest.param("..", 1, id="another-address"),
        pytest.param("sleeping/links", 1, id="an-address-below"),
        pytest.param("sleeping?a=b", 1, id="a-query"),
    ],
)
def test_nothing_else_does(world: World, slow: RunRef, task_id: str, try_number: int) -> None:
    assert not world.airflow.is_running(slow, task_id, try_number)


def test_nor_does_one_of_a_run_that_is_not_there(world: World) -> None:
    assert not world.airflow.is_running(new_ref("contract_slow"), "sleeping", 1)


def test_nor_in_a_dag_that_is_not_there(world: World, slow: RunRef) -> None:
    assert not world.airflow.is_running(RunRef("contract_nosuch", slow.dag_run_id), "sleeping", 1)


def test_nor_do_mapped_ones_which_their_id_does_not_tell_apart(world: World) -> None:
    ref = new_ref("contract_mapped")
    world.airflow.trigger(ref, {"names": ["good"]}, "")
    world.until(ref, lambda run: run.state.finished)
    assert not world.airflow.is_running(ref, "check", 1)


def test_nor_does_one_that_was_cancelled(world: World) -> None:
    ref = new_ref("contract_slow")
    world.airflow.trigger(ref, {}, "")
    world.until(ref, lambda run: state(run, "sleeping") is StepState.RUNNING)
    cancel(world, ref)
    assert not world.airflow.is_running(ref, "sleeping", 1)


def test_an_airflow_that_does_not_answer(world: World, slow: RunRef) -> None:
    with pytest.raises(AirflowUnavailable):
        world.unreachable().is_running(slow, "sleeping", 1)


def test_a_login_that_does_not_work(world: World, slow: RunRef) -> None:
    with pytest.raises(AirflowLoginRefused):
        world.with_wrong_password().is_running(slow, "sleeping", 1)
