"""The schema: safe to bring up to date twice, and by two processes at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect, text

from bot.adapters.postgres import Database, PostgresReader
from bot.adapters.postgres.tables import metadata
from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres


def migrate(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "migrate"],
        env={"PREFLIGHT_DATABASE_URL": url, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_by_two_processes_at_once_and_again(real_postgres: Postgres) -> None:
    url = real_postgres.create_database("migrated_by_two")
    both = [migrate(url), migrate(url)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    again = migrate(url)
    again.communicate(timeout=60)
    assert again.returncode == 0
    database = Database(url, pool_size=1)
    database.check()
    database.close()


def test_without_a_database_it_says_what_to_do(real_postgres: Postgres) -> None:
    process = migrate(real_postgres.url("there_is_no_such_database"))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there_is_no_such_database" in errors
    assert "Traceback" not in errors


def test_the_tables_are_as_the_code_thinks(database: Database) -> None:
    found = inspect(database.engine)
    for table in metadata.tables.values():
        columns = {column["name"] for column in found.get_columns(table.name)}
        assert columns == set(table.columns.keys()), table.name


def test_ready_is_only_who_is_migrated(real_postgres: Postgres) -> None:
    database = Database(real_postgres.create_database("never_migrated"), pool_size=1)
    with pytest.raises(StoreUnavailable, match="python -m bot migrate"):
        PostgresReader(database).check()
    database.migrate()
    PostgresReader(database).check()
    database.close()


def test_a_newer_schema_is_fine_while_an_older_version_is_still_running(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.check()
