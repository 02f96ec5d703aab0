"""What the doctor sees of the database: itself, and the bot's work."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, Listener, PostgresInbox, PostgresRuns
from bot.adapters.postgres.doctor import PostgresDoctor
from bot.errors import StoreUnavailable
from bot.models import Delivery
from deploy.local import ports
from tests.examples import run
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.adapters.postgres import PostgresLedger
    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def doctor(database: Database) -> PostgresDoctor:
    return PostgresDoctor(database)


def change(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def worker(database: Database, listening: threading.Event) -> Listener:
    """One that tells when it has begun to listen."""
    return Listener(database, lambda _: listening.set())


class TestSchema:
    def test_one_that_is_up_to_date(self, doctor: PostgresDoctor) -> None:
        seen = doctor.schema()

        assert seen.found == seen.wanted != ""
        assert seen.version >= 140_000
        assert seen.size > 2**20
        assert not seen.read_only

    def test_an_empty_database(self, real_postgres: Postgres) -> None:
        empty = Database(real_postgres.create_database("doctor_empty"), pool_size=1)

        seen = PostgresDoctor(empty).schema()

        empty.close()
        assert seen.found is None
        assert seen.wanted

    def test_settings_that_make_it_forget(self, database: Database, database_url: str) -> None:
        with database.begin() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
        change(database, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        change(database, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        fresh = Database(database_url, pool_size=1)

        seen = PostgresDoctor(fresh).schema()

        fresh.close()
        assert (seen.synchronous_commit, seen.read_only) == (False, True)

    def test_no_database(self) -> None:
        nobody = Database(f"postgresql+psycopg://x:y@127.0.0.1:{ports.choose_any()}/z", pool_size=1)

        with pytest.raises(StoreUnavailable):
            PostgresDoctor(nobody).schema()


class TestWork:
    def test_nothing_yet(self, doctor: PostgresDoctor) -> None:
        seen = doctor.work()

        assert (seen.workers, seen.waiting, seen.parked, seen.overdue_runs, seen.refused) == (0, 0, 0, 0, 0)
        assert (seen.oldest_waiting, seen.newest_delivery, seen.last_good) == (None, None, None)
        assert (seen.followed, seen.nudged, seen.parked_reasons) == (0, 0, ())

    def test_deliveries(self, database: Database, doctor: PostgresDoctor) -> None:
        inbox = PostgresInbox(database)
        for number in range(4):
            inbox.put(Delivery(str(number), "push", b"{}", f"lane {number}"))
        for reason in ("first", "second", "second"):
            claim = inbox.claim()
            assert claim is not None
            inbox.park(claim, f"{reason}\nand more of it")
        change(database, "UPDATE deliveries SET received_at = now() - interval '2 min' WHERE id = '3'")

        change(database, "INSERT INTO marks VALUES ('deliveries app', now() - interval '1 h')")
        change(database, "INSERT INTO marks VALUES ('something else', now())")

        seen = doctor.work()

        assert seen.last_good == pytest.approx(3600, abs=60)
        assert (seen.waiting, seen.parked) == (1, 3)
        assert seen.parked_reasons == ("second", "first")
        assert seen.oldest_waiting == pytest.approx(120, abs=60)
        assert seen.newest_delivery == pytest.approx(120, abs=60)

    def test_runs(self, database: Database, doctor: PostgresDoctor, ledger: PostgresLedger) -> None:
        ledger.apply(admitted(run(), run(pipeline="e2e"), run(pipeline="docs")))
        change(database, "UPDATE runs SET due_at = now() - interval '1 h' WHERE pipeline = 'e2e'")
        change(
            database,
            "UPDATE runs SET started_at = now(), finished_at = now(), due_at = NULL, phase = 'finished', "
            "outcome = 'success' WHERE pipeline <> 'e2e'",
        )
        change(database, "UPDATE runs SET nudged_at = now() WHERE pipeline = 'docs'")
        change(database, "UPDATE pull_requests SET failures = 5, due_at = now()")

        seen = doctor.work()

        assert (seen.overdue_runs, seen.refused) == (1, 1)
        assert (seen.followed, seen.nudged) == (2, 1)


class TestWorkers:
    @pytest.fixture
    def two(self, database_url: str) -> Iterator[list[Database]]:
        """Two workers that listen, as worker processes do."""
        stop = threading.Event()
        databases = [Database(database_url, pool_size=2) for _ in range(2)]
        listening = [threading.Event() for _ in databases]
        threads = [
            threading.Thread(target=worker(one, heard).run, args=(stop.wait,))
            for one, heard in zip(databases, listening, strict=True)
        ]
        for thread in threads:
            thread.start()
        for heard in listening:
            assert heard.wait(30)
        yield databases
        stop.set()
        for one in databases:
            PostgresInbox(one).put(Delivery("last", "push", b"{}", "wakes the listeners"))
        for thread in threads:
            thread.join(30)
        for one in databases:
            one.close()

    def test_the_living_are_counted_however_busy(
        self, two: list[Database], database: Database, doctor: PostgresDoctor
    ) -> None:
        assert doctor.work().workers == 2
        with two[0].begin() as connection:  # as a worker does while it reports or decides
            connection.execute(text("SELECT pg_advisory_xact_lock(7)"))
            assert doctor.work().workers == 2
        with database.begin() as connection:  # a web that decides nothing, but holds a lock
            connection.execute(text("SELECT pg_advisory_xact_lock(8)"))
            assert doctor.work().workers == 2
        with database.once() as connection:  # a worker's round of recovery, while it asks GitHub
            connection.execute(text("SELECT pg_advisory_lock(9)"))
            assert doctor.work().workers == 2
            connection.execute(text("SELECT pg_advisory_unlock(9)"))
        assert PostgresRuns(two[1]).next_due() is None
