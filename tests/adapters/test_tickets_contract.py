"""Which tickets were used, as every TicketStore remembers it: PostgreSQL, and the fake."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresTickets
from bot.adapters.postgres import tickets as module
from bot.errors import GitHubUnavailable, StoreUnavailable
from bot.models import TicketUse
from tests.examples import run, wanted
from tests.fakes.tickets import FakeTicketStore

if TYPE_CHECKING:
    from bot.ports import TicketStore

SECONDS = 30
RUN = run()
USE = TicketUse(RUN.id, "clone", 1)


@pytest.fixture(params=["fake", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> TicketStore:
    if request.param == "fake":
        return FakeTicketStore(RUN)
    database: Database = request.getfixturevalue("database")
    PostgresLedger(database).apply(wanted(RUN))
    return PostgresTickets(database)


def use_up(store: TicketStore, use: TicketUse = USE) -> bool:
    with store.spend(use) as fresh:
        return fresh


def fail(store: TicketStore) -> None:
    with pytest.raises(GitHubUnavailable), store.spend(USE):
        raise GitHubUnavailable("GitHub does not answer")


def test_a_run_is_found_by_its_id(store: TicketStore) -> None:
    found = store.run(RUN.id)
    assert found is not None
    assert (found.id, found.repository) == (RUN.id, RUN.repository)
    assert store.run("f" * 32) is None


def test_a_ticket_is_used_once(store: TicketStore) -> None:
    assert [use_up(store) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(USE, try_number=2), id="another-try"),
        pytest.param(replace(USE, task_id="step"), id="another-step"),
        pytest.param(replace(USE, run_id="f" * 32), id="another-run"),
    ],
)
def test_each_try_of_each_step_of_each_run_has_its_own(store: TicketStore, other: TicketUse) -> None:
    assert use_up(store)
    assert use_up(store, other)


def test_what_fails_uses_up_nothing(store: TicketStore) -> None:
    fail(store)
    assert use_up(store)


def test_nor_does_what_fails_after_it_was_used(store: TicketStore) -> None:
    assert use_up(store)
    fail(store)
    assert not use_up(store)


def test_of_many_at_once_one_is_the_first(store: TicketStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        fresh = list(threads.map(lambda _: use_up(store), range(8)))
    assert sorted(fresh) == [False] * 7 + [True]


@pytest.mark.parametrize("first_fails", [True, False])
def test_a_second_one_waits_for_the_first(store: TicketStore, *, first_fails: bool) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with store.spend(USE):
            inside.set()
            assert go_on.wait(SECONDS)
            if first_fails:
                raise GitHubUnavailable("GitHub does not answer")

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(first)
        assert inside.wait(SECONDS)
        other = threads.submit(use_up, store)
        go_on.set()
        assert other.result(SECONDS) is first_fails
        assert (one.exception(SECONDS) is not None) is first_fails


def end_other_connections(database: Database) -> None:
    """As if all other processes were gone."""
    with database.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.postgres
class TestPostgres:
    def test_a_crash_in_the_middle_uses_up_nothing(self, database: Database, database_url: str) -> None:
        other = Database(database_url)
        with pytest.raises(StoreUnavailable), PostgresTickets(other).spend(USE):
            end_other_connections(database)
        other.close()
        assert use_up(PostgresTickets(database))

    def test_who_waits_for_too_long_may_come_again(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PATIENCE_MS", 50)
        store = PostgresTickets(database)
        with ThreadPoolExecutor(1) as thread, store.spend(USE), pytest.raises(StoreUnavailable):
            thread.submit(use_up, store).result(SECONDS)
        assert not use_up(store)

    def test_it_waits_on_no_run(self, database: Database) -> None:
        """Whoever follows the run, or cancels it, is not held up while GitHub is asked."""
        PostgresLedger(database).apply(wanted(RUN))
        with PostgresTickets(database).spend(USE), database.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            connection.execute(text("SELECT 1 FROM runs FOR UPDATE"))
