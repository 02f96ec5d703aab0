"""What was decided, on a real PostgreSQL: whole or not at all, and once per comment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresReader, PostgresReports, PostgresRuns
from bot.models import (
    CancelKind,
    Cancellation,
    Change,
    Outcome,
    Phase,
    Reply,
    Run,
    Status,
    StatusState,
    Verdict,
)
from tests.examples import HEAD, HOSTILE, REPOSITORY, at, change, moved, pull, run, sha, wanted

pytestmark = pytest.mark.postgres


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database)


@pytest.fixture
def runs(database: Database) -> PostgresRuns:
    return PostgresRuns(database)


def remembered(ledger: PostgresLedger, number: int = 12, head: str = HEAD) -> tuple[Run, ...]:
    return ledger.history(REPOSITORY, number, head).runs


def finish(runs: PostgresRuns, outcome: Outcome = Outcome.SUCCESS) -> list[Run]:
    """End every run that is due."""
    ended = []
    for claim in runs.claim_runs(100):
        over = replace(claim.run, phase=Phase.FINISHED, outcome=outcome, finished_at=at(60))
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        ended.append(over)
    return ended


def count(database: Database, table: str) -> int:
    with database.begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a test's own


def cancellation(
    *which: Run, kind: CancelKind = CancelKind.PUSH, reason: str = "superseded by 1234567"
) -> Change:
    stop = Cancellation(tuple(one.id for one in which), kind, reason)
    return replace(change(), cancellations=(stop,))


class TestPushers:
    def test_the_first_word_counts(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "mallory")
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "mallory"}

    def test_is_remembered_for_a_head_that_was_reported_on_before(self, ledger: PostgresLedger) -> None:
        ledger.apply(change())
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {}
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "alice"}

    def test_reporting_on_a_head_does_not_forget_its_pusher(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        ledger.apply(change())
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "alice"}

    def test_is_of_one_pull_request(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 13, HEAD).pushers == {}

    @pytest.mark.parametrize("login", [HOSTILE, ""], ids=["hostile", "empty"])
    def test_takes_any_text(self, ledger: PostgresLedger, login: str) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, login)


class TestApply:
    def test_a_run_comes_back_as_it_was_decided(self, ledger: PostgresLedger) -> None:
        one = run(params={"steps": {"lint": "ruff check ."}})
        assert ledger.apply(wanted(one))
        assert remembered(ledger) == (replace(one, attempt=1),)

    def test_attempts_count_up_per_pipeline_and_head(self, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run("unit"), run("docs")))
        ledger.apply(wanted(run("unit")))
        ledger.apply(wanted(run("unit", head_sha=sha(2)), of=pull(head_sha=sha(2))))
        ledger.apply(wanted(run("unit", number=13), of=pull(number=13)))
        assert sorted((one.pipeline, one.head_sha, one.attempt) for one in remembered(ledger)) == [
            ("docs", HEAD, 1),
            ("unit", sha(2), 1),
            ("unit", HEAD, 1),
            ("unit", HEAD, 2),
        ]
        assert [one.attempt for one in remembered(ledger, 13)] == [1]

    def test_attempts_count_up_past_a_run_at_another_base(self, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run()))
        ledger.apply(wanted(run(base_ref="release"), of=pull(base_ref="release")))
        assert [one.attempt for one in remembered(ledger)] == [1, 2]

    def test_is_stored_whole_or_not_at_all(self, database: Database, ledger: PostgresLedger) -> None:
        one = run()
        with pytest.raises(Exception, match="duplicate"):
            ledger.apply(replace(wanted(one, replace(one, pipeline="docs")), reply=Reply(5001, "hello")))
        for table in ("runs", "verdicts", "replies", "decisions", "pull_requests", "heads"):
            assert count(database, table) == 0, table

    def test_a_comments_commands_run_once_whatever_delivery_brings_it(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        first = replace(wanted(run()), reply=Reply(5001, "started"), delivery_id="d-1")
        again = replace(wanted(run()), reply=Reply(5001, "started"), delivery_id="d-2")
        assert ledger.apply(first)
        assert not ledger.apply(again)
        assert len(remembered(ledger)) == 1
        assert count(database, "decisions") == 1

    def test_of_many_deliveries_of_one_comment_at_once_one_counts(self, ledger: PostgresLedger) -> None:
        with ThreadPoolExecutor(4) as pool:
            changes = [replace(wanted(run()), reply=Reply(5001)) for _ in range(12)]
            assert sum(pool.map(ledger.apply, changes)) == 1
        assert len(remembered(ledger)) == 1

    def test_another_comment_counts_for_itself(self, ledger: PostgresLedger) -> None:
        assert ledger.apply(replace(change(), reply=Reply(5001)))
        assert ledger.apply(replace(change(), reply=Reply(5002)))

    def test_the_newest_verdict_of_a_context_counts(self, database: Database, ledger: PostgresLedger) -> None:
        waiting = Status("preflight/unit", StatusState.PENDING, "waiting: a maintainer must approve")
        ledger.apply(change(None, Verdict("preflight/unit", "unit", status=waiting)))
        one = run()
        ledger.apply(wanted(one))
        (verdict,) = PostgresReports(database).verdicts(REPOSITORY, HEAD)[12]
        assert verdict.run == replace(one, attempt=1)
        assert verdict.status is None

    def test_a_renamed_repository_stays_the_same_one(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        ledger.apply(wanted(run()))
        renamed = replace(REPOSITORY, full_name="acme/gadgets")
        ledger.apply(change(pull(repository=renamed)))
        assert count(database, "pull_requests") == 1
        claim = PostgresReports(database).claim_pull()
        assert claim is not None
        assert claim.repository.full_name == "acme/gadgets"


class TestCancel:
    def test_only_what_is_unfinished(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(wanted(run("unit")))
        (done,) = finish(runs)
        ledger.apply(wanted(run("docs")))
        ledger.apply(cancellation(*remembered(ledger)))
        asked = {one.pipeline: one.cancel for one in remembered(ledger)}
        assert asked == {done.pipeline: None, "docs": "superseded by 1234567"}

    def test_the_first_reason_counts(self, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(wanted(one))
        ledger.apply(cancellation(one, kind=CancelKind.COMMAND, reason="by rita"))
        ledger.apply(cancellation(one))
        (found,) = remembered(ledger)
        assert (found.cancel, found.cancel_kind) == ("by rita", CancelKind.COMMAND)

    def test_makes_the_run_due_at_once(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(wanted(run()))
        (claim,) = runs.claim_runs(1)
        runs.save_run(claim, replace(claim.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=100)
        assert runs.claim_runs(1) == []
        ledger.apply(cancellation(claim.run))
        assert [found.run.cancel for found in runs.claim_runs(1)] == ["superseded by 1234567"]

    def test_has_the_head_of_the_stopped_run_reported_on(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        old = run(head_sha=sha(1))
        ledger.apply(wanted(old, of=pull(head_sha=sha(1))))
        ledger.apply(replace(cancellation(old), pull=moved(pull(head_sha=sha(1)), HEAD)))
        reports = PostgresReports(database)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.unsettled_heads(claim) == [HEAD, sha(1)]


class TestHistory:
    def test_runs_come_oldest_first(self, ledger: PostgresLedger) -> None:
        for seconds in (30, 10, 20):
            ledger.apply(wanted(run(created_at=at(seconds))))
        assert [one.created_at for one in remembered(ledger)] == [at(10), at(20), at(30)]

    def test_an_unfinished_run_is_never_forgotten(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        """Not even behind hundreds of newer ones: it may have to be stopped."""
        oldest = run("oldest")
        ledger.apply(wanted(oldest))
        runs.claim_runs(1)
        ledger.apply(wanted(*(run(f"p{number}", created_at=at(number + 1)) for number in range(210))))
        finish(runs)
        finish(runs)
        finish(runs)
        assert oldest.id in {one.id for one in remembered(ledger)}

    @pytest.mark.parametrize(
        ("state", "broken"),
        [(StatusState.ERROR, True), (StatusState.SUCCESS, False)],
        ids=["broken", "mended"],
    )
    def test_knows_whether_this_head_shows_a_broken_configuration(
        self, ledger: PostgresLedger, state: StatusState, *, broken: bool
    ) -> None:
        status = Status("preflight/config", state, "preflight.yaml can't be used: see the comment")
        ledger.apply(change(None, Verdict("preflight/config", "", status=status)))
        assert ledger.history(REPOSITORY, 12, HEAD).config_broken is broken
        assert ledger.history(REPOSITORY, 12, sha(9)).config_broken is False


class TestHostileText:
    """GitHub and Airflow may hand us anything; none of it may stop a delivery."""

    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param(replace(change(), reason=HOSTILE), id="reason"),
            pytest.param(replace(change(), actor=HOSTILE), id="actor"),
            pytest.param(replace(change(), notice=HOSTILE), id="notice"),
            pytest.param(replace(change(), reply=Reply(5001, HOSTILE)), id="reply"),
            pytest.param(change(pull(title=HOSTILE, head_ref=HOSTILE, labels=(HOSTILE,))), id="pull-request"),
            pytest.param(
                change(None, Verdict("c", "p", status=Status("c", StatusState.ERROR, HOSTILE))), id="status"
            ),
            pytest.param(wanted(run(params={"x": HOSTILE, HOSTILE: [HOSTILE]})), id="params"),
            pytest.param(wanted(replace(run(), actor=HOSTILE)), id="run-actor"),
        ],
    )
    def test_is_stored_without_what_can_not_be_stored(self, ledger: PostgresLedger, hostile: Change) -> None:
        assert ledger.apply(hostile)

    def test_a_reason_to_cancel(self, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(wanted(one))
        assert ledger.apply(cancellation(one, reason=HOSTILE))


def test_a_run_of_a_killed_worker_can_still_be_read(database: Database, ledger: PostgresLedger) -> None:
    """What `release_dead` leaves is still a row that everybody can read."""
    one = run()
    ledger.apply(wanted(one))
    PostgresRuns(Database(str(database.engine.url), pool_size=1)).claim_runs(1)
    with database.begin() as connection:
        from bot.adapters.postgres.leases import release_dead  # noqa: PLC0415 - only this test looks inside

        assert release_dead(connection) == 1
    assert [found.id for found in remembered(ledger)] == [one.id]
    assert PostgresReader(database).run(one.id) is not None
    assert PostgresReports(database).verdicts(REPOSITORY, HEAD)[12]
