"""The schema: safe to bring up to date twice, by two processes at once, and under a working bot."""

from __future__ import annotations

import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from bot.adapters.postgres import (
    Database,
    PostgresArchive,
    PostgresLedger,
    PostgresPast,
    PostgresReader,
    PostgresReports,
    PostgresRunList,
    PostgresRuns,
    migrations,
)
from bot.adapters.postgres.tables import metadata
from bot.claims import PendingReply, RunQuery, ShownComment
from bot.errors import StoreUnavailable
from bot.models import (
    CommentPolicy,
    Phase,
    Reply,
    ReportPolicy,
    Rules,
    Status,
    StatusState,
    StepResult,
    Verdict,
)
from tests.examples import HEAD, NOON, REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

SECONDS = 60.0
_NUMBERS = itertools.count(1)

FIRST_VERSION_WRITES = """
INSERT INTO pull_requests (repository_id, number, full_name, private, open, head_sha, comment_search, due_at)
VALUES (42, 12, 'acme/widgets', false, true, :head, true, now());
INSERT INTO heads (repository_id, number, sha, pusher, settled) VALUES (42, 12, :head, 'alice', false);
INSERT INTO runs (id, repository_id, full_name, private, clone_url, number, pipeline, dag_id, head_sha,
    base_ref, attempt, actor, dryrun, conf, phase, created_at, due_at)
VALUES ('a', 42, 'acme/widgets', false, 'https://github.example/acme/widgets.git', 12, 'unit', 'checks',
    :head, 'main', 1, 'alice', false, '{}', 'wanted', :noon, now());
INSERT INTO verdicts (repository_id, number, head_sha, context, pipeline, run_id, state, description) VALUES
    (42, 12, :head, 'preflight/unit', 'unit', 'a', NULL, NULL),
    (42, 12, :head, 'preflight/config', '', NULL, 'error', 'preflight.yaml can''t be used');
INSERT INTO replies (repository_id, comment_id, number, delivery_id, text)
VALUES (42, 5001, 12, 'd', 'hello');
INSERT INTO decisions (repository_id, number, delivery_id, actor, head_sha, reason)
VALUES (42, 12, 'd', 'alice', :head, 'a push');
"""


SECOND_VERSION_WRITES = """
INSERT INTO pull_requests (repository_id, number, full_name, private, open, head_sha, base_ref,
    comment_policy, comment_id, comment_digest, comment_search, due_at)
VALUES (42, 12, 'acme/widgets', true, true, :head, 'main', 'failures', 7, 'abc', false, now());
INSERT INTO heads (repository_id, number, sha, settled) VALUES (42, 12, :head, false);
INSERT INTO runs (id, repository_id, full_name, private, clone_url, number, pipeline, dag_id, dag_run_id,
    head_sha, base_ref, attempt, actor, dryrun, comment_id, inputs, conf, rules, admitted, phase, outcome,
    steps, created_at, started_at, finished_at)
VALUES ('b', 42, 'acme/widgets', false, 'https://github.example/acme/widgets.git', 12, 'unit', 'checks',
    'preflight~b', :head, 'main', 1, 'alice', false, 5001, '{}',
    '{"preflight": {"untrusted": {"author": "Bob"}}}',
    '{"timeout": 60.0, "optional": false, "supersede": true, "needs": [], "limits": []}',
    true, 'finished', 'success',
    '[{"task_id": "run", "map_index": 0, "name": "lint", "state": "succeeded", "try_number": 1,
       "started_at": null, "ended_at": null, "excerpt": null,
       "result": {"exit_code": 0, "reason": "exit 0", "reproduce": "", "argv": ""}}]',
    :noon, :noon, CAST(:noon AS timestamptz) + interval '90 s');
INSERT INTO shown_statuses (repository_id, sha, context, state, description, target_url)
VALUES (42, :head, 'preflight/unit', 'success', '1 step passed', '');
"""


def revise(database: Database, revision: str, *, down: bool = False) -> None:
    """Take the schema to that revision."""
    with database.begin() as connection:
        config = Config()
        config.set_main_option("script_location", migrations.__path__[0])
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def write_as_the_first_version(database: Database) -> None:
    with database.begin() as connection:
        for statement in FIRST_VERSION_WRITES.strip().split(";\n"):
            connection.execute(text(statement), {"head": HEAD, "noon": NOON})


def write_as_the_second_version(database: Database) -> None:
    with database.begin() as connection:
        for statement in SECOND_VERSION_WRITES.strip().split(";\n"):
            connection.execute(text(statement), {"head": HEAD, "noon": NOON})


@pytest.fixture
def first_version(real_postgres: Postgres) -> Iterator[Database]:
    """What a process of the first version works on, with rows in its tables."""
    database = Database(real_postgres.create_database(f"first_version_{next(_NUMBERS)}"))
    revise(database, "0001")
    write_as_the_first_version(database)
    yield database
    database.close()


@pytest.fixture
def upgraded(first_version: Database) -> Iterator[Database]:
    """The same after the upgrade, seen by a process of this version."""
    database = Database(first_version.engine.url.render_as_string(hide_password=False))
    database.migrate()
    yield database
    database.close()


def migrate(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "migrate"],
        env={"PREFLIGHT_DATABASE_URL": url, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_connection_that_another_migration_ends_is_made_anew(
    real_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(real_postgres.create_database("migrated_after_an_end"), pool_size=1)
    really = database._migrate  # noqa: SLF001 - what comes between the connection and its lock
    ended: list[bool] = []

    def once_ended() -> None:
        if not ended:
            ended.append(True)
            with database.begin() as connection:
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        really()

    monkeypatch.setattr(database, "_migrate", once_ended)
    database.migrate()
    database.check()
    database.close()


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


def test_each_foreign_key_has_an_index(database: Database) -> None:
    """Else each row that is deleted has the table that points to it read whole."""
    query = """
        SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index
            WHERE indrelid = conrelid AND (indkey::smallint[])[0:cardinality(conkey) - 1] = conkey)
    """
    with database.once() as connection:
        assert list(connection.execute(text(query)).scalars()) == []


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


class TestFromTheFirstVersion:
    def test_what_was_decided_is_remembered(self, upgraded: Database) -> None:
        history = PostgresLedger(upgraded).history(REPOSITORY, 12, HEAD)
        (run,) = history.runs
        assert (run.id, run.phase, run.rules, run.inputs, run.branch) == ("a", Phase.WANTED, Rules(), {}, "")
        assert history.pushers == {HEAD: "alice"}
        assert history.verdicts == {
            "preflight/unit": Verdict("preflight/unit", "unit", run=run),
            "preflight/config": Verdict(
                "preflight/config",
                "",
                status=Status("preflight/config", StatusState.ERROR, "preflight.yaml can't be used"),
            ),
        }
        assert [audit.reason for audit in PostgresReader(upgraded).audits(run)] == ["a push"]

    def test_its_runs_were_admitted(self, upgraded: Database) -> None:
        """It knew no limits, and some of them are in Airflow."""
        (claim,) = PostgresRuns(upgraded).claim_runs(10)
        assert claim.run.admitted

    def test_what_waited_to_be_said_is_said(self, upgraded: Database) -> None:
        reports = PostgresReports(upgraded)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.view(claim).report == ReportPolicy()
        (reply,) = reports.pending_replies(claim)
        expected = PendingReply(Reply(5001, "hello"), reacted=False, attempted=False, asked_at=reply.asked_at)
        assert reply == expected

    def test_a_broken_configuration_is_found_again(self, upgraded: Database) -> None:
        ((_, number),) = PostgresLedger(upgraded).broken_pulls(REPOSITORY, "main")
        assert number == 12

    def test_and_back(self, first_version: Database, upgraded: Database) -> None:
        del first_version
        revise(upgraded, "0001", down=True)
        upgraded.migrate()
        assert len(PostgresLedger(upgraded).history(REPOSITORY, 12, HEAD).runs) == 1


class TestFromTheSecondVersion:
    @pytest.fixture
    def database(self, real_postgres: Postgres) -> Iterator[Database]:
        database = Database(real_postgres.create_database(f"second_version_{next(_NUMBERS)}"))
        revise(database, "0002")
        write_as_the_second_version(database)
        database.migrate()
        yield database
        database.close()

    def test_its_runs_are_read(self, database: Database) -> None:
        run = PostgresReader(database).run("b")
        assert run is not None
        assert (run.rules, run.steps[0].result) == (Rules(timeout=60.0), StepResult(0, "exit 0"))

    def test_they_are_listed_and_tell_how_long_others_take(self, database: Database) -> None:
        mine = RunQuery(author="bob", state="success", private=frozenset({42}))
        (listed,) = PostgresRunList(database).runs(mine)
        assert listed.run.id == "b"
        assert PostgresPast(database).usual([listed.run]) == {"b": 90}

    def test_what_became_private_meanwhile_is_private(self, database: Database) -> None:
        assert PostgresRunList(database).runs(RunQuery()) == []

    def test_what_it_showed_is_known(self, database: Database) -> None:
        reports = PostgresReports(database)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.view(claim).report == ReportPolicy(CommentPolicy.FAILURES)
        assert reports.comment(claim) == ShownComment(7, "abc", None, search=False)
        assert reports.shown(REPOSITORY, HEAD)["preflight/unit"].times == 1

    def test_old_runs_are_not_archived(self, database: Database) -> None:
        assert PostgresArchive(database).next_due() is None

    def test_what_it_still_writes_needs_no_place(self, database: Database) -> None:
        with database.begin() as connection:
            for table in ("verdicts", "runs", "pull_requests", "heads", "shown_statuses"):
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - a test's own
        write_as_the_second_version(database)
        assert len(PostgresRunList(database).runs(RunQuery())) == 1

    def test_and_back(self, database: Database) -> None:
        revise(database, "0002", down=True)
        database.migrate()
        self.test_its_runs_are_read(database)


class TestUnderAWorkingBot:
    def test_what_the_first_version_still_writes_needs_no_place(self, upgraded: Database) -> None:
        with upgraded.begin() as connection:
            for table in ("verdicts", "runs", "pull_requests", "heads", "replies"):
                connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - a test's own
        write_as_the_first_version(upgraded)
        (claim,) = PostgresRuns(upgraded).claim_runs(10)
        assert claim.run.admitted

    def test_a_process_that_prepared_its_statements_before_goes_on(self, first_version: Database) -> None:
        def read() -> list[int]:
            with first_version.once() as connection:
                return list(connection.execute(text("SELECT number FROM runs")).scalars())

        for _ in range(10):
            read()
        other = Database(first_version.engine.url.render_as_string(hide_password=False), pool_size=1)
        other.migrate()
        other.close()
        with pytest.raises(StoreUnavailable):  # as when the database restarts
            read()
        assert [read() for _ in range(10)] == [[12]] * 10

    def test_a_deadlock_with_it_is_tried_again(self, first_version: Database) -> None:
        """The bot reads tables in its own order."""

        def migrate_it() -> None:
            other = Database(first_version.engine.url.render_as_string(hide_password=False), pool_size=1)
            other.migrate()
            other.check()
            other.close()

        with ThreadPoolExecutor(1) as pool:
            # Whoever has waited for longer gives up: the migration, unless this machine is very slow.
            with suppress(StoreUnavailable), first_version.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20s'"))
                connection.execute(text("SELECT 1 FROM verdicts"))
                migration = pool.submit(migrate_it)
                while not _somebody_waits_for_a_table(first_version):
                    assert not migration.done(), migration.result()
                connection.execute(text("SELECT 1 FROM runs"))
            migration.result(SECONDS)


def _somebody_waits_for_a_table(database: Database) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
    with database.once() as connection:
        return bool(connection.execute(text(query)).scalar())
