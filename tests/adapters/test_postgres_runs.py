"""Runs as a queue, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.postgres import Database, PostgresLedger, PostgresReader, PostgresReports, PostgresRuns
from bot.models import CancelKind, Cancellation, Outcome, Phase, Rules, Run, Step, StepResult, StepState
from tests.examples import HOSTILE, at, change, run, wanted
from tests.fixtures.postgres import admitted, let_leases_end, settle

if TYPE_CHECKING:
    from bot.claims import RunClaim

pytestmark = pytest.mark.postgres

STEPS = (
    Step(
        "clone",
        -1,
        "clone",
        StepState.SUCCEEDED,
        1,
        at(1),
        at(2),
        StepResult(0, "exit 0", "git clone", "git"),
    ),
    Step(
        "run",
        0,
        "lint",
        StepState.FAILED,
        2,
        at(2),
        at(3),
        StepResult(1, "exit 1 after 1s"),
        ("E501", "long"),
    ),
    Step("run", 1, "test", StepState.RUNNING, 1, at(2)),
    Step("report", -1, "report", StepState.WAITING),
)


def take(runs: PostgresRuns) -> RunClaim:
    (claim,) = runs.claim_runs(1)
    return claim


def reread(database: Database, one: Run) -> Run:
    found = PostgresReader(database).run(one.id)
    assert found is not None
    return found


class TestClaim:
    def test_an_admitted_run_is_due_at_once(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        one = run()
        ledger.apply(admitted(one))
        assert runs.next_due() == 0
        claim = take(runs)
        assert claim.run == replace(one, attempt=1, admitted=True)
        assert claim.cancel_sent is False

    def test_nobody_else_gets_it(
        self, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        take(runs)
        assert other.claim_runs(10) == []
        assert runs.claim_runs(10) == []

    def test_a_lease_that_ended_is_taken_over(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        lost = take(runs)
        let_leases_end(database)
        assert take(other).run == lost.run

    def test_takes_no_more_than_asked_for(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(admitted(*(run(f"p{number}") for number in range(5))))
        assert [len(runs.claim_runs(3)), len(runs.claim_runs(3)), len(runs.claim_runs(3))] == [3, 2, 0]

    def test_those_asked_to_stop_come_first(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        first, second = run("unit", created_at=at(1)), run("docs", created_at=at(2))
        ledger.apply(admitted(first, second))
        stop = Cancellation((second.id,), CancelKind.COMMAND, "by rita")
        ledger.apply(replace(change(), cancellations=(stop,)))
        assert [claim.run.pipeline for claim in runs.claim_runs(2)] == ["docs", "unit"]


class TestSave:
    def test_all_that_is_known_comes_back(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        known = replace(
            claim.run,
            phase=Phase.ACTIVE,
            dag_run_id="preflight~a",
            note="a note",
            steps=STEPS,
            started_at=at(1),
        )
        runs.save_run(claim, known, cancel_sent=True, seconds=0)
        again = take(runs)
        assert again.run == known
        assert again.cancel_sent is True
        runs.save_run(
            again,
            replace(
                known, phase=Phase.FINISHED, outcome=Outcome.FAILURE, reason="lint failed", finished_at=at(9)
            ),
            cancel_sent=True,
            seconds=None,
        )
        over = reread(database, known)
        assert (over.outcome, over.reason, over.finished_at) == (Outcome.FAILURE, "lint failed", at(9))
        assert runs.next_due() is None

    def test_it_is_looked_at_again_when_it_should_be(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=100)
        assert runs.claim_runs(1) == []
        due = runs.next_due()
        assert due is not None
        assert 50 < due <= 100

    def test_what_people_see_is_reported_at_once(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        settle(database)
        claim = take(runs)
        runs.save_run(claim, replace(claim.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=100)
        assert PostgresReports(database).next_due() == 0

    def test_what_is_unchanged_is_not(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        settle(database)
        claim = take(runs)
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=100)
        assert PostgresReports(database).next_due() is None

    def test_from_a_lease_that_ended_is_dropped(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        one = run()
        ledger.apply(admitted(one))
        late = take(runs)
        let_leases_end(database)
        now = take(other)
        over = replace(late.run, phase=Phase.FINISHED, outcome=Outcome.ERROR, reason="late")
        runs.save_run(late, over, cancel_sent=False, seconds=None)
        assert reread(database, one).phase is Phase.WANTED
        assert runs.claim_runs(1) == [], "the new holder keeps its lease"
        other.save_run(now, replace(now.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=100)
        assert reread(database, one).phase is Phase.ACTIVE

    def test_what_was_begun_too_late_is_looked_at_again(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        """Who stopped it meanwhile found nothing in Airflow, where it goes on now: it has to end there."""
        ledger.apply(admitted(run()))
        late = take(runs)
        assert runs.intend(late, "preflight~1")
        let_leases_end(database)
        now = take(other)
        over = replace(now.run, phase=Phase.FINISHED, outcome=Outcome.CANCELLED)
        other.save_run(now, over, cancel_sent=False, seconds=None)
        assert runs.claim_runs(1) == []
        begun = replace(late.run, phase=Phase.ACTIVE, dag_run_id="preflight~1")
        runs.save_run(late, begun, cancel_sent=False, seconds=2)
        (claim,) = other.claim_runs(1)
        assert claim.run.finished
        assert claim.run.dag_run_id == "preflight~1"

    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param({"note": HOSTILE}, id="note"),
            pytest.param({"reason": HOSTILE}, id="reason"),
            pytest.param({"steps": (Step("t", 0, HOSTILE, StepState.FAILED),)}, id="step-name"),
            pytest.param({"steps": (Step(HOSTILE, 0, "t", StepState.FAILED),)}, id="task-id"),
            pytest.param(
                {
                    "steps": (
                        Step("t", 0, "t", StepState.FAILED, result=StepResult(1, HOSTILE, HOSTILE, HOSTILE)),
                    )
                },
                id="result",
            ),
            pytest.param({"steps": (Step("t", 0, "t", StepState.FAILED, excerpt=(HOSTILE,)),)}, id="excerpt"),
        ],
    )
    def test_hostile_text_is_stored_without_what_can_not_be_stored(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, hostile: dict[str, object]
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.FAILURE, **hostile)  # type: ignore[arg-type]  # names are the test's
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert reread(database, over).outcome is Outcome.FAILURE


class TestGiveBack:
    """Many at once, in which nothing has changed."""

    def test_each_is_looked_at_again_when_it_should_be(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run(), run(pipeline="docs")))
        first, second = runs.claim_runs(2)
        runs.give_back([(first, 0.0), (second, 100.0)])
        assert [claim.run for claim in runs.claim_runs(2)] == [first.run]
        due = runs.next_due()
        assert due is not None
        assert 50 < due <= 100

    def test_nothing_is_reported(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        settle(database)
        runs.give_back([(take(runs), 100.0)])
        assert PostgresReports(database).next_due() is None

    def test_what_was_nudged_meanwhile_is_looked_at_at_once(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        assert runs.intend(claim, "preflight~1")
        assert runs.nudge("preflight~1")
        runs.give_back([(claim, 100.0)])
        assert runs.next_due() == 0

    def test_from_a_lease_that_ended_is_dropped(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        late = take(runs)
        let_leases_end(database)
        take(other)
        runs.give_back([(late, 0.0)])
        assert runs.claim_runs(1) == [], "the new holder keeps its lease"

    def test_none_is_nothing(self, runs: PostgresRuns) -> None:
        runs.give_back([])


class TestTimeIsOver:
    """The reconciler stops a run whose time is over, waiting or not."""

    def test_that_it_stopped_the_run_is_kept(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        late = replace(claim.run, cancel="timed out after 30m", cancel_kind=CancelKind.TIMEOUT)
        runs.save_run(claim, late, cancel_sent=True, seconds=1)
        assert reread(database, late) == late

    def test_somebodys_word_that_came_meanwhile_wins(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        stop = Cancellation((claim.run.id,), CancelKind.COMMAND, "by rita")
        ledger.apply(replace(change(), cancellations=(stop,)))
        late = replace(claim.run, cancel="timed out after 30m", cancel_kind=CancelKind.TIMEOUT)
        runs.save_run(claim, late, cancel_sent=True, seconds=100)
        found = reread(database, late)
        assert (found.cancel, found.cancel_kind) == ("by rita", CancelKind.COMMAND)
        assert runs.next_due() == 0

    def test_one_that_waits_for_its_turn_is_claimed_then(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(wanted(replace(run(), rules=Rules(timeout=0))))
        claim = take(runs)
        assert not claim.run.admitted
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.TIMED_OUT)
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert reread(database, over).outcome is Outcome.TIMED_OUT

    def test_looking_at_it_admits_nobody(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(wanted(replace(run(), rules=Rules(timeout=0))))
        claim = take(runs)
        runs.save_run(claim, replace(claim.run, admitted=True), cancel_sent=False, seconds=None)
        assert not reread(database, claim.run).admitted
        assert runs.next_due() is None


class TestMeanwhile:
    """What happens while somebody holds the run is not lost."""

    def active(self, ledger: PostgresLedger, runs: PostgresRuns) -> RunClaim:
        ledger.apply(admitted(run()))
        claim = take(runs)
        runs.intend(claim, "preflight~x")
        running = replace(claim.run, phase=Phase.ACTIVE, dag_run_id="preflight~x")
        runs.save_run(claim, running, cancel_sent=False, seconds=0)
        return take(runs)

    def test_a_nudge_makes_it_due_again(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        claim = self.active(ledger, runs)
        assert runs.nudge("preflight~x")
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=100)
        assert runs.next_due() == 0
        assert take(runs).run == claim.run

    def test_so_does_a_cancel(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        claim = self.active(ledger, runs)
        stop = Cancellation((claim.run.id,), CancelKind.COMMAND, "by rita")
        ledger.apply(replace(change(), cancellations=(stop,)))
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=100)
        assert take(runs).run.cancel == "by rita"

    def test_a_run_that_ended_meanwhile_is_not_looked_at_again(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        claim = self.active(ledger, runs)
        runs.nudge("preflight~x")
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert runs.next_due() is None

    def test_a_nudge_between_looks_makes_it_due_now(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        claim = self.active(ledger, runs)
        runs.save_run(claim, claim.run, cancel_sent=False, seconds=100)
        assert runs.nudge("preflight~x")
        assert runs.next_due() == 0

    def test_a_nudge_of_a_run_that_is_over_or_not_ours_is_for_nothing(
        self, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        claim = self.active(ledger, runs)
        over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        assert not runs.nudge("preflight~x")
        assert not runs.nudge("preflight~y")
        assert not runs.nudge(HOSTILE)


class TestIntend:
    def test_the_id_is_remembered_before_airflow_is_asked(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns, other: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        runs.intend(take(runs), "preflight~x")
        let_leases_end(database)
        again = take(other)
        assert (again.run.dag_run_id, again.run.phase) == ("preflight~x", Phase.WANTED)

    def test_two_runs_never_share_one(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(admitted(run("unit"), run("docs")))
        first, second = runs.claim_runs(2)
        assert runs.intend(first, "preflight~x")
        assert runs.intend(first, "preflight~x")
        assert not runs.intend(second, "preflight~x")

    def test_is_not_forgotten_when_airflow_does_not_answer(
        self, database: Database, ledger: PostgresLedger, runs: PostgresRuns
    ) -> None:
        ledger.apply(admitted(run()))
        claim = take(runs)
        runs.intend(claim, "preflight~x")
        runs.save_run(claim, replace(claim.run, note="waiting for Airflow"), cancel_sent=False, seconds=5)
        assert reread(database, claim.run).dag_run_id == "preflight~x"


def test_a_page_finds_no_run_of_an_unknown_id(database: Database) -> None:
    assert PostgresReader(database).run("f" * 32) is None


def test_runs_are_counted_by_phase_and_outcome(
    database: Database, ledger: PostgresLedger, runs: PostgresRuns
) -> None:
    ledger.apply(admitted(run("a"), run("b"), run("c")))
    first, second = runs.claim_runs(2)
    over = replace(first.run, phase=Phase.FINISHED, outcome=Outcome.ERROR, reason="x")
    runs.save_run(first, over, cancel_sent=False, seconds=None)
    runs.save_run(second, replace(second.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=1)
    assert PostgresReader(database).counts()["runs"] == {"error": 1, "active": 1, "wanted": 1}
