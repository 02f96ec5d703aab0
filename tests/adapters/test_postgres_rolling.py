"""The version before works on beside this one: migrations only add, and come while web and worker work."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from bot.adapters.postgres import (
    Database,
    PostgresInbox,
    PostgresLedger,
    PostgresReader,
    PostgresReports,
    PostgresRuns,
    migrations,
)
from bot.errors import StoreUnavailable
from bot.models import Delivery, Outcome, Phase
from tests.examples import run
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.engine.interfaces import ReflectedColumn

    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

BEFORE_THAT = "0002"
"""Up to here, migrations changed the types of columns: nobody runs what came before any more."""

DELIVERIES = 60
_NUMBERS = itertools.count(1)


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    return config


def steps() -> list[tuple[str, str]]:
    """Each migration with the one before it, oldest first, as far as they are of interest."""
    walked = ScriptDirectory.from_config(scripts()).walk_revisions()
    found = [(str(script.down_revision), script.revision) for script in walked if script.down_revision]
    return sorted(step for step in found if step[0] >= BEFORE_THAT)


def revise(database: Database, revision: str) -> None:
    config = scripts()
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.fixture
def fresh(real_postgres: Postgres) -> Iterator[Database]:
    database = Database(real_postgres.create_database(f"rolling_{next(_NUMBERS)}"))
    yield database
    database.close()


def columns(database: Database) -> Mapping[tuple[str, str], ReflectedColumn]:
    found = inspect(database.engine)
    return {
        (table, column["name"]): column
        for table in found.get_table_names()
        for column in found.get_columns(table)
    }


def rules(database: Database) -> set[str]:
    """What rows must be like, but for their columns."""
    query = text(
        "SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND contype <> 'n' "
        "UNION SELECT indexdef FROM pg_indexes JOIN pg_index ON indexrelid = indexname::regclass "
        "WHERE schemaname = 'public' AND indisunique"
    )
    with database.begin() as connection:
        return set(connection.execute(query).scalars())


@pytest.mark.parametrize(("before", "after"), steps())
class TestAMigration:
    """What the version before reads is there, and what it writes is taken. Each one to come is held to it."""

    def test_leaves_all_columns_what_they_were(self, fresh: Database, before: str, after: str) -> None:
        revise(fresh, before)
        old = columns(fresh)
        revise(fresh, after)
        new = columns(fresh)
        assert set(old) <= set(new)
        for name, column in old.items():
            assert str(new[name]["type"]) == str(column["type"]), name
            assert new[name]["nullable"] or not column["nullable"], f"{name} may no longer be left out"

    def test_adds_no_column_that_has_to_be_written(self, fresh: Database, before: str, after: str) -> None:
        revise(fresh, before)
        tables, old = set(inspect(fresh.engine).get_table_names()), columns(fresh)
        revise(fresh, after)
        for name, column in columns(fresh).items():
            if name[0] in tables and name not in old:
                made = column["default"] or "computed" in column or "identity" in column
                assert made or column["nullable"], f"the version before knows nothing of {name}"

    def test_asks_no_more_of_rows(self, fresh: Database, before: str, after: str) -> None:
        revise(fresh, before)
        tables, old = set(inspect(fresh.engine).get_table_names()), rules(fresh)
        revise(fresh, after)
        added = {rule for rule in rules(fresh) - old if rule.partition(":")[0] in tables}
        assert added <= LOOSER, "the version before may write what this refuses"

    def test_can_be_taken_back_and_come_again(self, fresh: Database, before: str, after: str) -> None:
        revise(fresh, after)
        new = set(columns(fresh))
        config = scripts()
        with fresh.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, before)
        revise(fresh, after)
        assert set(columns(fresh)) == new


LOOSER: set[str] = set()
"""Rules that took the place of stricter ones."""


class TestUnderAWorkingBot:
    def test_web_and_worker_go_on(self, fresh: Database) -> None:
        """Whatever they do in the middle of it, at worst they are told to try again."""
        *_, (before, _) = steps()
        revise(fresh, before)
        url = fresh.engine.url.render_as_string(hide_password=False)
        web, worker, migrating = Database(url), Database(url), Database(url, pool_size=1)
        sent, handled = threading.Event(), threading.Event()
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(send, PostgresInbox(web), sent), pool.submit(handle, worker, sent, handled)]
            work.append(pool.submit(follow, worker, handled))
            migration = pool.submit(migrating.migrate)
            for future in (migration, *work):
                future.result(120)
        with fresh.begin() as connection:
            states = connection.execute(text("SELECT DISTINCT state FROM deliveries")).scalars().all()
            runs = connection.execute(text("SELECT DISTINCT phase FROM runs")).scalars().all()
        assert (states, runs) == (["done"], ["finished"])
        PostgresReader(fresh).check()
        for database in (web, worker, migrating):
            database.close()


def persist(call: Callable[[], object]) -> None:
    """What web's sender and the worker's loops do: try again."""
    for _ in range(1_000):
        with suppress(StoreUnavailable):
            call()
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never worked")


def send(inbox: PostgresInbox, sent: threading.Event) -> None:
    for number in range(DELIVERIES):
        one = Delivery(f"d-{number}", "pull_request", b"{}", f"lane {number % 7}")
        persist(partial(inbox.put, one))
    sent.set()


def handle(database: Database, sent: threading.Event, handled: threading.Event) -> None:
    inbox, ledger = PostgresInbox(database), PostgresLedger(database)

    def work() -> None:
        while (claim := inbox.claim()) is not None or not sent.is_set() or inbox.next_due() is not None:
            if claim is not None:
                ledger.apply(admitted(run(f"p{claim.delivery.id}")))
                inbox.finish(claim, ignored=False, reason="")

    persist(work)
    handled.set()


def follow(database: Database, handled: threading.Event) -> None:
    runs, reports = PostgresRuns(database), PostgresReports(database)

    def work() -> None:
        while not handled.is_set() or runs.next_due() is not None:
            for claim in runs.claim_runs(10):
                over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
                runs.save_run(claim, over, cancel_sent=False, seconds=None)
            pull = reports.claim_pull()
            if pull is not None:
                reports.release_pull(pull, seconds=None, failed=False)

    persist(work)
