from __future__ import annotations

from dataclasses import replace

import pytest

from bot.doctor import examine
from bot.doctor.database import (
    database_checks,
    judge_deliveries,
    judge_durability,
    judge_runs,
    judge_schema,
    judge_workers,
)
from bot.errors import StoreUnavailable
from bot.models.doctor import SeenSchema, SeenWork
from tests.doctor.findings import ailing, said, verdicts

SCHEMA = SeenSchema(version=160_003, found="0005", wanted="0005", size=8 * 2**20)
WORK = SeenWork(workers=2, newest_delivery=7200.0, followed=5, nudged=3)


@pytest.mark.parametrize(
    ("changed", "verdict", "words"),
    [
        pytest.param({}, "ok", "PostgreSQL 16, schema 0005, 8 MiB", id="right"),
        pytest.param({"size": 3 * 2**30}, "ok", "3.0 GiB", id="large"),
        pytest.param({"found": None}, "broken", "python -m bot migrate", id="empty"),
        pytest.param({"found": "0004"}, "broken", "python -m bot migrate", id="older"),
        pytest.param({"found": "0006"}, "warning", "by a newer version", id="newer"),
        pytest.param({"version": 130_011}, "broken", "PostgreSQL 13 is too old", id="an old server"),
        pytest.param({"read_only": True}, "broken", "the primary", id="a standby"),
    ],
)
def test_the_schema(changed: dict[str, object], verdict: str, words: str) -> None:
    found = judge_schema(replace(SCHEMA, **changed))  # type: ignore[arg-type]  # a table's values

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("fsync", "commit", "expected"),
    [
        (True, True, ["ok"]),
        (False, True, ["warning"]),
        (True, False, ["warning"]),
        (False, False, ["warning"] * 2),
    ],
)
def test_what_a_power_cut_would_take(*, fsync: bool, commit: bool, expected: list[str]) -> None:
    assert verdicts(judge_durability(replace(SCHEMA, fsync=fsync, synchronous_commit=commit))) == expected


@pytest.mark.parametrize(
    ("workers", "verdict", "words"),
    [(0, "broken", "python -m bot worker"), (1, "ok", "1 worker at work"), (2, "ok", "2 workers at work")],
)
def test_who_is_at_work(workers: int, verdict: str, words: str) -> None:
    found = judge_workers(replace(WORK, workers=workers))

    assert verdicts(found) == [verdict]
    assert words in said(found)


@pytest.mark.parametrize(
    ("changed", "expected", "words"),
    [
        pytest.param({}, ["ok"], "0 deliveries waiting; the last 2 h ago", id="nothing waits"),
        pytest.param({"newest_delivery": None}, ["ok"], "none has ever arrived", id="none ever"),
        pytest.param({"waiting": 1, "oldest_waiting": 5.0}, ["ok"], "1 delivery waiting", id="just come"),
        pytest.param({"waiting": 9, "oldest_waiting": 400.0}, ["warning"], "for 7 min", id="too long"),
        pytest.param(
            {"waiting": 9, "oldest_waiting": 4e5, "workers": 0},
            ["warning"],
            "Start a worker",
            id="nobody works",
        ),
        pytest.param({"last_good": 300.0}, ["ok"], "0 deliveries", id="the log is read"),
        pytest.param({"last_good": 9000.0}, ["warning"], "in the last 2 h", id="the log can't be read"),
        pytest.param({"last_good": 9000.0, "workers": 0}, ["ok"], "0", id="nobody is there to read it"),
        pytest.param(
            {"parked": 3, "parked_reasons": ("no such key 'x'", "GitHub refused")},
            ["warning"],
            "3 deliveries parked: no such key 'x'; GitHub refused",
            id="parked",
        ),
    ],
)
def test_deliveries(changed: dict[str, object], expected: list[str], words: str) -> None:
    found = judge_deliveries(replace(WORK, **changed))  # type: ignore[arg-type]  # a table's values

    assert verdicts(found) == expected
    assert words in said(found)


@pytest.mark.parametrize(
    ("changed", "nudged", "expected", "words"),
    [
        pytest.param({}, True, ["ok"], "followed", id="in order"),
        pytest.param({"overdue_runs": 2}, True, ["warning"], "2 runs should", id="overdue"),
        pytest.param({"refused": 1}, True, ["warning"], "1 pull request could not", id="reports refused"),
        pytest.param({"nudged": 0}, True, ["warning"], "PREFLIGHT_NUDGE_URL", id="no nudges"),
        pytest.param({"nudged": 0}, False, ["ok"], "followed", id="no nudges wanted"),
        pytest.param({"nudged": 0, "followed": 0}, True, ["ok"], "followed", id="no runs of late"),
    ],
)
def test_runs(*, changed: dict[str, object], nudged: bool, expected: list[str], words: str) -> None:
    found = judge_runs(replace(WORK, **changed), nudged=nudged)  # type: ignore[arg-type]  # likewise

    assert verdicts(found) == expected
    assert words in said(found)


class FakeDatabase:
    """A database, or none."""

    def __init__(self, schema: SeenSchema | None = SCHEMA, work: SeenWork = WORK) -> None:
        self._schema, self._work = schema, work

    def schema(self) -> SeenSchema:
        if self._schema is None:
            raise StoreUnavailable("the database does not answer")
        return self._schema

    def work(self) -> SeenWork:
        return self._work


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        pytest.param(FakeDatabase(), set(), id="in order"),
        pytest.param(FakeDatabase(None), {"database.schema"}, id="down"),
        pytest.param(FakeDatabase(replace(SCHEMA, found="0001")), {"database.schema"}, id="old"),
        pytest.param(FakeDatabase(replace(SCHEMA, fsync=False)), {"database.settings"}, id="not durable"),
        pytest.param(FakeDatabase(work=replace(WORK, workers=0)), {"worker.alive"}, id="no worker"),
        pytest.param(FakeDatabase(work=replace(WORK, parked=1)), {"worker.deliveries"}, id="parked"),
        pytest.param(FakeDatabase(work=replace(WORK, refused=1)), {"worker.runs"}, id="reports"),
    ],
)
def test_each_fault_is_found_by_the_check_that_names_it(database: FakeDatabase, expected: set[str]) -> None:
    assert ailing(examine(database_checks(database, nudged=True), lambda text: text)) == expected
