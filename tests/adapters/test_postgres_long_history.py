"""What is asked all day takes no longer with a long history: no table is read whole, few rows are read.

Plans are chosen by figures about the tables, so that 20,000 runs show what 1,000,000 would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import (
    Database,
    PostgresArchive,
    PostgresLedger,
    PostgresPast,
    PostgresReader,
    PostgresRunList,
    PostgresRuns,
)
from bot.claims import RunQuery
from bot.models import Repository
from tests.adapters.postgres_history import MAIN, fill
from tests.adapters.postgres_plans import asked
from tests.adapters.postgres_turns import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

MANY = 20_000
PAGE = 50
MINE = frozenset({5, 10, 15})
LARGEST = Repository(1, "acme/App-1")


@pytest.fixture(scope="module")
def database(real_postgres: Postgres, migrated: str) -> Iterator[Database]:
    """With a long history."""
    database = Database(real_postgres.create_database("long_history", template=migrated), pool_size=2)
    fill(database, MANY)
    yield database
    database.close()


VERDICTS = """
INSERT INTO verdicts (repository_id, number, head_sha, context, pipeline, run_id)
SELECT repository_id, number, head_sha, id, pipeline, id FROM runs WHERE seq >= 10
"""
QUERIES = [
    RunQuery(),
    RunQuery(after=MANY // 2),
    RunQuery(repository="acme/app-1"),
    RunQuery(repository="acme/app-50"),
    RunQuery(repository="acme/app-5"),
    RunQuery(number=777),
    RunQuery(repository="acme/app-1", number=778),
    RunQuery(pipeline="pipeline-7"),
    RunQuery(branch="main"),
    RunQuery(repository="acme/app-1", branch="main"),
    RunQuery(state="success"),
    RunQuery(state="error"),
    RunQuery(state="unfinished"),
    RunQuery(author="author-3"),
    RunQuery(repository="acme/app-1", state="failure"),
    RunQuery(repository="acme/app-1", state="error"),
    RunQuery(repository="acme/app-1", pipeline="pipeline-3"),
    RunQuery(repository="acme/app-1", pipeline="pipeline-3", state="error"),
    RunQuery(repository="acme/app-1", author="author-44", state="failure"),
    RunQuery(pipeline="pipeline-3", state="error"),
    RunQuery(author="author-44", pipeline="pipeline-3"),
]


@pytest.mark.parametrize("private", [frozenset(), MINE], ids=["signed_out", "signed_in"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_list_reads_little_more_than_it_shows(
    database: Database, query: RunQuery, private: frozenset[int]
) -> None:
    with asked(database) as seen:
        PostgresRunList(database).runs(replace(query, private=private, most=PAGE))
    assert seen.read_whole() == []
    audiences = 1 + len(private)
    # Each run that is shown is chosen by the index, then read.
    assert seen.rows_read() <= (audiences + 1) * (PAGE + 1) + PAGE


@pytest.mark.parametrize(
    "query",
    [
        RunQuery(repository="acme/app-37", author="author-44"),
        RunQuery(repository="acme/app-50", pipeline="pipeline-3", state="error"),
        RunQuery(pipeline="pipeline-3", state="error", author="author-44"),
        RunQuery(branch="main", state="error"),
        RunQuery(author="author-44", state="error"),
    ],
)
def test_filters_that_only_together_match_nothing_read_no_run(database: Database, query: RunQuery) -> None:
    """They are checked within the index."""
    with asked(database) as seen:
        assert PostgresRunList(database).runs(query) == []
    assert seen.rows_read() == 0


def test_private_repositories_are_found_one_by_one(database: Database) -> None:
    with asked(database) as seen:
        found = PostgresRunList(database).private_repositories()
    assert len(found) == 10
    assert seen.read_whole() == []
    assert seen.rows_read() == 2 * len(found)


@pytest.mark.parametrize("pipeline", ["pipeline-10", "no-such-pipeline"])
def test_a_badge(database: Database, pipeline: str) -> None:
    with asked(database) as seen:
        PostgresRunList(database).latest("acme/app-1", pipeline, "main")
    assert seen.rows_read() <= 2


@pytest.mark.parametrize("number", [MAIN, 777])
def test_a_decision(database: Database, number: int) -> None:
    """About a branch that half of all runs were on, too."""
    with asked(database) as seen:
        PostgresLedger(database).history(LARGEST, number, "a" * 40)
    assert "runs" not in seen.read_whole()
    assert seen.rows_read() < 300


def test_a_sweep(database: Database) -> None:
    runs, archive = PostgresRuns(database), PostgresArchive(database)
    with asked(database) as seen:
        runs.admit(Watching())
        runs.claim_runs(100)
        runs.next_due()
        archive.next_due()
    assert "runs" not in seen.read_whole()
    assert seen.rows_read() == 0


def test_a_report(database: Database) -> None:
    shown = PostgresRunList(database).runs(RunQuery(repository=LARGEST.full_name, most=4))
    reader = PostgresReader(database)
    runs = [run for one in shown if (run := reader.run(one.run.id)) is not None]
    with asked(database) as seen:
        past = PostgresPast(database).past(runs)
    assert {one.usual is not None for one in past.values()} == {True}
    assert "runs" not in seen.read_whole()
    assert seen.rows_read() <= len(runs) * (20 + 3)


def test_a_run_that_is_forgotten(database: Database) -> None:
    """The database itself looks for what shows it."""
    scans = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'verdicts'")
    with database.engine.connect() as connection:  # nothing of this is committed
        connection.execute(text(VERDICTS))
        connection.execute(text("ANALYZE verdicts"))
        before = connection.execute(scans).scalar_one()
        connection.execute(text("DELETE FROM runs WHERE seq < 10"))
        assert connection.execute(scans).scalar_one() == before


def test_figures_count_what_ended_once_in_five_minutes(database: Database) -> None:
    reader = PostgresReader(database)
    now = 0.0
    reader.figures.clock = lambda: now
    first = reader.counts()
    assert sum(first["runs"].values()) == MANY
    with asked(database) as seen:
        assert reader.counts() == first
        now = 299
        assert reader.counts()["runs"] == first["runs"]
    assert seen.read_whole() == ["deliveries"] * seen.read_whole().count("deliveries")
    assert seen.rows_read() == 0
    now = 301
    with asked(database) as seen:
        reader.counts()
    assert seen.rows_read() >= MANY
