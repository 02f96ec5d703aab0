"""What `python -m bot worker` runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.postgres import (
    Database,
    Listener,
    PostgresArchive,
    PostgresBudget,
    PostgresInbox,
    PostgresLedger,
    PostgresPast,
    PostgresReports,
    PostgresRetention,
    PostgresRuns,
)
from bot.bootstrap.parts import complete, make_airflow, make_github, make_tickets, now
from bot.intake.dags import DagFacts
from bot.intake.handle import DeliveryHandler, Effects
from bot.intake.lookup import Sources
from bot.intake.loops import Loop, Worker
from bot.intake.pruning import Pruner
from bot.intake.worker import DeliveryWorker
from bot.metrics import count_held_back
from bot.report.archive.archiver import Archiver
from bot.report.budget import Budget, windows
from bot.report.checks.check_runs import CheckReport
from bot.report.comments.answers import AnswerReport
from bot.report.comments.sticky import CommentReport
from bot.report.links import Links
from bot.report.logs.excerpt import excerpt
from bot.report.logs.redact import redact
from bot.report.reporter import Reporter
from bot.report.statuses.contexts import StatusReport
from bot.runs.reconcile import RunReconciler
from bot.runs.start import StartRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.adapters.airflow import AirflowClient
    from bot.adapters.github import GitHubClient
    from bot.models import LogLine, LogMatcher
    from bot.policy.operator import Operator
    from bot.settings import Settings

DELIVERY_THREADS = 4
RUN_THREADS = 2
REPORT_THREADS = 4
ARCHIVE_THREADS = 1
PRUNE_THREADS = 1


def build_worker(settings: Settings) -> Worker:
    """What `python -m bot worker` runs."""
    database = Database(settings.database_url)
    github, airflow = make_github(settings), make_airflow(settings)
    operator = complete(settings.operator, github.owner)
    # Without pages there is nothing of ours to link to.
    links = Links(settings.public_url if settings.pages != "off" else "", settings.airflow_web_url)
    inbox, runs, reports = PostgresInbox(database), PostgresRuns(database), PostgresReports(database)
    handler = _handler(database, github, DagFacts(airflow.dag, operator, now), operator, links)
    reconciler = _reconciler(settings, runs, airflow, operator)
    reporter = _reporter(settings, database, reports, github, links)
    loops: tuple[Loop, ...] = (
        Loop("delivery", DeliveryWorker(inbox, handler).work, inbox.next_due, DELIVERY_THREADS),
        Loop("run", reconciler.look, runs.next_due, RUN_THREADS),
        Loop("report", reporter.report, reports.next_due, REPORT_THREADS),
    )
    if settings.artifacts_url:
        archive = PostgresArchive(database)
        archiver = Archiver(archive, FsspecArtifacts(settings.artifacts_url), airflow, settings.secrets, now)
        loops += (Loop("archive", archiver.archive, archive.next_due, ARCHIVE_THREADS),)
    pruner = Pruner(PostgresRetention(database), settings.keep)
    loops += (Loop("prune", pruner.work, pruner.next_due, PRUNE_THREADS),)
    by_name = {loop.name: loop for loop in loops}
    listener = Listener(database, lambda name: by_name[name].wake() if name in by_name else None)
    return Worker(loops, listener.run, github.identity)


def _handler(
    database: Database,
    github: GitHubClient,
    dags: DagFacts,
    operator: Callable[[], Operator],
    links: Links,
) -> DeliveryHandler:
    """What a delivery leads to."""
    sources = Sources(
        github=github,
        people=github,
        ledger=PostgresLedger(database),
        dags=dags,
        operator=operator,
        bot_login=lambda: github.identity().login,
        clock=now,
    )
    effects = Effects(put=PostgresInbox(database).put, forget=github.forget)
    return DeliveryHandler(sources=sources, effects=effects, run_page=links.run_page)


def _reconciler(
    settings: Settings, runs: PostgresRuns, airflow: AirflowClient, operator: Callable[[], Operator]
) -> RunReconciler:
    """What faces Airflow."""

    def lines_that_matter(lines: Iterable[LogLine], matchers: Sequence[LogMatcher]) -> tuple[str, ...]:
        return excerpt((line.text for line in lines), secrets=settings.secrets, matchers=matchers)

    return RunReconciler(
        store=runs,
        trigger=airflow,
        reader=airflow,
        rules=StartRules(settings.name, operator, make_tickets(settings)),
        excerpt=lines_that_matter,
        redact=partial(redact, secrets=settings.secrets),
        clock=now,
    )


def _reporter(
    settings: Settings, database: Database, reports: PostgresReports, github: GitHubClient, links: Links
) -> Reporter:
    """What faces GitHub."""
    past, secrets = PostgresPast(database), settings.secrets
    limits = settings.github_limits
    budget = Budget(
        PostgresBudget(database),
        github,
        windows(limits.points_per_minute, limits.content_per_minute, limits.content_per_hour),
        on_held_back=count_held_back,
    )
    marker = f"<!-- preflight {settings.name} -->"
    return Reporter(
        reports,
        StatusReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        CheckReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        AnswerReport(reports, github, links, now, secrets, budget=budget),
        CommentReport(reports, github, links, marker, now, past=past, budget=budget, secrets=secrets),
    )
