"""Woken at once, taken over at once, and back after the database was away."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import (
    Database,
    Listener,
    PostgresInbox,
    PostgresLedger,
    PostgresReader,
    PostgresReports,
    PostgresRuns,
    listener,
)
from bot.adapters.postgres.database import notify
from bot.errors import StoreUnavailable
from bot.models import Delivery, Outcome, Phase
from deploy.local.postgres import embedded_postgres
from tests.examples import NOON, at, run, wanted
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("look_often")]

SECONDS = 30.0  # half a lease
ROOT = Path(__file__).parents[2]

HOLDER = """
import sys, threading, time
from bot.adapters.postgres import Database, Listener, PostgresInbox, PostgresReports, PostgresRuns
database = Database(sys.argv[1], pool_size=3)
listening = threading.Event()
listener = Listener(database, lambda what: listening.set())
stopped = lambda seconds: time.sleep(seconds) or False
threading.Thread(target=listener.run, args=(stopped,), daemon=True).start()
listening.wait(30)
assert PostgresInbox(database).claim()
assert PostgresRuns(database).claim_runs(1)
assert PostgresReports(database).claim_pull()
print("holding", flush=True)
time.sleep(600)
"""


@pytest.fixture
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the dead more often than a worker does."""
    monkeypatch.setattr(listener, "RELEASE_SECONDS", 0.2)
    monkeypatch.setattr(listener, "RECONNECT_SECONDS", 0.2)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def listening(database: Database) -> Iterator[list[str]]:
    """What a listener is woken for, once it listens."""
    woken: list[str] = []
    stop = threading.Event()
    thread = threading.Thread(target=Listener(database, woken.append).run, args=(stop.wait,), daemon=True)
    thread.start()
    until(lambda: "report" in woken)
    try:
        yield woken
    finally:
        stop.set()
        with database.begin() as connection:
            notify(connection, "the end")
        thread.join(SECONDS)
        assert not thread.is_alive()
        database.close()


def delivery(delivery_id: str = "d") -> Delivery:
    return Delivery(delivery_id, "pull_request", b"{}", "lane")


class TestWoken:
    def test_by_a_delivery_at_once(self, database: Database, database_url: str) -> None:
        with listening(Database(database_url, pool_size=2)) as woken:
            woken.clear()
            PostgresInbox(database).put(delivery())
            until(lambda: "delivery" in woken)

    def test_by_a_decision(self, database: Database, database_url: str) -> None:
        with listening(Database(database_url, pool_size=2)) as woken:
            woken.clear()
            PostgresLedger(database).apply(admitted(run()))
            until(lambda: {"run", "report"} <= set(woken))

    def test_when_a_lane_comes_free(self, database: Database, database_url: str) -> None:
        inbox = PostgresInbox(database)
        inbox.put(delivery("one"))
        claim = inbox.claim()
        assert claim is not None
        with listening(Database(database_url, pool_size=2)) as woken:
            woken.clear()
            inbox.finish(claim, ignored=False, reason="")
            until(lambda: "delivery" in woken)

    def test_at_the_start_for_all_that_was_missed(self, database_url: str) -> None:
        with listening(Database(database_url, pool_size=2)) as woken:
            until(lambda: {"delivery", "run", "report", "archive"} <= set(woken))

    def test_by_a_run_that_ended_in_airflow(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        with listening(database) as woken:
            until(lambda: "archive" in woken)
            (claim,) = runs.claim_runs(1)
            woken.clear()
            over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
            over = replace(over, dag_run_id="preflight~x", started_at=at(1))
            runs.save_run(claim, over, cancel_sent=False, seconds=None)
            until(lambda: {"archive", "report", "run"} <= set(woken))

    def test_not_by_what_was_rolled_back(self, database: Database, database_url: str) -> None:
        with listening(Database(database_url, pool_size=2)) as woken:
            woken.clear()
            one = run()
            with pytest.raises(Exception, match="duplicate"):
                PostgresLedger(database).apply(wanted(one, one))
            PostgresInbox(database).put(delivery())
            until(lambda: "delivery" in woken)
            assert "run" not in woken


def test_what_a_killed_worker_held_is_taken_over_at_once(database: Database, database_url: str) -> None:
    PostgresInbox(database).put(delivery())
    PostgresLedger(database).apply(admitted(run()))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, database_url], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holding\n"
            with listening(Database(database_url, pool_size=2)) as woken:
                assert PostgresInbox(database).claim() is None, "whoever lives keeps what it holds"
                woken.clear()
                holder.send_signal(signal.SIGKILL)
                until(lambda: PostgresInbox(database).claim())
                until(lambda: PostgresRuns(database).claim_runs(1))
                until(lambda: PostgresReports(database).claim_pull())
        finally:
            holder.kill()


def test_whoever_lives_keeps_what_it_holds(database: Database, database_url: str) -> None:
    inbox, runs = PostgresInbox(database), PostgresRuns(database)
    inbox.put(delivery())
    PostgresLedger(database).apply(admitted(run()))
    with listening(database):
        assert inbox.claim() is not None
        never_lived = Database(database_url, pool_size=1)
        assert PostgresRuns(never_lived).claim_runs(1)
        with listening(Database(database_url, pool_size=2)):
            until(lambda: runs.claim_runs(1))
            assert inbox.claim() is None
        never_lived.close()


def test_others_see_that_it_is_at_work_and_since_when_no_more(database: Database) -> None:
    reader = PostgresReader(database)
    assert reader.unattended() is None, "none ever was"
    with listening(database) as woken:
        until(lambda: woken and _marks(database))
        assert reader.unattended() is None
    with database.begin() as connection:
        connection.execute(text("UPDATE marks SET at = '2026-03-04 12:00:00+00'"))
    assert reader.unattended() == NOON


def _marks(database: Database) -> int:
    with database.once() as connection:
        return int(connection.execute(text("SELECT count(*) FROM marks")).scalar_one())


def test_the_database_may_go_away_and_come_back(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "postgres") as postgres:
        url = postgres.create_database("preflight")
        database = Database(url, pool_size=3)
        database.migrate()
        inbox, runs, reports = PostgresInbox(database), PostgresRuns(database), PostgresReports(database)
        inbox.put(delivery("before"))
        with listening(Database(url, pool_size=2)) as woken:
            postgres.kill()
            attempts: tuple[Callable[[], object], ...] = (
                lambda: inbox.put(delivery("during")),
                inbox.claim,
                inbox.next_due,
                lambda: runs.claim_runs(1),
                reports.claim_pull,
                database.check,
            )
            for attempt in attempts:
                with pytest.raises(StoreUnavailable):
                    attempt()
            woken.clear()  # before it can be woken again
            postgres.start()
            until(lambda: "report" in woken)
            inbox.put(delivery("after"))
            until(lambda: "delivery" in woken)
            claim = inbox.claim()
            assert claim is not None
            assert claim.delivery.id == "before", "what was stored is still there"
        database.close()
