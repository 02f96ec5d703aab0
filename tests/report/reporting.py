"""A reporter on a real store, with a GitHub in memory and a clock that a test moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres import PostgresLedger, PostgresPast, PostgresReports, PostgresRuns
from bot.models import Outcome, Phase, PullRequest, Status, StatusState, Step, StepState, Verdict
from bot.report.budget import UNLIMITED
from bot.report.checks.check_runs import CheckReport
from bot.report.comments.answers import AnswerReport
from bot.report.comments.sticky import CommentReport
from bot.report.links import Links
from bot.report.reporter import Reporter
from bot.report.statuses.contexts import StatusReport
from tests.examples import HEAD, NOON, REPOSITORY, change, pull
from tests.fakes.github import FakeGitHub

if TYPE_CHECKING:
    from datetime import datetime

    from bot.adapters.postgres import Database
    from bot.models import Change, Run
    from tests.fakes.github import Comment

MARKER = "<!-- preflight demo -->"


class Bot:
    """What a worker process does to report; `github` is what people see."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.github = FakeGitHub()
        self.github.put_pull(pull())
        self.ledger, self.runs, self.store = (
            PostgresLedger(database),
            PostgresRuns(database),
            PostgresReports(database),
        )
        self.now: datetime = NOON
        links = Links("https://preflight.example")

        def clock() -> datetime:
            return self.now

        past = PostgresPast(database)
        github, store = self.github, self.store
        self.reporter = Reporter(
            store,
            StatusReport(store, github, links, clock, past=past, budget=UNLIMITED),
            CheckReport(store, github, links, clock, past=past, budget=UNLIMITED),
            AnswerReport(store, github, links, clock, budget=UNLIMITED),
            CommentReport(store, github, links, MARKER, clock, past=past, budget=UNLIMITED),
        )

    def decide(self, decided: Change) -> None:
        """Something was decided; GitHub has the pull request or branch, and its head."""
        subject = decided.subject
        if isinstance(subject, PullRequest):
            self.github.put_pull(subject)
        else:
            self.github.put_tip(subject.repository, subject.name, subject.head_sha)
        self.ledger.apply(decided)
        with self.database.begin() as connection:
            # The database has a clock of its own, which is ahead of noon.
            connection.execute(
                text("UPDATE replies SET created_at = :now WHERE created_at > :now"), {"now": self.now}
            )

    def show(self, state: StatusState, description: str, *, number: int = 12, head: str = HEAD) -> None:
        """A fixed status was decided on."""
        status = Status("preflight/unit", state, description)
        self.decide(
            change(pull(number=number, head_sha=head), Verdict("preflight/unit", "unit", status=status))
        )

    def move(self, one: Run, *steps: Step, outcome: Outcome | None = None, reason: str = "") -> None:
        """The run is now like this in Airflow."""
        with self.database.begin() as connection:
            connection.execute(
                text("UPDATE runs SET due_at = now(), admitted = true WHERE id = :id"), {"id": one.id}
            )
        claim = next(claim for claim in self.runs.claim_runs(100) if claim.run.id == one.id)
        moved = replace(
            claim.run,
            phase=Phase.ACTIVE if outcome is None else Phase.FINISHED,
            dag_run_id=f"preflight~{one.id}",
            steps=steps,
            started_at=NOON,
            outcome=outcome,
            reason=reason,
            finished_at=None if outcome is None else self.now,
        )
        self.runs.save_run(claim, moved, cancel_sent=False, seconds=None if moved.finished else 1000)

    def report(self, *, later: float = 0) -> None:
        """So many seconds later, report on all that is due, and on all that waited for that long."""
        with self.database.begin() as connection:
            connection.execute(
                text("UPDATE shown_statuses SET sent_at = :now WHERE sent_at > :now"), {"now": self.now}
            )
            connection.execute(
                text("UPDATE pull_requests SET due_at = due_at - make_interval(secs => :seconds)"),
                {"seconds": later + 0.001},
            )
        self.now += timedelta(seconds=later)
        while self.reporter.report():
            pass

    def status(self, head: str = HEAD, context: str = "preflight/unit") -> Status:
        """What the commit shows there."""
        return self.github.statuses(REPOSITORY, head)[context]

    def comment(self, number: int = 12) -> Comment:
        """Our one comment."""
        (comment,) = [
            one
            for one in self.github.comments_on(REPOSITORY, number, self.github.login)
            if MARKER in one.body
        ]
        return comment

    def writes(self) -> int:
        """How often something was sent."""
        return sum(
            self.github.count(method)
            for method in ("set_status", "create_comment", "edit_comment", "delete_comment", "react")
        )


def step(name: str, state: StepState, *, tries: int = 1) -> Step:
    """A step that began at noon."""
    return Step(name, -1, name, state, tries, None if state is StepState.WAITING else NOON)
