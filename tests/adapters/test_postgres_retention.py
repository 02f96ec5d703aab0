"""What is long over is forgotten, and nothing else, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.adapters.postgres import (
    Database,
    PostgresInbox,
    PostgresLedger,
    PostgresReader,
    PostgresRetention,
    PostgresRuns,
)
from bot.adapters.postgres.database import lock_key
from bot.claims import Keep
from bot.errors import StoreUnavailable
from bot.models import Delivery, Outcome, Phase, Reply, Run, Step, StepState, Subject
from tests.examples import HEAD, at, branch, pull, run, wanted
from tests.fixtures.postgres import admitted

pytestmark = pytest.mark.postgres

KEEP = Keep(deliveries=timedelta(days=14), logs=timedelta(days=60), runs=timedelta(days=365))
TIMES = {
    "deliveries": ("received_at", "finished_at", "due_at"),
    "delivery_parts": ("received_at",),
    "runs": ("created_at", "started_at", "finished_at"),
    "heads": ("seen_at",),
    "decisions": ("decided_at",),
    "replies": ("created_at",),
    "approvals": ("approved_at",),
    "shown_statuses": ("sent_at",),
    "shown_checks": ("sent_at",),
    "test_suites": ("ended_at",),
    "ticket_uses": ("used_at",),
    "github_spending": ("at",),
}
MOVED = replace(pull(), head_sha="b" * 40)
CLOSED = replace(pull(), open=False)
FEATURE = branch("feature")


@pytest.fixture
def retention(database: Database) -> PostgresRetention:
    return PostgresRetention(database)


@pytest.fixture
def reader(database: Database) -> PostgresReader:
    return PostgresReader(database)


def let_days_pass(database: Database, days: float) -> None:
    """Everything that was ever written down was so much earlier; what was to be reported is."""
    with database.begin() as connection:
        for table, columns in TIMES.items():
            moved = ", ".join(f"{column} = {column} - make_interval(days => :days)" for column in columns)
            statement = f"UPDATE {table} SET {moved}"  # noqa: S608 - our own words
            connection.execute(text(statement), {"days": days})
        connection.execute(text("UPDATE heads SET settled = true"))
        connection.execute(text("UPDATE pull_requests SET due_at = NULL"))


def rows(database: Database, table: str, where: str = "true") -> int:
    with database.once() as connection:
        statement = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 - our own words
        return int(connection.execute(text(statement)).scalar_one())


def prune(retention: PostgresRetention, keep: Keep = KEEP) -> dict[str, int]:
    """All that there is to forget."""
    pruned: dict[str, int] = {}
    while found := retention.prune(keep):
        pruned = {kind: pruned.get(kind, 0) + found.get(kind, 0) for kind in pruned | dict(found)}
    return pruned


def ended(ledger: PostgresLedger, runs: PostgresRuns, of: Subject, one: Run | None = None) -> Run:
    """A run at that head, over, with the log of a step that failed."""
    one = one or run()
    ledger.apply(admitted(replace(one, head_sha=of.head_sha, number=of.number), of=of))
    (claim,) = [claim for claim in runs.claim_runs(9) if claim.run.id == one.id]
    step = Step("run", -1, "lint", StepState.FAILED, try_number=1, excerpt=("E  boom",))
    over = replace(
        claim.run,
        phase=Phase.FINISHED,
        dag_run_id=f"preflight~{one.id}",
        outcome=Outcome.FAILURE,
        started_at=at(1),
        finished_at=at(9),
        steps=(step,),
    )
    runs.save_run(claim, over, cancel_sent=False, seconds=None)
    with runs.database.begin() as connection:
        connection.execute(text("UPDATE runs SET finished_at = now() WHERE id = :id"), {"id": one.id})
    return over


class TestDeliveries:
    @pytest.mark.parametrize(
        ("state", "days", "kept"),
        [
            ("done", 13, True),
            ("done", 15, False),
            ("ignored", 15, False),
            ("parked", 364, True),
            ("parked", 366, False),
            ("queued", 9999, True),
            ("working", 9999, True),
        ],
    )
    def test_by_state_and_age(
        self, database: Database, retention: PostgresRetention, state: str, days: float, *, kept: bool
    ) -> None:
        PostgresInbox(database).put(Delivery("one", "push", b"{}", "1"))
        ends = None if state in ("queued", "working") else datetime.now(UTC)
        with database.begin() as connection:
            connection.execute(
                text("UPDATE deliveries SET state = :state, finished_at = :ends"),
                {"state": state, "ends": ends},
            )
        let_days_pass(database, days)
        prune(retention)
        assert rows(database, "deliveries") == kept

    def test_one_that_waited_long_counts_from_its_end(
        self, database: Database, retention: PostgresRetention
    ) -> None:
        PostgresInbox(database).put(Delivery("one", "push", b"{}", "1"))
        let_days_pass(database, 100)
        with database.begin() as connection:
            connection.execute(text("UPDATE deliveries SET state = 'done', finished_at = now()"))
        assert prune(retention) == {}

    def test_many_go_in_pieces_and_the_young_are_not_touched(self, database: Database) -> None:
        inbox = PostgresInbox(database)
        for number in range(25):
            inbox.put(Delivery(f"old-{number}", "push", b"{}", f"{number}"))
        with database.begin() as connection:
            connection.execute(text("UPDATE deliveries SET state = 'done', finished_at = now()"))
        let_days_pass(database, 15)
        inbox.put(Delivery("young", "push", b"{}", "1"))
        small = PostgresRetention(database, most=10)
        assert [small.prune(KEEP).get("deliveries", 0) for _ in range(4)] == [10, 10, 5, 0]
        assert rows(database, "deliveries") == 1


class TestLogs:
    def test_only_the_lines_go(
        self,
        database: Database,
        ledger: PostgresLedger,
        runs: PostgresRuns,
        retention: PostgresRetention,
        reader: PostgresReader,
    ) -> None:
        over = ended(ledger, runs, pull())
        ledger.apply(wanted(of=CLOSED))
        let_days_pass(database, 61)
        assert prune(retention)["logs"] == 1
        left = reader.run(over.id)
        assert left is not None
        assert [replace(step, excerpt=("E  boom",)) for step in left.steps] == list(over.steps)
        assert left.steps[0].excerpt is None
        assert prune(retention) == {}

    def test_an_open_pull_request_still_shows_them(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, retention: PostgresRetention
    ) -> None:
        ended(ledger, runs, pull())
        let_days_pass(database, 61)
        assert "logs" not in prune(retention)

    def test_in_pieces_without_forgetting_one(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        for number in range(5):
            ended(ledger, runs, pull(), run(f"p{number}"))
        ledger.apply(wanted(of=CLOSED))
        let_days_pass(database, 61)
        small = PostgresRetention(database, most=2)
        assert [small.prune(KEEP).get("logs", 0) for _ in range(4)] == [2, 2, 1, 0]


class TestRuns:
    def test_of_a_pull_request_that_closed_all_goes(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, retention: PostgresRetention
    ) -> None:
        ledger.apply(replace(wanted(of=pull()), reply=Reply(7, "")))
        ended(ledger, runs, pull())
        ledger.apply(wanted(of=CLOSED))
        let_days_pass(database, 366)
        prune(retention)
        tables = ("runs", "verdicts", "heads", "decisions", "replies", "pull_requests")
        left = dict.fromkeys(tables, 0) | {"decisions": 1, "replies": 1, "pull_requests": 1}
        assert {table: rows(database, table) for table in tables} == left, "that we serve it is known"

        ledger.apply(wanted(of=pull(number=pull().number + 1)))
        prune(retention)
        left |= {"decisions": 1, "replies": 0, "pull_requests": 1}
        assert {table: rows(database, table) for table in tables if table != "heads"} == {
            table: count for table, count in left.items() if table != "heads"
        }

    def test_an_open_one_keeps_its_head_and_loses_older_ones(
        self,
        database: Database,
        ledger: PostgresLedger,
        runs: PostgresRuns,
        retention: PostgresRetention,
        reader: PostgresReader,
    ) -> None:
        before = ended(ledger, runs, pull())
        now = ended(ledger, runs, MOVED, run())
        let_days_pass(database, 366)
        prune(retention)
        assert reader.run(before.id) is None
        assert reader.run(now.id) is not None
        verdicts = ledger.history(MOVED.repository, MOVED.number, MOVED.head_sha).verdicts
        assert [verdict.run and verdict.run.id for verdict in verdicts.values()] == [now.id]

    def test_an_unfinished_one_stays_whatever_its_age(
        self, database: Database, ledger: PostgresLedger, retention: PostgresRetention
    ) -> None:
        ledger.apply(admitted(run()))
        ledger.apply(wanted(of=CLOSED))
        let_days_pass(database, 9999)
        prune(retention)
        assert rows(database, "runs") == 1
        assert rows(database, "pull_requests") == 1

    def test_decisions_still_follow_one_another(
        self, database: Database, ledger: PostgresLedger, retention: PostgresRetention
    ) -> None:
        for _ in range(3):
            ledger.apply(wanted(of=pull()))
        latest = ledger.history(pull().repository, pull().number, "a").decision
        let_days_pass(database, 366)
        assert prune(retention)["decisions"] == 2
        assert ledger.history(pull().repository, pull().number, "a").decision == latest

    def test_a_comment_that_was_obeyed_is_known_while_its_pull_request_is_open(
        self, database: Database, ledger: PostgresLedger, retention: PostgresRetention
    ) -> None:
        once = replace(wanted(of=pull()), reply=Reply(7, ""))
        assert ledger.apply(once)
        let_days_pass(database, 9999)
        prune(retention)
        assert not ledger.apply(once)


OF_A_COMMIT = (
    """INSERT INTO shown_statuses (repository_id, sha, context, state, description, target_url)
    VALUES (42, :sha, 'unit', 'success', '', '')""",
    """INSERT INTO shown_checks
    (repository_id, sha, name, external_id, digest, sent_at, annotated, annotating, completed)
    VALUES (42, :sha, 'unit', '', '', now(), 0, false, true)""",
)


class TestBranches:
    """That one was deleted we do not hear: it counts as open while the latest decision about it is young."""

    TABLES = ("runs", "verdicts", "heads", "decisions", "shown_statuses", "shown_checks", "pull_requests")

    @pytest.fixture(autouse=True)
    def shown(self, database: Database, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        """A branch shows what a run at its head came to; a pull request has nothing to show."""
        ended(ledger, runs, FEATURE)
        ledger.apply(wanted(of=MOVED))
        with database.begin() as connection:
            for statement in OF_A_COMMIT:
                connection.execute(text(statement), {"sha": HEAD})

    def left(self, database: Database) -> dict[str, int]:
        """The rows of the branch and its commit, by table."""
        return {
            table: rows(database, table, f"sha = '{HEAD}'" if table.startswith("shown") else "number < 0")
            for table in self.TABLES
        }

    def test_a_young_one_shows_its_head(self, database: Database, retention: PostgresRetention) -> None:
        let_days_pass(database, 364)
        assert prune(retention) == {}
        assert self.left(database) == dict.fromkeys(self.TABLES, 1)

    def test_of_an_old_one_all_goes(self, database: Database, retention: PostgresRetention) -> None:
        let_days_pass(database, 366)
        prune(retention)
        assert self.left(database) == dict.fromkeys(self.TABLES, 0)

    def test_one_whose_old_head_was_decided_about_of_late_shows_it(
        self, database: Database, ledger: PostgresLedger, retention: PostgresRetention
    ) -> None:
        """Somebody had it run again, or moved the branch back to it."""
        let_days_pass(database, 366)
        ledger.apply(wanted(of=FEATURE))
        let_days_pass(database, 100)
        prune(retention)
        assert self.left(database) == dict.fromkeys(self.TABLES, 1)

    def test_the_newest_of_a_repository_is_known(
        self, database: Database, retention: PostgresRetention
    ) -> None:
        let_days_pass(database, 366)
        with database.begin() as connection:
            connection.execute(text("DELETE FROM pull_requests WHERE number > 0"))
        prune(retention)
        assert self.left(database) == dict.fromkeys(self.TABLES, 0) | {"decisions": 1, "pull_requests": 1}

    def test_an_open_pull_request_keeps_what_their_commit_shows(
        self, database: Database, ledger: PostgresLedger, retention: PostgresRetention
    ) -> None:
        ledger.apply(wanted(of=pull()))
        let_days_pass(database, 366)
        prune(retention)
        kept = {"shown_statuses": 1, "shown_checks": 1}
        assert self.left(database) == dict.fromkeys(self.TABLES, 0) | kept

    def test_one_that_comes_back_begins_anew(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, retention: PostgresRetention
    ) -> None:
        let_days_pass(database, 366)
        prune(retention)
        ended(ledger, runs, FEATURE)
        assert prune(retention) == {}
        assert self.left(database)["runs"] == 1


def test_nothing_young_is_forgotten(
    database: Database, ledger: PostgresLedger, runs: PostgresRuns, retention: PostgresRetention
) -> None:
    ended(ledger, runs, pull())
    ledger.apply(wanted(of=CLOSED))
    let_days_pass(database, 10)
    assert prune(retention) == {}


def test_what_somebody_works_on_is_stepped_over(
    database: Database, ledger: PostgresLedger, runs: PostgresRuns, retention: PostgresRetention
) -> None:
    over = ended(ledger, runs, pull())
    ledger.apply(wanted(of=CLOSED))
    let_days_pass(database, 366)
    with database.begin() as connection:
        connection.execute(text("SELECT FROM runs WHERE id = :id FOR UPDATE"), {"id": over.id})
        assert "runs" not in retention.prune(KEEP)
    assert prune(retention)["runs"] == 1


def test_one_worker_at_a_time(database_url: str, database: Database, retention: PostgresRetention) -> None:
    PostgresInbox(database).put(Delivery("one", "push", b"{}", "1"))
    with database.begin() as connection:
        connection.execute(text("UPDATE deliveries SET state = 'done', finished_at = now()"))
    let_days_pass(database, 15)
    other = Database(database_url, pool_size=1)
    try:
        with other.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("retention")})
            assert retention.prune(KEEP) == {}
        assert retention.prune(KEEP) == {"deliveries": 1}
    finally:
        other.close()


BELONG_TO_NOBODY = (
    """INSERT INTO shown_statuses (repository_id, sha, context, state, description, target_url, sent_at)
    SELECT 1, n::text, 'unit', 'success', '', '', now() FROM generate_series(1, 5) AS n""",
    """INSERT INTO github_spending (account, name, at, cost)
    SELECT 'gone', 'points', now(), 1 FROM generate_series(1, 5)""",
    """INSERT INTO delivery_parts (id, part, parts, body)
    SELECT 'whole', n, 9, '' FROM generate_series(1, 5) AS n""",
)


@pytest.mark.parametrize("kind", ["statuses", "spending", "parts of deliveries"])
def test_what_belongs_to_no_pull_request_goes_in_pieces_too(database: Database, kind: str) -> None:
    with database.begin() as connection:
        for statement in BELONG_TO_NOBODY:
            connection.execute(text(statement))
    let_days_pass(database, 366)
    small = PostgresRetention(database, most=2)
    assert [small.prune(KEEP).get(kind, 0) for _ in range(4)] == [2, 2, 1, 0]


REFUSE = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no such luck'"""
REFUSES = "CREATE TRIGGER refuses BEFORE DELETE ON runs FOR EACH ROW EXECUTE FUNCTION refuse()"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("query_canceled", StoreUnavailable),  # it took too long
        ("data_exception", DBAPIError),
    ],
)
def test_a_kind_that_cannot_be_forgotten_holds_up_no_other(
    database: Database, ledger: PostgresLedger, runs: PostgresRuns, code: str, error: type[Exception]
) -> None:
    ended(ledger, runs, pull())
    ledger.apply(wanted(of=CLOSED))
    with database.begin() as connection:
        for statement in BELONG_TO_NOBODY:
            connection.execute(text(statement))
        connection.execute(text(f"{REFUSE} USING ERRCODE = '{code}'; END $$"))
        connection.execute(text(REFUSES))
    let_days_pass(database, 366)
    small = PostgresRetention(database, most=3)
    later = {"heads", "decisions", "statuses", "spending"}
    assert later <= set(small.prune(KEEP)), "after the runs, which can't be forgotten"
    assert small.prune(KEEP) == {"parts of deliveries": 2, "statuses": 2, "spending": 2}
    with pytest.raises(error, match="no such luck"):
        small.prune(KEEP)
    assert rows(database, "runs") == 1
