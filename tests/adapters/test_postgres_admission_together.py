"""Several judges, workers and decisions at once: limits hold, nobody waits for ever, all are woken."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, Listener, PostgresLedger
from bot.adapters.postgres import PostgresRuns as Runs
from bot.claims import QueuedRun, Turn
from bot.models import (
    CancelKind,
    Cancellation,
    Outcome,
    Phase,
    Status,
    StatusState,
    Verdict,
)
from tests.adapters.postgres_turns import Watching, end, greedy, one_at_a_time, resume, shown, stop
from tests.examples import REPOSITORY, at, change, pull, run, wanted
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import TextClause

pytestmark = pytest.mark.postgres

SECONDS = 60.0
HELD = "SELECT count(*) FROM runs WHERE phase <> 'finished' AND admitted"
STUCK = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


class TestSeveralJudges:
    def test_whoever_comes_second_sees_what_the_first_left_and_what_came_meanwhile(
        self, ledger: PostgresLedger, runs: Runs, other: Runs
    ) -> None:
        first, second = one_at_a_time("a", seconds=1), one_at_a_time("b", seconds=2)
        ledger.apply(wanted(first))
        thinking, go_on = threading.Event(), threading.Event()
        judge = Watching()

        def slow(queue: Sequence[QueuedRun], taken: Mapping[str, int]) -> Sequence[Turn]:
            thinking.set()
            assert go_on.wait(SECONDS)
            return greedy(queue, taken)

        with ThreadPoolExecutor(2) as pool:
            slower = pool.submit(runs.admit, slow)
            assert thinking.wait(SECONDS)
            ledger.apply(wanted(second))
            next_one = pool.submit(other.admit, judge)
            assert not next_one.done(), "one at a time"
            go_on.set()
            slower.result(SECONDS)
            next_one.result(SECONDS)
        assert [waiting.id for waiting in judge.queue or ()] == [second.id]
        assert judge.taken == {"installation": 1}

    def test_limits_hold_and_nobody_waits_for_ever_while_all_do_everything(
        self, database: Database, ledger: PostgresLedger, runs: Runs, other: Runs
    ) -> None:
        """Starts, stops, resumptions, ends and judges at once: no deadlock, and limits hold."""
        threads, pulls, rounds = 6, 4, 8
        most_seen = 0
        guard = threading.Lock()

        def look(view: Runs) -> None:
            nonlocal most_seen
            view.admit(greedy)
            with database.begin() as connection:
                held = int(connection.execute(text(HELD)).scalar_one())
            with guard:
                most_seen = max(most_seen, held)
            for claim in view.claim_runs(2):
                over = replace(claim.run, phase=Phase.FINISHED, outcome=Outcome.FAILURE)
                over = replace(over, dag_run_id=f"preflight~{claim.run.id}", finished_at=at(9))
                view.save_run(claim, over, cancel_sent=False, seconds=None)

        def work(worker: int) -> None:
            view = other if worker % 2 else runs
            for step in range(rounds):
                number = 12 + (worker + step) % pulls
                mine = [one_at_a_time(f"p{i}", most=2, number=number, seconds=step) for i in range(3)]
                ledger.apply(wanted(*mine, of=pull(number=number)))
                look(view)
                known = ledger.history(mine[0].repository, number, mine[0].head_sha).runs
                going = tuple(one.id for one in known if not one.finished)[::-1]
                over = tuple(one.id for one in known if one.finished)[:4]
                stopped = Cancellation(going[:2], CancelKind.PUSH, "superseded")
                ledger.apply(replace(change(pull(number=number)), cancellations=(stopped,), resumed=over))
                look(view)

        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(work, number) for number in range(threads)]:
                future.result(SECONDS)
        assert 0 < most_seen <= 2
        while shown(runs)[0] or runs.next_due() is not None:
            look(runs)
        with database.begin() as connection:
            assert (
                connection.execute(text("SELECT count(*) FROM runs WHERE phase <> 'finished'")).scalar() == 0
            )


class TestOneOrder:
    """Rows are locked by their keys, runs before pull requests: so no two wait for each other."""

    LOW, HIGH = "0" * 32, "f" * 32

    @pytest.fixture
    def both(self, ledger: PostgresLedger) -> None:
        """Two runs of two pull requests, stored in another order."""
        for run_id, number in ((self.HIGH, 13), (self.LOW, 12)):
            ledger.apply(wanted(run(run_id=run_id, number=number), of=pull(number=number)))

    @pytest.fixture
    def acts(self, ledger: PostgresLedger, runs: Runs) -> Mapping[str, Callable[[], object]]:
        """What changes both."""
        ids = (self.HIGH, self.LOW)
        stopped = Cancellation(ids, CancelKind.PUSH, "superseded")
        named = replace(REPOSITORY, full_name="umbrella/gadgets")
        return {
            "admitted": lambda: runs.admit(Watching(*(Turn(one, admitted=True) for one in ids))),
            "noted": lambda: runs.admit(Watching(*(Turn(one, admitted=False, note="q") for one in ids))),
            "refused": lambda: runs.admit(Watching(*(Turn(one, admitted=False, refusal="n") for one in ids))),
            "cancelled": lambda: ledger.apply(replace(change(), cancellations=(stopped,))),
            "resumed": lambda: ledger.apply(replace(change(), resumed=ids)),
            "renamed": lambda: ledger.rename(named),
        }

    @pytest.mark.usefixtures("both")
    @pytest.mark.parametrize("what", ["admitted", "noted", "refused", "cancelled", "resumed", "renamed"])
    def test_of_runs(self, database: Database, acts: Mapping[str, Callable[[], object]], what: str) -> None:
        lock = text("SELECT id FROM runs WHERE id = :id FOR UPDATE NOWAIT")
        self.check(database, acts[what], lock, {"id": self.LOW}, {"id": self.HIGH})

    @pytest.mark.usefixtures("both")
    @pytest.mark.parametrize("what", ["noted", "refused", "renamed"])
    def test_of_pull_requests(
        self, database: Database, acts: Mapping[str, Callable[[], object]], what: str
    ) -> None:
        lock = text("SELECT number FROM pull_requests WHERE number = :number FOR UPDATE NOWAIT")
        self.check(database, acts[what], lock, {"number": 12}, {"number": 13})

    def check(
        self,
        database: Database,
        act: Callable[[], object],
        lock: TextClause,
        first: Mapping[str, object],
        second: Mapping[str, object],
    ) -> None:
        """While the first row is held by another, the act waits for it without holding the second."""
        with ThreadPoolExecutor(1) as pool:
            with database.begin() as connection:
                connection.execute(lock, first)
                acting = pool.submit(act)
                while not connection.execute(text(STUCK)).scalar():
                    assert not acting.done(), acting.result()
                connection.execute(lock, second)
            acting.result(SECONDS)


class TestWaking:
    """Whoever waits for a place is woken by whatever may give it one."""

    @pytest.fixture
    def woken(self, database: Database) -> Iterator[Callable[[], bool]]:
        """Whether "run" was heard since the last time it was asked."""
        heard, stopped = threading.Event(), threading.Event()
        ready = threading.Event()

        def wake(what: str) -> None:
            if what == "run":
                heard.set()
            ready.set()

        thread = threading.Thread(target=Listener(database, wake).run, args=(stopped.wait,), daemon=True)
        thread.start()
        assert ready.wait(SECONDS)
        assert heard.wait(SECONDS)
        heard.clear()

        def since() -> bool:
            found = heard.wait(SECONDS)
            heard.clear()
            return found

        yield since
        stopped.set()

    def test_a_run_that_came(self, ledger: PostgresLedger, woken: Callable[[], bool]) -> None:
        ledger.apply(wanted(run()))
        assert woken()

    def test_a_dry_run_that_came(self, ledger: PostgresLedger, woken: Callable[[], bool]) -> None:
        ledger.apply(replace(change(), dry_runs=(replace(run(), dryrun=True),)))
        assert woken()

    def test_what_it_needs_was_decided(self, ledger: PostgresLedger, woken: Callable[[], bool]) -> None:
        skipped = Status("preflight/unit", StatusState.SUCCESS, "skipped: no matching files")
        ledger.apply(change(None, Verdict("preflight/unit", "unit", status=skipped)))
        assert woken()

    def test_a_run_that_ended_was_stopped_or_resumed(
        self, ledger: PostgresLedger, runs: Runs, woken: Callable[[], bool]
    ) -> None:
        one = run()
        ledger.apply(admitted(one))
        assert woken()
        end(runs)
        assert woken()
        resume(ledger, one)
        assert woken()
        stop(ledger, one)
        assert woken()

    def test_a_run_that_was_refused(
        self, ledger: PostgresLedger, runs: Runs, woken: Callable[[], bool]
    ) -> None:
        one = run()
        ledger.apply(wanted(one))
        assert woken()
        runs.admit(Watching(Turn(one.id, admitted=False, refusal="no")))
        assert woken()
