"""Judges of waiting runs, and what happens to runs, for the tests of admission."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.adapters.postgres import Database, PostgresLedger, PostgresReader
from bot.adapters.postgres import PostgresRuns as Runs
from bot.claims import QueuedRun, Turn
from bot.models import CancelKind, Cancellation, Limit, Outcome, Phase, Rules, Run
from tests.examples import at, change, pull, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Watching:
    """A judge that lets nobody in, and remembers what it was shown."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = turns
        self.queue: Sequence[QueuedRun] | None = None
        self.taken: Mapping[str, int] = {}

    def __call__(self, queue: Sequence[QueuedRun], taken: Mapping[str, int]) -> Sequence[Turn]:
        self.queue, self.taken = queue, taken
        return self.turns


def greedy(queue: Sequence[QueuedRun], taken: Mapping[str, int]) -> Sequence[Turn]:
    """Everybody whose limits have room, oldest first."""
    counts = Counter(taken)
    turns = []
    for waiting in queue:
        room = all(counts[limit.key] < limit.most for limit in waiting.limits)
        if room:
            counts.update(limit.key for limit in waiting.limits)
        turns.append(Turn(waiting.id, admitted=room, note="" if room else "queued"))
    return turns


def one_at_a_time(pipeline: str = "unit", *, most: int = 1, number: int = 12, seconds: float = 0) -> Run:
    rules = Rules(limits=(Limit("installation", most),))
    return replace(run(pipeline, number=number, created_at=at(seconds)), rules=rules)


def shown(runs: Runs) -> tuple[list[str], Mapping[str, int]]:
    """What a judge is shown: the ids of those who wait, and the places that are taken."""
    judge = Watching()
    runs.admit(judge)
    return [waiting.id for waiting in judge.queue or ()], judge.taken


def reread(database: Database, one: Run) -> Run:
    found = PostgresReader(database).run(one.id)
    assert found is not None
    return found


def end(runs: Runs, *, outcome: Outcome = Outcome.SUCCESS) -> list[str]:
    """End every run that is due, as Airflow would; returns their ids."""
    claims = runs.claim_runs(100)
    for claim in claims:
        over = replace(
            claim.run, phase=Phase.FINISHED, outcome=outcome, dag_run_id=f"preflight~{claim.run.id}"
        )
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
    return [claim.run.id for claim in claims]


def stop(ledger: PostgresLedger, one: Run) -> None:
    stopped = Cancellation((one.id,), CancelKind.COMMAND, "by rita")
    ledger.apply(replace(change(pull(number=one.number)), cancellations=(stopped,)))


def resume(ledger: PostgresLedger, one: Run) -> None:
    ledger.apply(replace(change(pull(number=one.number)), resumed=(one.id,)))
