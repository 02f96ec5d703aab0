"""Why runs stand still, as every Airflow behind our ports tells it: the real one, and the fake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowUnavailable
from bot.models import DagRunState, StepState
from bot.runs.obstacles import obstacle, stands_still
from tests.adapters.airflow_worlds import WORLDS, World, cancel, new_ref, world_of
from tests.examples import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.models import DagRun, RunRef

POOL = "nobody made this pool"


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return world_of(request)


@pytest.fixture(scope="module")
def stuck(world: World) -> Iterator[RunRef]:
    """A run whose second step waits for a pool that nobody made."""
    ref = new_ref("contract_stuck")
    world.airflow.trigger(ref, {}, "")
    world.until(ref, lambda there: there.steps[0].state is StepState.SUCCEEDED)
    yield ref
    cancel(world, ref)


def there(world: World, ref: RunRef) -> DagRun:
    found = world.airflow.look([ref])[ref]
    assert found is not None
    return found


def test_all_parts_are_well(world: World) -> None:
    known = world.airflow.conditions(["contract_quick"])
    assert known.scheduler_silent_since is None
    pool = known.pools["default_pool"]
    assert pool.slots == 128
    assert 0 <= pool.free <= 128
    dag = known.dags["contract_quick"]
    assert (dag.paused, dag.gone, dag.import_error, dag.most_runs) == (False, False, False, 16)
    assert dag.pools == dict.fromkeys(["zulu", "mike", "alpha"], "default_pool")
    assert dag.before == {"zulu": frozenset(), "mike": {"zulu"}, "alpha": {"mike"}}


def test_a_paused_dag_and_one_that_is_not_there(world: World) -> None:
    dags = world.airflow.conditions(["contract_paused", "contract_nowhere", "contract_stuck"]).dags
    assert dags["contract_paused"].paused
    assert dags["contract_nowhere"].gone
    assert dags["contract_stuck"].most_runs == 3
    assert not dags["contract_stuck"].gone


def test_a_pool_that_nobody_made(world: World, stuck: RunRef) -> None:
    one, now = run(dag_id=stuck.dag_id), datetime.now(UTC) + timedelta(minutes=1)
    found = there(world, stuck)
    assert found.state is DagRunState.RUNNING
    assert stands_still(one, found, now)
    known = world.airflow.conditions([stuck.dag_id])
    assert known.dags[stuck.dag_id].pools["stuck"] == POOL
    assert POOL not in known.pools
    assert obstacle(one, found, known, now) == (
        f"waits: step 'stuck' needs pool '{POOL}', which does not exist: create it in Airflow"
    )


def test_while_airflow_is_down_nothing_is_known(world: World) -> None:
    with pytest.raises(AirflowUnavailable):
        world.unreachable().conditions(["contract_quick"])
