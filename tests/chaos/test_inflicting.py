"""Faults that do not happen are no proof: whatever breaks them off is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from tests.chaos.chaos import with_broken_off
from tests.chaos.faults import Fault
from tests.chaos.fleet import Fleet
from tests.chaos.inflicting import Infliction
from tests.chaos.living import Progress

if TYPE_CHECKING:
    from pathlib import Path

SURVIVES = TimeoutError("These processes survive SIGKILL: [1].")
KILLED, DROPPED = Fault(1, "worker killed", 1.0, 0), Fault(2, "delivery dropped", 1.0, 0)
MIGRATED, FROZEN = Fault(1, "migrate", 1.0, 0), Fault(2, "worker frozen", 3.0, 0)


def inflict(world: MagicMock, *plan: Fault) -> Infliction:
    """All acts have happened already."""
    world.fleet.workers.return_value = ["worker-1", "worker-2"]
    world.airflow.trouble.waits.return_value = False
    progress = Progress()
    progress.end()
    infliction = Infliction(world, lambda _: None)
    infliction.run(plan, progress)
    infliction.end(hurry=True)
    return infliction


def test_all_of_the_plan_is_inflicted() -> None:
    infliction = inflict(MagicMock(), KILLED, MIGRATED, FROZEN, DROPPED)
    assert [fault for _, fault in infliction.inflicted] == [KILLED, MIGRATED, FROZEN, DROPPED]
    assert infliction.broke_off == []


@pytest.mark.parametrize(
    ("broken", "plan", "told"),
    [
        pytest.param(
            "kill",
            (KILLED, DROPPED),
            f"the faults broke off, 1 of 2 were begun: TimeoutError: {SURVIVES}",
            id="the-first-of-two",
        ),
        pytest.param(
            "by_hand",
            (MIGRATED, DROPPED),
            f"the faults broke off: TimeoutError: {SURVIVES}",
            id="one-that-lasts",
        ),
    ],
)
def test_what_breaks_them_off_is_told(broken: str, plan: tuple[Fault, ...], told: str) -> None:
    world = MagicMock()
    getattr(world.fleet, broken).side_effect = SURVIVES
    assert inflict(world, *plan).broke_off == [told]


def test_that_is_a_violation_beside_the_others() -> None:
    found: dict[str, Any] = {"": (["1 deliveries are parked"], None), "home-0/app#1": (["..."], None)}
    assert with_broken_off(found, []) == found
    assert with_broken_off(found, ["broken"]) == {
        "": (["broken", "1 deliveries are parked"], None),
        "home-0/app#1": (["..."], None),
    }
    assert with_broken_off({}, ["broken"]) == {"": (["broken"], None)}


def test_what_survives_its_kill_is_still_there(tmp_path: Path) -> None:
    supervisor = MagicMock()
    supervisor.kill.side_effect = SURVIVES
    fleet = Fleet({}, supervisor, tmp_path)
    fleet.begin("worker-1")
    with pytest.raises(TimeoutError):
        fleet.kill("worker-1")
    assert fleet.workers() == ["worker-1"]
