"""What is done all day, with a history of 1,000,000 runs against one of 1,000: milliseconds, median.

The list of runs, what a decision wants to know of its pull request, a sweep over 100 unfinished runs, and a
report's claim: each through the bot's own adapters, on one PostgreSQL with both histories, in turns. What is
asked for is alike in both: 100 pull requests with one run each, and the page of what is newest.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres import (
    Database,
    PostgresLedger,
    PostgresReports,
    PostgresRunList,
    PostgresRuns,
)
from bot.claims import RunQuery
from bot.models import Repository
from bot.runs.admission import judge
from tests.adapters.postgres_history import fill
from tests.bench.figures import Figure, NotMeasured, median
from tests.bench.sweeps import REPOSITORY, add_unfinished
from tests.bench.system import connected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deploy.local.console import Console
    from deploy.local.postgres import Postgres

MANY, FEW = 1_000_000, 1_000
GOAL = 1.5
"""Times as slow."""
UNFINISHED = 100
_REPOSITORY = Repository(REPOSITORY, "acme/app")
_WARM_UP = 10
_PATIENCE_SECONDS = 600.0
# Nobody holds a run or a pull request any more, and all are due.
_FREE = (
    "UPDATE runs SET lease_owner = NULL, lease_until = NULL, due_at = now() WHERE phase = 'active'",
    "UPDATE pull_requests SET lease_owner = NULL, lease_until = NULL WHERE repository_id = 7777",
    "UPDATE pull_requests SET due_at = now() WHERE repository_id = 7777",
    "VACUUM runs",
    "VACUUM pull_requests",
)


@dataclass(frozen=True)
class Told:
    """One history, and the bot's adapters on it."""

    database: Database

    def list_page(self) -> None:
        """The first page of the list of runs, as a web page asks for it."""
        if len(PostgresRunList(self.database).runs(RunQuery())) <= 1:
            raise NotMeasured("the list of runs is empty")

    def decide(self) -> None:
        """What a decision about a pull request wants to know of it."""
        if not PostgresLedger(self.database).history(_REPOSITORY, 17, "a" * 40).runs:
            raise NotMeasured("a pull request has lost its run")

    def sweep(self) -> None:
        """Who may start, who is due, and when the next one is."""
        runs = PostgresRuns(self.database)
        runs.admit(judge)
        if len(runs.claim_runs(UNFINISHED)) != UNFINISHED:
            raise NotMeasured("not all runs were due")
        runs.next_due()

    def report(self) -> None:
        """Take a pull request whose report is due, and give it back."""
        reports = PostgresReports(self.database)
        claim = reports.claim_pull()
        if claim is None:
            raise NotMeasured("no report was due")
        reports.unsettled_heads(claim)
        reports.release_pull(claim, seconds=None, failed=False)
        reports.next_due()

    def free(self) -> None:
        """Give back what was claimed."""
        with self.database.once() as connection:
            for statement in _FREE:
                connection.execute(text(statement))


ACTS: Mapping[str, Callable[[Told], None]] = {
    "list page": Told.list_page,
    "decision": Told.decide,
    "sweep": Told.sweep,
    "a report's claim": Told.report,
}


def figures(
    postgres: Postgres, console: Console, *, many: int = MANY, few: int = FEW, rounds: int = 100
) -> list[Figure]:
    """How many times as slow each is.

    Raises:
        NotMeasured: something that was to be found was not.
    """
    took: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        with console.phase(f"histories of {few:,} and {many:,} runs"):
            told = {count: _told(postgres, count, stack) for count in (few, many)}
        with console.phase(f"what is done all day, {rounds} rounds"):
            for turn in range(-_WARM_UP, rounds):
                for count, history in told.items():
                    history.free()
                    for name, act in ACTS.items():
                        milliseconds = _timed(act, history)
                        if turn >= 0:
                            took.setdefault((name, count), []).append(milliseconds)
    return [
        Figure(
            f"{many:,} runs against {few:,}: {name}, times as slow",
            median(took[name, many]) / median(took[name, few]),
            "x",
            GOAL,
            {"as fast": 1.0},
            details={
                f"milliseconds, {many:,} runs": median(took[name, many]),
                f"milliseconds, {few:,} runs": median(took[name, few]),
            },
        )
        for name in ACTS
    ]


def _told(postgres: Postgres, count: int, stack: ExitStack) -> Told:
    name = f"bot_history_{count}"
    database = Database(postgres.create_database(name), pool_size=1, patience=_PATIENCE_SECONDS)
    stack.callback(postgres.drop_database, name)
    stack.callback(database.close)
    database.migrate()
    fill(database, count)
    with connected(postgres, name) as connection:
        add_unfinished(connection, UNFINISHED)
        connection.execute("CHECKPOINT")
    return Told(database)


def _timed(act: Callable[[Told], None], history: Told) -> float:
    began = time.perf_counter()
    act(history)
    return (time.perf_counter() - began) * 1000
