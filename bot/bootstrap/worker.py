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
    PostgresRecovery,
    PostgresReports,
    PostgresRetention,
    PostgresRuns,
)
from bot.bootstrap.events import make_hints
from bot.bootstrap.parts import (
    complete,
    make_airflow,
    make_breakers,
    make_github,
    make_tickets,
    make_topic_breakers,
    now,
    web_address,
)
from bot.bootstrap.pubsub import make_inbox, make_pump
from bot.bootstrap.recovery import make_rounds
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
PUMP_THREADS = 1
HINT_THREADS = 1
RECOVERY_THREADS = 1


def build_worker(settings: Settings) -> Worker:
    """What `python -m bot worker` runs."""
    database = Database(settings.database_url)
    breakers = make_breakers()
    github, airflow = make_github(settings, breakers=breakers), make_airflow(settings, breakers)
    operator = complete(settings.operator, github.owner)
    # Without pages there is nothing of ours to link to.
    links = Links(settings.public_url if settings.pages != "off" else "", settings.airflow_web_url)
    topics = make_topic_breakers()
    inbox, runs = make_inbox(settings, database, topics), PostgresRuns(database)
    reports = PostgresReports(database)
    budget = _budget(settings, database, github)
    handler = _handler(database, github, DagFacts(airflow.dag, operator, now), budget, links)
    reconciler = _reconciler(settings, runs, airflow, operator)
    reporter = _reporter(settings, reports, github, links, budget)
    deliveries = DeliveryWorker(inbox, handler)
    loops: tuple[Loop, ...] = (
        Loop("delivery", deliveries.work, deliveries.next_due, DELIVERY_THREADS),
        Loop("run", reconciler.look, reconciler.next_due, RUN_THREADS),
        Loop("report", reporter.report, reporter.next_due, REPORT_THREADS),
    )
    if settings.artifacts_url:
        places = PostgresArchive(database), FsspecArtifacts(settings.artifacts_url)
        archiver = Archiver(*places, airflow, settings.secrets, now)
        loops += (Loop("archive", archiver.archive, archiver.next_due, ARCHIVE_THREADS),)
    pump = make_pump(settings, database, topics)
    if pump is not None:
        loops += (Loop("pump", pump.work, pump.next_due, PUMP_THREADS),)
    hints = make_hints(settings, database)
    if hints is not None:
        loops += (Loop("hint", hints.work, hints.next_due, HINT_THREADS),)
    pruner = Pruner(PostgresRetention(database), settings.keep)
    loops += (Loop("prune", pruner.work, pruner.next_due, PRUNE_THREADS),)
    rounds = make_rounds(settings, database, github)
    loops += (Loop("recovery", rounds.work, rounds.next_due, RECOVERY_THREADS),)
    by_name = {loop.name: loop for loop in loops}
    listener = Listener(database, lambda name: by_name[name].wake() if name in by_name else None)
    return Worker(loops, listener.run, github.identity)


def _handler(
    database: Database,
    github: GitHubClient,
    dags: DagFacts,
    budget: Budget,
    links: Links,
) -> DeliveryHandler:
    """What a delivery leads to."""
    sources = Sources(
        github=github,
        people=github,
        ledger=PostgresLedger(database),
        dags=dags,
        operator=dags.operator,
        bot_login=lambda: github.identity().login,
        clock=now,
        check_room=budget.check,
    )
    inbox = PostgresInbox(database)
    effects = Effects(
        put=inbox.put,
        behind=inbox.behind,
        settle=inbox.settle,
        held_ahead=inbox.held_ahead,
        forget=github.forget,
        put_by_and_by=PostgresRecovery(database).put_by_and_by,
    )
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
        conditions=airflow,
        rules=StartRules(
            settings.name, operator, make_tickets(settings), web_address(settings.github_api_url)
        ),
        excerpt=lines_that_matter,
        redact=partial(redact, secrets=settings.secrets),
        clock=now,
    )


def _reporter(
    settings: Settings, reports: PostgresReports, github: GitHubClient, links: Links, budget: Budget
) -> Reporter:
    """What faces GitHub."""
    past, secrets = PostgresPast(reports.database), settings.secrets
    marker = f"<!-- preflight {settings.name} -->"
    return Reporter(
        reports,
        StatusReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        CheckReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        AnswerReport(reports, github, links, now, secrets, budget=budget),
        CommentReport(reports, github, links, marker, now, past=past, budget=budget, secrets=secrets),
    )


def _budget(settings: Settings, database: Database, github: GitHubClient) -> Budget:
    """What all that ask GitHub for something share."""
    limits = settings.github_limits
    return Budget(
        PostgresBudget(database),
        github,
        windows(limits.points_per_minute, limits.content_per_minute, limits.content_per_hour),
        on_held_back=count_held_back,
    )
