"""What else a decision can say, on a real PostgreSQL: resume, dry runs, approvals, overrides, branches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresReader, PostgresReports, PostgresRuns
from bot.claims import Turn
from bot.models import (
    CancelKind,
    Cancellation,
    Change,
    Limit,
    Outcome,
    Phase,
    Rules,
    Run,
    Status,
    StatusState,
    Step,
    StepState,
    Verdict,
)
from tests.examples import HEAD, HOSTILE, REPOSITORY, at, branch, change, pull, run, sha, wanted
from tests.fixtures.postgres import admitted, settle

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.postgres

STEPS = (Step("run", 0, "lint", StepState.FAILED, 1, at(2), at(3)),)
OVERRIDDEN = Verdict(
    "preflight/unit",
    "unit",
    status=Status("preflight/unit", StatusState.SUCCESS, "overridden by @rita: flaky"),
    override=True,
)


def resumption(*which: Run, of: Change | None = None) -> Change:
    return replace(of or change(), resumed=tuple(one.id for one in which))


def remembered(ledger: PostgresLedger, one: Run) -> Run:
    found = {run.id: run for run in ledger.history(one.repository, one.number, one.head_sha).runs}
    return found[one.id]


def says(ledger: PostgresLedger) -> Mapping[str, Verdict]:
    return ledger.history(REPOSITORY, 12, HEAD).verdicts


def ended(
    ledger: PostgresLedger,
    runs: PostgresRuns,
    one: Run,
    *,
    outcome: Outcome = Outcome.FAILURE,
    dag_run_id: str | None = "preflight~x",
) -> Run:
    """The run after Airflow is done with it, as it is stored."""
    ledger.apply(admitted(one))
    (claim,) = runs.claim_runs(10)
    over = replace(
        claim.run,
        phase=Phase.FINISHED,
        outcome=outcome,
        reason="lint failed",
        dag_run_id=dag_run_id,
        steps=STEPS,
        started_at=at(1),
        finished_at=at(4),
    )
    runs.save_run(claim, over, cancel_sent=False, seconds=None)
    return over


class TestResume:
    def test_the_run_goes_on_with_its_steps_known(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        over = ended(ledger, runs, run())
        ledger.apply(resumption(over))
        found = remembered(ledger, over)
        assert found.resumed_at is not None
        assert abs(found.resumed_at - datetime.now(UTC)) < timedelta(minutes=5)
        assert found == replace(
            over,
            phase=Phase.RESUMING,
            admitted=False,
            outcome=None,
            reason="",
            finished_at=None,
            resumed_at=found.resumed_at,
        )

    def test_what_stopped_it_is_forgotten(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        one = run()
        ledger.apply(admitted(one))
        stop = Cancellation((one.id,), CancelKind.COMMAND, "by rita")
        ledger.apply(replace(change(), cancellations=(stop,)))
        (claim,) = runs.claim_runs(1)
        over = replace(
            claim.run, phase=Phase.FINISHED, outcome=Outcome.CANCELLED, dag_run_id="preflight~x", note="n"
        )
        runs.save_run(claim, over, cancel_sent=True, seconds=None)
        ledger.apply(resumption(over))
        found = remembered(ledger, over)
        assert (found.cancel, found.cancel_kind, found.note) == (None, None, "")
        runs.admit(lambda queue, _: [Turn(each.id, admitted=True) for each in queue])
        (claim,) = runs.claim_runs(1)
        assert not claim.cancel_sent

    def test_a_second_time_does_nothing(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        over = ended(ledger, runs, run())
        ledger.apply(resumption(over))
        first = remembered(ledger, over)
        ledger.apply(resumption(over))
        assert remembered(ledger, over) == first

    @pytest.mark.parametrize(
        "what",
        [
            pytest.param("unfinished", id="one-that-goes-on"),
            pytest.param("nameless", id="one-that-never-was-in-airflow"),
            pytest.param("of-another", id="one-of-another-pull-request"),
            pytest.param("of-another-repository", id="one-of-another-repository"),
        ],
    )
    def test_leaves_alone(self, ledger: PostgresLedger, runs: PostgresRuns, what: str) -> None:
        one = run()
        of = change()
        if what == "unfinished":
            ledger.apply(wanted(one))
        elif what == "nameless":
            ended(ledger, runs, one, dag_run_id=None)
        else:
            ended(ledger, runs, one)
            other = replace(REPOSITORY, id=43) if what == "of-another-repository" else REPOSITORY
            of = change(pull(number=12 if other.id == 43 else 13, repository=other))
        before = remembered(ledger, one)
        ledger.apply(resumption(one, of=of))
        assert remembered(ledger, one) == before

    def test_its_context_shows_it_again(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        over = ended(ledger, runs, run())
        ledger.apply(
            change(
                None,
                Verdict(
                    "preflight/unit", "unit", status=Status("preflight/unit", StatusState.PENDING, "draft")
                ),
            )
        )
        ledger.apply(resumption(over))
        shown = says(ledger)["preflight/unit"].run
        assert shown is not None
        assert (shown.id, shown.phase) == (over.id, Phase.RESUMING)

    def test_also_one_of_its_own(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        over = ended(ledger, runs, replace(run(), inputs={"suite": "big"}))
        ledger.apply(resumption(over))
        assert set(says(ledger)) == {"preflight/unit (suite=big)"}

    def test_is_reported_at_once(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        over = ended(ledger, runs, run())
        settle(database)
        ledger.apply(resumption(over))
        reports = PostgresReports(database)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.unsettled_heads(claim) == [HEAD]

    def test_what_a_late_worker_still_saves_is_dropped(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        (claim,) = runs.claim_runs(1)
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.FAILURE, dag_run_id="preflight~x")
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        ledger.apply(resumption(over))
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert remembered(ledger, over).phase is Phase.RESUMING


class TestDue:
    """A run that waits for its turn is looked at when its time is over, and otherwise by admission only."""

    def test_after_a_day_where_nobody_said_anything_else(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(wanted(run(created_at=datetime.now(UTC))))
        due = runs.next_due()
        assert due is not None
        assert 86_000 < due <= 86_400

    def test_when_its_time_is_over(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(wanted(replace(run(), created_at=datetime.now(UTC), rules=Rules(timeout=1800.0))))
        due = runs.next_due()
        assert due is not None
        assert 1000 < due <= 1800

    @pytest.mark.parametrize("timeout", [86_400.0, 1800.0], ids=["default", "timeout"])
    def test_so_is_one_that_was_resumed(
        self, ledger: PostgresLedger, runs: PostgresRuns, timeout: float
    ) -> None:
        over = ended(ledger, runs, replace(run(), rules=Rules(timeout=timeout)))
        ledger.apply(resumption(over))
        due = runs.next_due()
        assert due is not None
        assert 0.9 * timeout < due <= timeout

    def test_a_nudge_does_not_make_it_due(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        """Airflow may still tell of the end that came before."""
        over = ended(ledger, runs, run())
        ledger.apply(resumption(over))
        assert not runs.nudge("preflight~x")
        assert (runs.next_due() or 0) > 80_000


class TestDryRuns:
    def test_no_context_shows_them(self, ledger: PostgresLedger) -> None:
        one = replace(run(), dryrun=True, comment_id=5001)
        ledger.apply(replace(change(), dry_runs=(one,)))
        assert remembered(ledger, one) == replace(one, attempt=1)
        assert says(ledger) == {}

    def test_nor_when_they_are_resumed(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        one = replace(run(), dryrun=True, comment_id=5001, admitted=True)
        ledger.apply(replace(change(), dry_runs=(one,)))
        (claim,) = runs.claim_runs(1)
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.ERROR, dag_run_id="preflight~x")
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        ledger.apply(resumption(over))
        assert remembered(ledger, over).phase is Phase.RESUMING
        assert says(ledger) == {}

    def test_count_as_attempts_of_their_pipeline(self, ledger: PostgresLedger) -> None:
        """DAG runs are named by it."""
        ledger.apply(wanted(run()))
        one = replace(run(), dryrun=True, comment_id=5001)
        ledger.apply(replace(change(), dry_runs=(one,)))
        assert remembered(ledger, one).attempt == 2


class TestApprovals:
    def test_are_of_one_head_of_one_pull_request(self, ledger: PostgresLedger) -> None:
        ledger.apply(replace(change(), approved=HEAD))
        ledger.apply(replace(change(pull(number=13)), approved=sha(2)))
        assert ledger.history(REPOSITORY, 12, HEAD).approved == {HEAD}
        assert ledger.history(REPOSITORY, 13, HEAD).approved == {sha(2)}

    def test_of_earlier_heads_are_kept(self, ledger: PostgresLedger) -> None:
        ledger.apply(replace(change(), approved=sha(1)))
        ledger.apply(replace(change(), approved=HEAD))
        assert ledger.history(REPOSITORY, 12, HEAD).approved == {sha(1), HEAD}

    def test_the_first_word_counts(self, database: Database, ledger: PostgresLedger) -> None:
        for actor in ("rita", "alice"):
            ledger.apply(replace(change(), actor=actor, approved=HEAD))
        with database.begin() as connection:
            assert connection.execute(text("SELECT actor FROM approvals")).scalars().all() == ["rita"]


class TestOverrides:
    def test_outlive_the_run_that_they_overrode(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(admitted(run()))
        (claim,) = runs.claim_runs(1)
        ledger.apply(change(None, OVERRIDDEN))
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.FAILURE)
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert says(ledger) == {"preflight/unit": OVERRIDDEN}

    def test_outlive_that_it_is_resumed(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        over = ended(ledger, runs, run())
        ledger.apply(change(None, OVERRIDDEN))
        ledger.apply(resumption(over))
        assert says(ledger) == {"preflight/unit": OVERRIDDEN}

    def test_end_with_a_new_run_at_their_head(self, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(change(None, OVERRIDDEN))
        ledger.apply(wanted(one))
        shown = says(ledger)["preflight/unit"]
        assert (shown.run, shown.override) == (replace(one, attempt=1), False)

    def test_are_of_one_head(self, ledger: PostgresLedger) -> None:
        ledger.apply(change(None, OVERRIDDEN))
        assert ledger.history(REPOSITORY, 12, sha(2)).verdicts == {}


class TestBranches:
    def test_are_remembered_as_pull_requests_are(self, ledger: PostgresLedger) -> None:
        subject = branch("gh-readonly-queue/main/pr-12", merge_group=True)
        one = replace(run(number=subject.number), branch=subject.name)
        ledger.apply(wanted(one, of=subject))
        history = ledger.history(REPOSITORY, subject.number, HEAD)
        assert history.runs == (replace(one, attempt=1),)
        assert history.verdicts["preflight/unit"].run == replace(one, attempt=1)
        assert ledger.history(REPOSITORY, 12, HEAD).runs == ()

    @pytest.mark.parametrize("name", ["main", HOSTILE.replace("\ud800", "")], ids=["plain", "hostile"])
    def test_are_reported_on(self, database: Database, ledger: PostgresLedger, name: str) -> None:
        subject = branch(name)
        ledger.apply(wanted(replace(run(number=subject.number), branch=name), of=subject))
        reports = PostgresReports(database)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.unsettled_heads(claim) == [HEAD]
        assert set(reports.verdicts(REPOSITORY, HEAD)) == {subject.number}

    def test_any_number_fits(self, ledger: PostgresLedger) -> None:
        lowest = -(2**56)
        ledger.record_push(REPOSITORY, lowest, HEAD, "alice")
        assert ledger.history(REPOSITORY, lowest, HEAD).pushers == {HEAD: "alice"}


class TestAudits:
    def test_tell_who_what_why_and_when(self, database: Database, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(replace(wanted(one), actor="rita", kind="run", reason="a comment", what="runs `unit`"))
        (audit,) = PostgresReader(database).audits(one)
        assert (audit.actor, audit.kind, audit.reason, audit.what, audit.head_sha) == (
            "rita",
            "run",
            "a comment",
            "runs `unit`",
            HEAD,
        )
        assert audit.decided_at.utcoffset() == timedelta(0)
        assert abs(audit.decided_at - datetime.now(UTC)) < timedelta(minutes=5)

    def test_come_newest_first_and_no_more_than_fifty(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        for number in range(60):
            ledger.apply(replace(change(), reason=str(number)))
        ledger.apply(replace(change(pull(number=13)), reason="of another"))
        told = [audit.reason for audit in PostgresReader(database).audits(run())]
        assert told == [str(number) for number in range(59, 9, -1)]


FULL = replace(
    run(),
    branch="main",
    number=branch("main").number,
    dryrun=True,
    comment_id=5001,
    inputs={"suite": "big", "shards": 3, "ratio": 1e22, "half": 0.5, "fast": True, "none": None},
    rules=Rules(
        timeout=1800.5,
        optional=True,
        supersede=False,
        needs=("unit", "docs"),
        limits=(Limit("installation", 10), Limit("pipeline:42:unit", 1)),
    ),
)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(run(), id="plain"),
        pytest.param(FULL, id="full"),
        pytest.param(replace(FULL, admitted=True), id="admitted"),
        pytest.param(replace(run(), rules=Rules(timeout=60)), id="timeout"),
        pytest.param(replace(run(), inputs={"a": "Ü ' \" \\ {}"}), id="odd-input"),
    ],
)
def test_all_of_a_run_comes_back(database: Database, ledger: PostgresLedger, one: Run) -> None:
    ledger.apply(wanted(one))
    found = PostgresReader(database).run(one.id)
    assert found == replace(one, attempt=1)
    assert found.context == one.context
