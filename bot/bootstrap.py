"""The composition root: Settings -> wired objects. The only module that knows all adapters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask

from bot.adapters.airflow import AirflowClient
from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.github import AppKey, GitHubClient, GitHubSignIn, PersonalToken
from bot.adapters.postgres import (
    Database,
    Listener,
    PostgresArchive,
    PostgresBudget,
    PostgresInbox,
    PostgresLedger,
    PostgresPast,
    PostgresReader,
    PostgresReports,
    PostgresRunList,
    PostgresRuns,
    PostgresTickets,
)
from bot.intake import nudge, ticket, webhook
from bot.intake.dags import DagFacts
from bot.intake.handle import DeliveryHandler, Effects
from bot.intake.lookup import Sources
from bot.intake.loops import Loop, Worker
from bot.intake.worker import DeliveryWorker
from bot.metrics import count_github_call, count_held_back, show_quota
from bot.pages import artifacts, health, metrics, schema, sign_in, site
from bot.pages.gate import PublicGate
from bot.pages.logs import LogReader
from bot.pages.sessions import Seal
from bot.pages.sign_in import GitHubGate
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
from bot.runs.ticket import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.models import LogLine, LogMatcher
    from bot.pages.gate import Gate
    from bot.policy.operator import Operator
    from bot.settings import Settings

DELIVERY_THREADS = 4
RUN_THREADS = 2
REPORT_THREADS = 4
ARCHIVE_THREADS = 1
LOG_READS = 4
"""Logs that all web processes together read from Airflow at once."""


@dataclass(frozen=True, slots=True)
class Web:
    """The two applications of a web process, one for each listener."""

    public: Flask
    internal: Flask


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def build_web(settings: Settings) -> Web:
    """What `python -m bot web` serves."""
    database = Database(settings.database_url, pool_size=10)
    reader = PostgresReader(database)
    public, internal = Flask("bot.pages", static_folder=None), Flask("bot.pages", static_folder=None)
    for app in (public, internal):
        app.config["MAX_CONTENT_LENGTH"] = webhook.MAX_BYTES + 1
    public.register_blueprint(webhook.blueprint(PostgresInbox(database), settings.webhook_secrets))
    public.register_blueprint(health.blueprint(reader, internal=False))
    public.register_blueprint(schema.blueprint())
    if settings.pages != "off":
        _add_pages(public, database, reader, settings)
    internal.register_blueprint(health.blueprint(reader, internal=True))
    internal.register_blueprint(metrics.blueprint(reader))
    internal.register_blueprint(nudge.blueprint(PostgresRuns(database), settings.nudge_secret))
    internal.register_blueprint(ticket.blueprint(_exchange(settings, database)))
    return Web(public, internal)


def _add_pages(public: Flask, database: Database, reader: PostgresReader, settings: Settings) -> None:
    """The pages that people see, and signing in where private repositories' are among them."""
    web_url = _web_address(settings.github_api_url)
    lister = PostgresRunList(database)
    gate: Gate = PublicGate()
    if settings.pages == "github":
        client = (settings.github_client_id, settings.github_client_secret)
        viewers = GitHubSignIn(
            settings.github_api_url, web_url, *client, on_call=count_github_call, read_timeout=5.0
        )
        seal = Seal(settings.session_keys or (settings.github_client_secret,), now)
        gate = GitHubGate(seal, viewers, lister, sign_in.cookie_name(settings.public_url))
        public.register_blueprint(sign_in.blueprint(seal, viewers, settings.public_url))
    files = FsspecArtifacts(settings.artifacts_url) if settings.artifacts_url else None
    if files is not None:
        public.register_blueprint(artifacts.blueprint(reader, files, gate))
    public.register_blueprint(
        site.blueprint(
            reader=reader,
            lister=lister,
            logs=LogReader(
                _airflow(settings), settings.secrets, at_once=max(1, LOG_READS // settings.web_processes)
            ),
            gate=gate,
            clock=now,
            secrets=settings.secrets,
            github_url=web_url,
            airflow_url=settings.airflow_web_url,
            artifacts=files,
            past=PostgresPast(database),
        )
    )


def _exchange(settings: Settings, database: Database) -> ticket.Exchange:
    """Where steps exchange tickets; a step waits for ten seconds, in which we ask GitHub twice."""
    github = _github(settings, read_timeout=4.0)
    return ticket.Exchange(_tickets(settings), PostgresTickets(database), _airflow(settings), github)


def build_worker(settings: Settings) -> Worker:
    """What `python -m bot worker` runs."""
    database = Database(settings.database_url)
    github, airflow = _github(settings), _airflow(settings)
    inbox, ledger = PostgresInbox(database), PostgresLedger(database)
    runs, reports = PostgresRuns(database), PostgresReports(database)
    past = PostgresPast(database)
    # Without pages there is nothing of ours to link to.
    links = Links(settings.public_url if settings.pages != "off" else "", settings.airflow_web_url)
    operator = _operator(settings.operator, github.owner)
    sources = Sources(
        github=github,
        people=github,
        ledger=ledger,
        dags=DagFacts(airflow.dag, operator, now),
        operator=operator,
        bot_login=lambda: github.identity().login,
        clock=now,
    )
    handler = DeliveryHandler(
        sources=sources,
        effects=Effects(put=inbox.put, forget=github.forget),
        run_page=links.run_page,
    )

    def lines_that_matter(lines: Iterable[LogLine], matchers: Sequence[LogMatcher]) -> tuple[str, ...]:
        return excerpt((line.text for line in lines), secrets=settings.secrets, matchers=matchers)

    reconciler = RunReconciler(
        store=runs,
        trigger=airflow,
        reader=airflow,
        rules=StartRules(settings.name, operator, _tickets(settings)),
        excerpt=lines_that_matter,
        redact=partial(redact, secrets=settings.secrets),
        clock=now,
    )
    limits = settings.github_limits
    budget = Budget(
        PostgresBudget(database),
        github,
        windows(limits.points_per_minute, limits.content_per_minute, limits.content_per_hour),
        on_held_back=count_held_back,
    )
    marker = f"<!-- preflight {settings.name} -->"
    secrets = settings.secrets
    reporter = Reporter(
        reports,
        StatusReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        CheckReport(reports, github, links, now, past=past, budget=budget, secrets=secrets),
        AnswerReport(reports, github, links, now, secrets, budget=budget),
        CommentReport(reports, github, links, marker, now, past=past, budget=budget, secrets=secrets),
    )
    loops: tuple[Loop, ...] = (
        Loop("delivery", DeliveryWorker(inbox, handler).work, inbox.next_due, DELIVERY_THREADS),
        Loop("run", reconciler.look, runs.next_due, RUN_THREADS),
        Loop("report", reporter.report, reports.next_due, REPORT_THREADS),
    )
    if settings.artifacts_url:
        archive = PostgresArchive(database)
        files = FsspecArtifacts(settings.artifacts_url)
        archiver = Archiver(archive, files, airflow, secrets, now)
        loops += (Loop("archive", archiver.archive, archive.next_due, ARCHIVE_THREADS),)
    by_name = {loop.name: loop for loop in loops}
    listener = Listener(database, lambda name: by_name[name].wake() if name in by_name else None)
    return Worker(loops, listener.run, github.identity)


def migrate(database_url: str) -> None:
    """Bring the database's schema up to date."""
    Database(database_url, pool_size=1).migrate()


def _github(settings: Settings, *, read_timeout: float = 10.0) -> GitHubClient:
    credentials = (
        AppKey(settings.github_app_id, settings.github_private_key)
        if settings.github_app_id
        else PersonalToken(settings.github_token)
    )
    return GitHubClient(
        settings.github_api_url,
        credentials,
        on_call=count_github_call,
        on_quota=show_quota,
        read_timeout=read_timeout,
    )


def _tickets(settings: Settings) -> Tickets | None:
    """What makes tickets; None without an App, whose tokens alone can be narrowed."""
    return Tickets(settings.github_private_key) if settings.github_app_id else None


def _airflow(settings: Settings) -> AirflowClient:
    return AirflowClient(settings.airflow_url, settings.airflow_username, settings.airflow_password)


def _operator(operator: Operator, owner: Callable[[], str | None]) -> Callable[[], Operator]:
    """The operator's word, completed by who owns our App where that is needed: once GitHub can be asked."""
    if all(serve.repositories for serve in operator.serves):
        return lambda: operator
    return lambda: operator.owned_by(owner())


def _web_address(api_url: str) -> str:
    """Where people see what the API tells: github.com for api.github.com, else the same host."""
    parts = urlsplit(api_url)
    return "https://github.com" if parts.hostname == "api.github.com" else f"{parts.scheme}://{parts.netloc}"
