"""The parts of the store, each on the test's own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.postgres import Database, PostgresLedger, PostgresRuns

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database)


@pytest.fixture
def runs(database: Database) -> PostgresRuns:
    return PostgresRuns(database)


@pytest.fixture
def other_database(database_url: str) -> Iterator[Database]:
    """Another process's view of the same database."""
    database = Database(database_url, pool_size=4)
    yield database
    database.close()


@pytest.fixture
def other(other_database: Database) -> PostgresRuns:
    return PostgresRuns(other_database)
