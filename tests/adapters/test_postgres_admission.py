"""Who may start, on a real PostgreSQL: first in first out, limits that hold, one judge at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from bot.adapters.postgres import Database, PostgresLedger, PostgresReports
from bot.adapters.postgres import PostgresRuns as Runs
from bot.claims import Need, QueuedRun, Turn
from bot.models import (
    Change,
    Limit,
    Outcome,
    Phase,
    Rules,
    Run,
    Status,
    StatusState,
    Verdict,
)
from tests.adapters.postgres_turns import Watching, end, greedy, one_at_a_time, reread, resume, shown, stop
from tests.examples import change, pull, run, sha, wanted
from tests.fixtures.postgres import admitted, let_leases_end, settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

pytestmark = pytest.mark.postgres

SECONDS = 60.0


class TestNobodyWaits:
    def test_the_judge_is_not_asked(self, ledger: PostgresLedger, runs: Runs) -> None:
        ledger.apply(admitted(run()))
        judge = Watching()
        runs.admit(judge)
        assert judge.queue is None

    def test_one_small_statement_is_all(self, database: Database, runs: Runs) -> None:
        runs.admit(Watching())
        sent: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *about: sent.append(about[2]))
        runs.admit(Watching())
        (statement,) = sent
        with database.begin() as connection:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = "\n".join(connection.execute(text(f"EXPLAIN {statement}")).scalars())
        assert "runs_waiting" in plan


class TestTheQueue:
    def test_is_first_in_first_out(self, ledger: PostgresLedger, runs: Runs) -> None:
        order = [one_at_a_time(f"p{seconds}", seconds=seconds) for seconds in (30, 10, 20)]
        for one in order:
            ledger.apply(wanted(one))
        first, second, third = sorted(order, key=lambda one: one.created_at)
        assert shown(runs)[0] == [first.id, second.id, third.id]
        for expected in (first, second, third):
            runs.admit(greedy)
            assert end(runs) == [expected.id]

    def test_keeps_the_order_within_a_decision(self, ledger: PostgresLedger, runs: Runs) -> None:
        order = [run(f"p{number}") for number in range(9, 0, -1)]
        ledger.apply(wanted(*order))
        assert shown(runs)[0] == [one.id for one in order]

    def test_whoever_is_resumed_queues_again(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first))
        runs.admit(greedy)
        end(runs, outcome=Outcome.FAILURE)
        ledger.apply(wanted(second))
        resume(ledger, first)
        assert shown(runs)[0] == [second.id, first.id]

    def test_knows_what_each_may_not_exceed_and_what_it_says(
        self, ledger: PostgresLedger, runs: Runs
    ) -> None:
        one = one_at_a_time()
        ledger.apply(wanted(one))
        runs.admit(Watching(Turn(one.id, admitted=False, note="queued: 2 ahead")))
        judge = Watching()
        runs.admit(judge)
        assert judge.queue == (QueuedRun(one.id, (Limit("installation", 1),), {}, "queued: 2 ahead"),)

    def test_is_without_those_asked_to_stop(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second = one_at_a_time("a"), one_at_a_time("b")
        ledger.apply(wanted(first, second))
        stop(ledger, first)
        assert shown(runs)[0] == [second.id]


class TestPlaces:
    def test_are_counted_by_key(self, ledger: PostgresLedger, runs: Runs) -> None:
        everywhere, here = Limit("installation", 10), Limit("repository:42", 5)
        for limits in ((everywhere,), (everywhere, here), ()):
            ledger.apply(admitted(replace(run(), rules=Rules(limits=limits))))
        ledger.apply(wanted(replace(run(), rules=Rules(limits=(everywhere,)))))
        assert shown(runs)[1] == {"installation": 2, "repository:42": 1}

    def test_come_free_when_a_run_ends(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first, second))
        runs.admit(greedy)
        assert end(runs) == [first.id]
        runs.admit(greedy)
        assert end(runs) == [second.id]

    def test_a_cancelled_run_keeps_its_own_until_airflow_has_stopped_it(
        self, ledger: PostgresLedger, runs: Runs
    ) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first, second))
        runs.admit(greedy)
        stop(ledger, first)
        assert shown(runs) == ([second.id], {"installation": 1})
        end(runs, outcome=Outcome.CANCELLED)
        assert shown(runs) == ([second.id], {})

    def test_one_cancelled_in_the_queue_lets_the_next_pass(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second, third = (one_at_a_time(name, seconds=n) for n, name in enumerate("abc"))
        ledger.apply(wanted(first, second, third))
        runs.admit(greedy)
        stop(ledger, second)
        assert sorted(end(runs)) == sorted([first.id, second.id])
        runs.admit(greedy)
        assert end(runs) == [third.id]

    def test_survive_the_crash_of_who_held_the_run(
        self, database: Database, ledger: PostgresLedger, runs: Runs, other: Runs
    ) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first, second))
        runs.admit(greedy)
        (lost,) = runs.claim_runs(10)
        let_leases_end(database)
        assert shown(other) == ([second.id], {"installation": 1})
        (found,) = other.claim_runs(10)
        assert found.run == lost.run
        other.admit(greedy)
        assert other.claim_runs(10) == []

    def test_one_taken_again_by_a_resumed_run(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first))
        runs.admit(greedy)
        end(runs, outcome=Outcome.FAILURE)
        resume(ledger, first)
        runs.admit(greedy)
        ledger.apply(wanted(second))
        assert shown(runs) == ([second.id], {"installation": 1})


def status(state: StatusState) -> Verdict:
    return Verdict("preflight/unit", "unit", status=Status("preflight/unit", state, "..."))


class TestNeeds:
    def need(self, runs: Runs, one: Run) -> Mapping[str, Need]:
        judge = Watching()
        runs.admit(judge)
        (waiting,) = [waiting for waiting in judge.queue or () if waiting.id == one.id]
        return waiting.needs

    @pytest.fixture
    def e2e(self, ledger: PostgresLedger) -> Run:
        """It needs `unit`."""
        one = replace(run("e2e"), rules=Rules(needs=("unit",)))
        ledger.apply(wanted(one))
        return one

    def test_what_was_never_decided_is_missing(self, runs: Runs, e2e: Run) -> None:
        assert self.need(runs, e2e) == {"unit": Need.MISSING}

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (StatusState.SUCCESS, Need.PASSED),
            (StatusState.PENDING, Need.PENDING),
            (StatusState.FAILURE, Need.FAILED),
            (StatusState.ERROR, Need.FAILED),
        ],
    )
    def test_a_fixed_status_stands_for_itself(
        self, ledger: PostgresLedger, runs: Runs, e2e: Run, state: StatusState, expected: Need
    ) -> None:
        ledger.apply(change(None, status(state)))
        assert self.need(runs, e2e) == {"unit": expected}

    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [(None, Need.PENDING), (Outcome.SUCCESS, Need.PASSED)]
        + [(outcome, Need.FAILED) for outcome in Outcome if outcome is not Outcome.SUCCESS],
    )
    def test_a_run_stands_for_how_it_ended(
        self, ledger: PostgresLedger, runs: Runs, e2e: Run, outcome: Outcome | None, expected: Need
    ) -> None:
        ledger.apply(admitted(run("unit")))
        if outcome is not None:
            end(runs, outcome=outcome)
        assert self.need(runs, e2e) == {"unit": expected}

    def test_of_a_resumed_run_all_is_open_again(self, ledger: PostgresLedger, runs: Runs, e2e: Run) -> None:
        unit = run("unit")
        ledger.apply(admitted(unit))
        end(runs, outcome=Outcome.FAILURE)
        resume(ledger, unit)
        assert self.need(runs, e2e) == {"unit": Need.PENDING}

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(admitted(run("unit", head_sha=sha(2)), of=pull(head_sha=sha(2))), id="head"),
            pytest.param(admitted(run("unit", number=13), of=pull(number=13)), id="pull-request"),
            pytest.param(admitted(replace(run("unit"), inputs={"suite": "small"})), id="inputs"),
        ],
    )
    def test_what_passed_elsewhere_does_not_count(
        self, ledger: PostgresLedger, runs: Runs, e2e: Run, elsewhere: Change
    ) -> None:
        ledger.apply(elsewhere)
        end(runs)
        assert self.need(runs, e2e) == {"unit": Need.MISSING}

    def test_each_is_told(self, ledger: PostgresLedger, runs: Runs) -> None:
        one = replace(run("deploy"), rules=Rules(needs=("unit", "docs", "e2e")))
        ledger.apply(admitted(run("unit")))
        end(runs)
        ledger.apply(wanted(one, run("docs")))
        assert self.need(runs, one) == {
            "unit": Need.PASSED,
            "docs": Need.PENDING,
            "e2e": Need.MISSING,
        }


class TestTurns:
    def test_who_is_admitted_is_due_at_once(
        self, database: Database, ledger: PostgresLedger, runs: Runs
    ) -> None:
        one = run()
        ledger.apply(wanted(one))
        runs.admit(Watching(Turn(one.id, admitted=False, note="queued: 1 ahead")))
        settle(database)
        assert (runs.next_due() or 0) > 80_000, "when its time is over"
        runs.admit(Watching(Turn(one.id, admitted=True)))
        assert runs.next_due() == 0
        assert reread(database, one) == replace(one, attempt=1, admitted=True)
        assert PostgresReports(database).next_due() == 0, "it no longer says that it is queued"

    def test_a_new_note_is_reported_and_an_old_one_is_not(
        self, database: Database, ledger: PostgresLedger, runs: Runs
    ) -> None:
        one = run()
        ledger.apply(wanted(one))
        settle(database)
        for note, reported in (("queued: 2 ahead", True), ("queued: 2 ahead", False), ("waits", True)):
            runs.admit(Watching(Turn(one.id, admitted=False, note=note)))
            assert (PostgresReports(database).next_due() == 0) is reported
            assert reread(database, one).note == note
            settle(database)
        assert (runs.next_due() or 0) > 80_000

    def test_who_is_refused_ends_with_the_reason(
        self, database: Database, ledger: PostgresLedger, runs: Runs
    ) -> None:
        one = run()
        ledger.apply(wanted(one))
        settle(database)
        runs.admit(Watching(Turn(one.id, admitted=False, refusal="not run: it needs unit, which failed")))
        found = reread(database, one)
        assert found.finished_at is not None
        assert (found.phase, found.outcome, found.reason, found.note) == (
            Phase.FINISHED,
            Outcome.ERROR,
            "not run: it needs unit, which failed",
            "",
        )
        assert PostgresReports(database).next_due() == 0
        assert runs.next_due() is None
        assert shown(runs)[0] == []

    def test_whoever_is_not_named_waits_on(self, ledger: PostgresLedger, runs: Runs) -> None:
        first, second = run("a"), run("b")
        ledger.apply(wanted(first, second))
        runs.admit(Watching(Turn(first.id, admitted=True), Turn("f" * 32, admitted=True)))
        assert shown(runs)[0] == [second.id]

    def test_who_was_stopped_while_the_judge_thought_is_not_admitted(
        self, database: Database, ledger: PostgresLedger, runs: Runs
    ) -> None:
        one = run()
        ledger.apply(wanted(one))

        def slow(queue: Sequence[QueuedRun], _: Mapping[str, int]) -> Sequence[Turn]:
            stop(ledger, one)
            return [Turn(waiting.id, admitted=True) for waiting in queue]

        runs.admit(slow)
        found = reread(database, one)
        assert (found.admitted, found.cancel) == (False, "by rita")

    @pytest.mark.parametrize(
        "turn", [Turn("", admitted=True), Turn("", admitted=False, refusal="no")], ids=["admitted", "refused"]
    )
    def test_who_holds_the_run_as_waiting_has_no_say_any_more(
        self, database: Database, ledger: PostgresLedger, runs: Runs, turn: Turn
    ) -> None:
        """It looked because the run's time was over; now that is for the next look to say."""
        one = replace(run(), rules=Rules(timeout=0))
        ledger.apply(wanted(one))
        (late,) = runs.claim_runs(1)
        runs.admit(Watching(replace(turn, run_id=one.id)))
        runs.save_run(late, replace(late.run, note="late"), cancel_sent=False, seconds=100)
        found = reread(database, one)
        assert (found.admitted, found.finished, found.note) == (turn.admitted, not turn.admitted, "")
        assert runs.next_due() == (0 if turn.admitted else None)
