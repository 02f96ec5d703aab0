"""How Airflow is asked why runs stand still: in few calls, at most once a minute, and with whatever role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.adapters.airflow import AirflowClient
from bot.errors import AirflowUnavailable
from bot.models import Conditions, DagCondition, Pool
from tests.adapters.airflow_script import Asked, Said, details, scripted_airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARD = "2026-03-04T12:00:00.25+00:00"
AT = datetime(2026, 3, 4, 12, 0, 0, 250_000, UTC)
TASKS = [
    {"task_id": "clone", "downstream_task_ids": ["build"], "pool": "default_pool"},
    {"task_id": "build", "downstream_task_ids": [], "pool": "gpu"},
]
TASK = {
    "trigger_rule": "all_success",
    "depends_on_past": False,
    "extra_links": [],
    "retry_exponential_backoff": 0,
    "wait_for_downstream": False,
}


def pool(name: str, slots: int = 2, free: int = 0) -> dict[str, object]:
    return {
        "name": name,
        "slots": slots,
        "open_slots": free,
        "occupied_slots": 0,
        "running_slots": 0,
        "queued_slots": 0,
        "scheduled_slots": 0,
        "deferred_slots": 0,
        "include_deferred": False,
    }


class Around:
    """What Airflow says of itself; `forbidden` are the ends of paths that our role may not see."""

    def __init__(self) -> None:
        self.scheduler: dict[str, object] = {"status": "healthy", "latest_scheduler_heartbeat": HEARD}
        self.pools = [pool("default_pool", 128, 100)]
        self.dags = {"checks": details(max_active_runs=16)}
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.down = False
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> Said:
        path = asked.path.rpartition("/api/v2")[2]
        self.asked.append(path)
        if self.down:
            return Said(502, {"detail": "bad gateway"})
        if any(path.endswith(end) for end in self.forbidden):
            return Said(403, {"detail": "Forbidden"})
        return self.say(path, asked)

    def say(self, path: str, asked: Asked) -> Said:
        if path == "/monitor/health":
            nobody = {"status": None}
            return Said(body={"metadatabase": nobody, "scheduler": self.scheduler, "triggerer": nobody})
        if path == "/pools":
            first = int(asked.query["offset"])
            return Said(body={"pools": self.pools[first : first + 100], "total_entries": len(self.pools)})
        if path == "/dags":
            prefixes = tuple(asked.query["dag_id_prefix_pattern"].split("|"))
            found = [dag for name, dag in self.dags.items() if name.startswith(prefixes)]
            found = [dag for dag in found if dag["dag_id"] not in self.hidden]
            return Said(body={"dags": found[: int(asked.query["limit"])], "total_entries": len(found)})
        if path.endswith("/tasks"):
            return Said(body={"tasks": [task | TASK for task in TASKS], "total_entries": 2})
        dag = self.dags.get(path.rpartition("/")[2])
        return Said(404, {"detail": "not found"}) if dag is None else Said(body=dag)


class Timer:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def airflow(around: Around, timer: Timer) -> Iterator[AirflowClient]:
    with scripted_airflow() as server:
        server.answer = around.answer
        yield AirflowClient(server.url, "preflight", "secret", timer=timer)


def test_all_is_well(airflow: AirflowClient) -> None:
    assert airflow.conditions(["checks"]) == Conditions(
        pools={"default_pool": Pool(128, 100)},
        dags={
            "checks": DagCondition(
                most_runs=16,
                pools={"clone": "default_pool", "build": "gpu"},
                before={"clone": frozenset(), "build": frozenset({"clone"})},
            )
        },
    )


@pytest.mark.parametrize(
    ("scheduler", "since"),
    [
        ({"status": "unhealthy", "latest_scheduler_heartbeat": HEARD}, AT),
        ({"status": "healthy", "latest_scheduler_heartbeat": HEARD}, None),
        ({"status": None, "latest_scheduler_heartbeat": None}, None),
        ({"status": "unhealthy", "latest_scheduler_heartbeat": None}, None),
    ],
)  # fmt: skip
def test_the_scheduler(
    airflow: AirflowClient, around: Around, scheduler: dict[str, object], since: datetime | None
) -> None:
    around.scheduler = scheduler
    assert airflow.conditions([]).scheduler_silent_since == since


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"is_paused": True}, (True, False, False)),
        ({"is_stale": True}, (False, True, False)),
        ({"is_stale": True, "has_import_errors": True}, (False, False, True)),
    ],
    ids=["paused", "its file is gone", "its file is broken"],
)
def test_a_dag_that_can_not_run(
    airflow: AirflowClient, around: Around, said: dict[str, object], what: tuple[bool, bool, bool]
) -> None:
    around.dags["checks"] |= said
    dag = airflow.conditions(["checks"]).dags["checks"]
    assert (dag.paused, dag.gone, dag.import_error) == what


def test_a_dag_that_is_not_there_is_gone(airflow: AirflowClient) -> None:
    assert airflow.conditions(["nowhere"]).dags == {"nowhere": DagCondition(gone=True)}


def test_one_that_lists_hide_is_asked_for_by_name(airflow: AirflowClient, around: Around) -> None:
    around.hidden.add("checks")
    assert not airflow.conditions(["checks"]).dags["checks"].gone


@pytest.mark.parametrize(
    ("forbidden", "left"),
    [
        ("/monitor/health", {"pools", "dags"}),
        ("/pools", {"since", "dags"}),
        ("/dags", {"since", "pools", "dags"}),  # by name
        ("checks", {"since", "pools", "dags"}),  # from the list
    ],
)
def test_what_our_role_may_not_see_is_left_out(
    airflow: AirflowClient, around: Around, forbidden: str, left: set[str]
) -> None:
    around.scheduler = {"status": "unhealthy", "latest_scheduler_heartbeat": HEARD}
    around.forbidden.add(forbidden)
    known = airflow.conditions(["checks"])
    told = {"since": known.scheduler_silent_since, "pools": known.pools, "dags": known.dags}
    assert {name for name, value in told.items() if value} == left


def test_a_dag_that_we_may_not_see_at_all_is_not_called_gone(airflow: AirflowClient, around: Around) -> None:
    around.forbidden |= {"/dags", "/checks"}
    assert airflow.conditions(["checks"]).dags == {}


def test_is_asked_once_a_minute(airflow: AirflowClient, around: Around, timer: Timer) -> None:
    for _ in range(5):
        airflow.conditions(["checks"])
    assert around.asked == ["/monitor/health", "/pools", "/dags", "/dags/checks/tasks"]
    timer.now = 61
    around.pools.append(pool("gpu"))
    assert airflow.conditions(["checks"]).pools["gpu"] == Pool(2, 0)
    assert len(around.asked) == 8


def test_hundreds_of_dags_take_few_calls(airflow: AirflowClient, around: Around) -> None:
    names = [f"checks_{number:03}" for number in range(200)]
    around.dags = {name: details(name) for name in names}
    known = airflow.conditions(names)
    assert set(known.dags) == set(names)
    assert not any(dag.gone for dag in known.dags.values())
    assert around.asked.count("/dags") == 4


def test_more_pools_than_a_page_holds(airflow: AirflowClient, around: Around) -> None:
    around.pools = [pool(f"pool-{number}") for number in range(250)]
    assert len(airflow.conditions([]).pools) == 250


def test_more_pools_than_anybody_reads_are_none(airflow: AirflowClient, around: Around) -> None:
    """So that none is called missing that is there."""
    around.pools = [pool(f"pool-{number}") for number in range(1_001)]
    assert airflow.conditions([]).pools == {}


def test_while_airflow_is_down_nothing_is_remembered(airflow: AirflowClient, around: Around) -> None:
    around.down = True
    with pytest.raises(AirflowUnavailable):
        airflow.conditions(["checks"])
    around.down = False
    assert airflow.conditions(["checks"]).pools
