"""Finished runs that are still to be archived, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresArchive, PostgresLedger, PostgresRuns
from bot.adapters.postgres.leases import release_dead
from bot.claims import Turn
from bot.models import Outcome, Phase, Run
from tests.adapters.postgres_turns import one_at_a_time, reread, resume
from tests.examples import at, run
from tests.fixtures.postgres import admitted

pytestmark = pytest.mark.postgres


@pytest.fixture
def archive(database: Database) -> PostgresArchive:
    return PostgresArchive(database)


def follow(runs: PostgresRuns, *, ended: bool, outcome: Outcome = Outcome.SUCCESS) -> Run:
    """A look at the run that is due: it is in Airflow, and maybe over."""
    (claim,) = runs.claim_runs(1)
    now = replace(claim.run, phase=Phase.ACTIVE, dag_run_id=f"preflight~{claim.run.id}", started_at=at(1))
    if ended:
        now = replace(now, phase=Phase.FINISHED, outcome=outcome, finished_at=at(9))
    runs.save_run(claim, now, cancel_sent=False, seconds=None if ended else 0)
    return now


def ended(ledger: PostgresLedger, runs: PostgresRuns, one: Run | None = None, **how: Outcome) -> Run:
    ledger.apply(admitted(one or run()))
    return follow(runs, ended=True, **how)


def let_time_pass(database: Database, interval: str) -> None:
    with database.begin() as connection:
        connection.execute(
            text(
                "UPDATE runs SET archive_due_at = archive_due_at - CAST(:interval AS interval), "
                "lease_until = lease_until - CAST(:interval AS interval)"
            ),
            {"interval": interval},
        )


class TestDue:
    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_a_run_is_once_it_ended_however_it_did(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive, outcome: Outcome
    ) -> None:
        one = ended(ledger, runs, outcome=outcome)
        assert archive.next_due() == 0
        assert archive.claim_archive() == replace(one, attempt=1)

    def test_not_before(self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive) -> None:
        ledger.apply(admitted(run()))
        follow(runs, ended=False)
        assert archive.next_due() is None
        assert archive.claim_archive() is None

    def test_nor_one_that_never_was_in_airflow(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ledger.apply(admitted(run()))
        (claim,) = runs.claim_runs(1)
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.ERROR, finished_at=at(9))
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert archive.next_due() is None

    def test_nor_a_dry_run(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ended(ledger, runs, replace(run(), dryrun=True))
        assert archive.next_due() is None

    def test_those_that_wait_for_longest_come_first(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ids = [ended(ledger, runs, run(f"p{number}")).id for number in range(3)]
        claims = [archive.claim_archive() for _ in range(4)]
        assert [one and one.id for one in claims] == [*ids, None]

    def test_what_ended_long_ago_is_left_alone(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        """Whoever keeps no artifacts has no queue of a year when that changes."""
        ended(ledger, runs)
        let_time_pass(database, "8 days")
        assert archive.next_due() is None
        assert archive.claim_archive() is None


class TestClaims:
    def test_are_of_one_worker_until_they_end(
        self,
        database: Database,
        other_database: Database,
        ledger: PostgresLedger,
        runs: PostgresRuns,
        archive: PostgresArchive,
    ) -> None:
        other = PostgresArchive(other_database)
        ended(ledger, runs)
        assert archive.claim_archive() is not None
        assert other.claim_archive() is None
        left = archive.next_due()
        assert left is not None
        assert left > 60
        let_time_pass(database, "1 hour")
        assert other.claim_archive() is not None

    def test_what_is_archived_does_not_come_back(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ended(ledger, runs)
        claim = archive.claim_archive()
        assert claim is not None
        archive.archived(claim, seconds=None)
        assert archive.next_due() is None

    def test_what_could_not_be_comes_back(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ended(ledger, runs)
        claim = archive.claim_archive()
        assert claim is not None
        archive.archived(claim, seconds=30)
        due = archive.next_due()
        assert due is not None
        assert 0 < due <= 30
        assert archive.claim_archive() is None
        archive.archived(claim, seconds=0)
        assert archive.claim_archive() == claim


class TestResumed:
    def test_it_is_due_again_when_it_ends_again(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        one = ended(ledger, runs, outcome=Outcome.FAILURE)
        claim = archive.claim_archive()
        assert claim is not None
        archive.archived(claim, seconds=None)
        resume(ledger, one)
        assert archive.next_due() is None
        runs.admit(lambda queue, _: [Turn(waiting.id, admitted=True) for waiting in queue])
        follow(runs, ended=True)
        again = archive.claim_archive()
        assert again is not None
        assert (again.id, again.outcome) == (one.id, Outcome.SUCCESS)

    @pytest.mark.parametrize("seconds", [None, 0])
    def test_meanwhile_it_is_as_if_it_had_never_been_archived(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive, seconds: float | None
    ) -> None:
        one = ended(ledger, runs, outcome=Outcome.FAILURE)
        claim = archive.claim_archive()
        assert claim is not None
        resume(ledger, one)
        archive.archived(claim, seconds=seconds)
        assert archive.next_due() is None
        runs.admit(lambda queue, _: [Turn(waiting.id, admitted=True) for waiting in queue])
        follow(runs, ended=True)
        archive.archived(claim, seconds=None)
        assert archive.claim_archive() is not None

    def test_what_an_earlier_end_was_written_over_is_written_again(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        """A slow worker still archives the first end when another one has archived the second."""
        one = ended(ledger, runs, outcome=Outcome.FAILURE)
        slow = archive.claim_archive()
        assert slow is not None
        resume(ledger, one)
        runs.admit(lambda queue, _: [Turn(waiting.id, admitted=True) for waiting in queue])
        follow(runs, ended=True)
        quick = archive.claim_archive()
        assert quick is not None
        archive.archived(quick, seconds=None)
        assert archive.next_due() is None
        archive.archived(slow, seconds=None)
        again = archive.claim_archive()
        assert again is not None
        assert again.outcome is Outcome.SUCCESS
        archive.archived(again, seconds=None)
        assert archive.next_due() is None

    def test_one_that_is_refused_its_turn_ends_too(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        one = ended(ledger, runs, one_at_a_time(), outcome=Outcome.FAILURE)
        resume(ledger, one)
        runs.admit(lambda queue, _: [Turn(waiting.id, admitted=False, refusal="no") for waiting in queue])
        assert reread(database, one).outcome is Outcome.ERROR
        assert archive.next_due() == 0

    def test_one_that_was_never_there_leaves_nothing(
        self, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ledger.apply(replace(admitted(one_at_a_time())))
        waiting = replace(one_at_a_time("docs"), admitted=False)
        ledger.apply(replace(admitted(waiting), verdicts=(), dry_runs=(waiting,)))
        runs.admit(lambda queue, _: [Turn(one.id, admitted=False, refusal="no") for one in queue])
        assert archive.next_due() is None


class TestAKilledArchiver:
    """It holds its run for ten minutes, unless the living see that it is dead."""

    @pytest.fixture
    def theirs(self, other_database: Database) -> PostgresArchive:
        return PostgresArchive(other_database)

    def test_frees_its_run_at_once(
        self,
        database: Database,
        ledger: PostgresLedger,
        runs: PostgresRuns,
        archive: PostgresArchive,
        theirs: PostgresArchive,
    ) -> None:
        one = ended(ledger, runs)
        assert theirs.claim_archive() is not None
        assert archive.claim_archive() is None
        with database.begin() as connection:
            release_dead(connection)
        claim = archive.claim_archive()
        assert claim is not None
        assert claim.id == one.id

    def test_one_that_lives_keeps_it(
        self, other_database: Database, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ended(ledger, runs)
        assert PostgresArchive(other_database).claim_archive() is not None
        with other_database.begin() as living:
            living.execute(text("SELECT pg_advisory_xact_lock(:owner)"), {"owner": other_database.owner})
            with archive.database.begin() as connection:
                release_dead(connection)
            assert archive.claim_archive() is None

    def test_nothing_else_of_a_dead_worker_becomes_due_for_the_archive(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ledger.apply(admitted(run()))
        assert runs.claim_runs(1)
        with database.begin() as connection:
            assert release_dead(connection) == 1
        assert archive.next_due() is None
        assert runs.claim_runs(1)

    def test_a_run_that_goes_on_meanwhile_is_not_held_up(
        self, ledger: PostgresLedger, runs: PostgresRuns, theirs: PostgresArchive
    ) -> None:
        one = ended(ledger, runs, outcome=Outcome.FAILURE)
        first = theirs.claim_archive()
        assert first is not None
        resume(ledger, one)
        runs.admit(lambda queue, _: [Turn(waiting.id, admitted=True) for waiting in queue])
        (claim,) = runs.claim_runs(1)
        theirs.archived(first, seconds=None)
        assert runs.claim_runs(1) == [], "whoever archived it has no say about who holds it now"
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=0)
        assert runs.claim_runs(1)

    def test_what_was_archived_is_free(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, archive: PostgresArchive
    ) -> None:
        ended(ledger, runs)
        claim = archive.claim_archive()
        assert claim is not None
        archive.archived(claim, seconds=None)
        with database.begin() as connection:
            assert connection.execute(text("SELECT lease_until FROM runs")).scalar() is None
