"""A reconciler on a real store, with an Airflow in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres import PostgresLedger, PostgresReader, PostgresRuns
from bot.models import CancelKind, Cancellation, Rules, StepState
from bot.policy.operator import Operator, Serve
from bot.runs.reconcile import RunReconciler
from bot.runs.start import StartRules
from tests.examples import NOON, change, run, wanted
from tests.fakes.airflow import FakeAirflow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.adapters.postgres import Database
    from bot.models import Outcome, Run, RunRef

HOUR = 3600
AN_HOUR = Rules(timeout=HOUR)


class Bot:
    """A reconciler and what it works on."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ledger, self.store = PostgresLedger(database), PostgresRuns(database)
        self.time: datetime = NOON
        self.seconds = 0.0
        self.airflow = FakeAirflow(lambda: self.time)
        self.airflow.add_dag("checks", tasks=["clone", "test"])
        self.reconciler = RunReconciler(
            store=self.store,
            trigger=self.airflow,
            reader=self.airflow,
            conditions=self.airflow,
            rules=StartRules("demo", lambda: Operator((Serve(("*",)),))),
            excerpt=lambda lines, _matchers: tuple(line.text for line in lines),
            redact=str,
            clock=lambda: self.time,
            timer=lambda: self.seconds,
        )

    def want(self, *runs: Run) -> None:
        self.ledger.apply(wanted(*runs))

    def cancel(self, *runs: Run, reason: str = "by rita") -> None:
        stop = Cancellation(tuple(one.id for one in runs), CancelKind.COMMAND, reason)
        self.ledger.apply(replace(change(), cancellations=(stop,)))

    def resume(self, *runs: Run) -> None:
        self.ledger.apply(replace(change(), resumed=tuple(one.id for one in runs)))

    def look(self) -> None:
        """Look at everything, as if all that waits was due."""
        with self.database.begin() as connection:
            connection.execute(text("UPDATE runs SET due_at = now() WHERE due_at IS NOT NULL"))
        self.reconciler.look()

    def now(self, one: Run) -> Run:
        found = PostgresReader(self.database).run(one.id)
        assert found is not None
        return found

    def ref(self, one: Run) -> RunRef:
        ref = self.now(one).ref
        assert ref is not None
        return ref

    def in_airflow(self) -> Sequence[RunRef]:
        return list(self.airflow.runs)

    def lose_leases(self) -> None:
        """The process was killed; another one takes over."""
        with self.database.begin() as connection:
            connection.execute(
                text("UPDATE runs SET lease_until = now() - interval '1 s' WHERE lease_owner IS NOT NULL")
            )


def begun(bot: Bot, rules: Rules = AN_HOUR) -> Run:
    """A run in Airflow whose first step has passed."""
    one = replace(run(created_at=bot.time), rules=rules)
    bot.want(one)
    bot.look()
    bot.airflow.step(bot.ref(one), "clone", StepState.SUCCEEDED)
    bot.look()
    return one


def tell(bot: Bot, one: Run) -> tuple[Outcome | None, str]:
    """How the run ended, and why."""
    found = bot.now(one)
    return found.outcome, found.reason
