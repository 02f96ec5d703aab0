"""A worker's hand on a real inbox and ledger, with a GitHub in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres import (
    PostgresInbox,
    PostgresLedger,
    PostgresRecovery,
    PostgresReports,
    PostgresRuns,
)
from bot.errors import AirflowUnavailable, DagNotFound
from bot.intake.dags import DagFacts
from bot.intake.handle import DeliveryHandler, Effects
from bot.intake.lookup import Sources
from bot.intake.worker import DeliveryWorker
from bot.models import Dag, Permission
from bot.policy.configuration import PATH
from bot.policy.operator import Operator, Serve
from bot.report.budget import UNLIMITED
from tests.examples import HEAD, NOON, REPOSITORY, TIP, comment_payload, delivery, pull, pull_payload
from tests.fakes.github import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.adapters.postgres import Database
    from bot.intake.lookup import Room
    from bot.models import Delivery, PullRequest, Run, Status

UNIT = b"pipelines: {unit: {dag: checks, params: {steps: {test: pytest -q}}}}"


class FakeDags:
    """Airflow's DAGs; one that nobody put there takes any param."""

    def __init__(self) -> None:
        self.known: dict[str, Dag] = {}
        self.error: AirflowUnavailable | None = None
        self.asked = 0

    def __call__(self, dag_id: str) -> Dag:
        """The DAG."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        if dag_id not in self.known:
            raise DagNotFound(f"no DAG {dag_id}")
        return self.known[dag_id]


class Bot:
    """What a worker process does with deliveries; Alice and Rita may write."""

    def __init__(
        self,
        database: Database,
        *,
        served: tuple[str, ...] = ("acme/*",),
        check_room: Room = UNLIMITED.check,
    ) -> None:
        self.database = database
        self.github = FakeGitHub()
        self.now = NOON
        self.inbox = PostgresInbox(database)
        self.ledger = PostgresLedger(database)
        self.runs_store = PostgresRuns(database)
        self.reports = PostgresReports(database)
        self.dags = FakeDags()
        operator = Operator((Serve(served, dags=("*",)),))
        self.handler = DeliveryHandler(
            sources=Sources(
                github=self.github,
                people=self.github,
                ledger=self.ledger,
                dags=DagFacts(self.dags, lambda: operator, self.tick),
                operator=lambda: operator,
                bot_login=lambda: self.github.login,
                clock=self.tick,
                check_room=check_room,
            ),
            effects=Effects(
                put=self.inbox.put,
                behind=self.inbox.behind,
                settle=self.inbox.settle,
                held_ahead=self.inbox.held_ahead,
                forget=self.github.forget,
                put_by_and_by=PostgresRecovery(database).put_by_and_by,
            ),
            run_page=lambda run_id: f"https://preflight.example/runs/{run_id}",
        )
        self.worker = DeliveryWorker(self.inbox, self.handler)
        for login in ("alice", "rita"):
            self.github.put_role(REPOSITORY, login, Permission.WRITE)
        self.github.put_tip(REPOSITORY, "main", TIP, {PATH: UNIT})
        self.github.put_pull(pull(), changed=["src/app.py"])

    def tick(self) -> datetime:
        """A clock that goes on by a second whenever somebody looks."""
        self.now += timedelta(seconds=1)
        return self.now

    def hear(self, *deliveries: Delivery) -> None:
        """Deliveries arrive."""
        for one in deliveries:
            self.inbox.put(one)

    def hear_of_pull(self, action: str, *, of: PullRequest | None = None, sender: str = "alice") -> Delivery:
        """The pull request is now like this on GitHub, and a delivery says so."""
        of = of or pull()
        self.github.put_pull(of, changed=["src/app.py"])
        sent = delivery("pull_request", pull_payload(action, of=of, sender=sender))
        self.hear(sent)
        return sent

    def hear_comment(self, body: str, *, author: str = "alice", comment_id: int = 5001) -> Delivery:
        """A comment arrives."""
        sent = delivery("issue_comment", comment_payload(body, author=author, comment_id=comment_id))
        self.hear(sent)
        return sent

    def work(self) -> None:
        """Work until nothing is due."""
        while self.worker.work():
            pass

    def hurry(self) -> None:
        """What waits for a retry is due now."""
        with self.database.begin() as connection:
            connection.execute(text("UPDATE deliveries SET due_at = now() WHERE state = 'queued'"))

    def work_for_long(self) -> None:
        """Work for as long as anything is tried again, within reason."""
        for _ in range(60):
            self.work()
            if self.inbox.next_due() is None:
                return
            self.hurry()
        raise AssertionError("a delivery is tried again for ever")

    def state(self, sent: Delivery) -> tuple[str, str]:
        """A delivery's state and its reason."""
        query = text("SELECT state, reason FROM deliveries WHERE id = :id")
        with self.database.begin() as connection:
            row = connection.execute(query, {"id": sent.id}).one()
        return row.state, row.reason

    def runs(self, number: int = 12) -> Sequence[Run]:
        """All runs of the pull request, oldest first."""
        return self.ledger.history(REPOSITORY, number, HEAD).runs

    def waiting(self, number: int = 12, head: str = HEAD) -> dict[str, Status]:
        """The fixed statuses that the head should show."""
        verdicts = self.reports.verdicts(REPOSITORY, head).get(number, ())
        return {one.context: one.status for one in verdicts if one.status is not None}
