"""What `python -m bot web` serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.github import GitHubSignIn
from bot.adapters.postgres import (
    Database,
    PostgresInbox,
    PostgresPast,
    PostgresReader,
    PostgresRunList,
    PostgresRuns,
    PostgresTickets,
)
from bot.bootstrap.parts import make_airflow, make_github, make_tickets, now, web_address
from bot.intake import nudge, ticket, webhook
from bot.metrics import count_github_call
from bot.pages import artifacts, health, metrics, schema, sign_in, site
from bot.pages.gate import PublicGate
from bot.pages.logs import LogReader
from bot.pages.sessions import Seal
from bot.pages.sign_in import GitHubGate

if TYPE_CHECKING:
    from bot.pages.gate import Gate
    from bot.settings import Settings

LOG_READS = 4
"""Logs that all web processes together read from Airflow at once."""


@dataclass(frozen=True, slots=True)
class Web:
    """The two applications of a web process, one for each listener."""

    public: Flask
    internal: Flask


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
    web_url = web_address(settings.github_api_url)
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
                make_airflow(settings), settings.secrets, at_once=max(1, LOG_READS // settings.web_processes)
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
    github = make_github(settings, read_timeout=4.0)
    return ticket.Exchange(make_tickets(settings), PostgresTickets(database), make_airflow(settings), github)
