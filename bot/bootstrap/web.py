"""What `python -m bot web` serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.github import GitHubSignIn
from bot.adapters.postgres import (
    Database,
    PostgresPast,
    PostgresReader,
    PostgresRunList,
    PostgresRuns,
    PostgresTickets,
)
from bot.bootstrap.events import make_push
from bot.bootstrap.parts import (
    make_airflow,
    make_breakers,
    make_github,
    make_tickets,
    make_topic_breakers,
    now,
    web_address,
)
from bot.bootstrap.pubsub import make_entrance
from bot.intake import nudge, ticket, webhook
from bot.metrics import count_github_call
from bot.pages import artifacts, health, metrics, schema, sign_in, site
from bot.pages.gate import PublicGate
from bot.pages.logs import LogReader
from bot.pages.sessions import Seal
from bot.pages.sign_in import GitHubGate

if TYPE_CHECKING:
    from bot.adapters.airflow import AirflowClient
    from bot.breaker import Breakers
    from bot.pages.gate import Gate
    from bot.settings import Settings

PATIENCE = 6.0
"""Seconds for which the database may be silent: GitHub wants its answer within ten."""

LOG_READS = 4
"""Logs that all web processes together read from Airflow at once."""


@dataclass(frozen=True, slots=True)
class Web:
    """The two applications of a web process, one for each listener."""

    public: Flask
    internal: Flask


def build_web(settings: Settings) -> Web:
    """What `python -m bot web` serves."""
    database = Database(settings.database_url, pool_size=10, patience=PATIENCE)
    reader = PostgresReader(database)
    breakers = make_breakers()
    airflow = make_airflow(settings, breakers)
    # On Pub/Sub, webhooks are taken without a database. Only pages and nudges wait for it.
    ready = reader.check if settings.inbox == "postgres" else lambda: None
    public, internal = Flask("bot.pages", static_folder=None), Flask("bot.pages", static_folder=None)
    for app in (public, internal):
        app.config["MAX_CONTENT_LENGTH"] = webhook.MAX_BYTES + 1
    entrance = make_entrance(settings, database, make_topic_breakers())
    public.register_blueprint(webhook.blueprint(entrance, settings.webhook_secrets))
    public.register_blueprint(health.blueprint(ready, internal=False))
    public.register_blueprint(schema.blueprint())
    if pushed := make_push(settings, database):
        public.register_blueprint(pushed)
    if settings.pages != "off":
        _add_pages(public, database, settings, airflow, breakers)
    unattended = reader.unattended if settings.inbox == "postgres" else None
    internal.register_blueprint(health.blueprint(ready, internal=True, unattended=unattended))
    internal.register_blueprint(metrics.blueprint(reader))
    internal.register_blueprint(nudge.blueprint(PostgresRuns(database), settings.nudge_secret))
    internal.register_blueprint(ticket.blueprint(_exchange(settings, database, airflow, breakers)))
    return Web(public, internal)


def _add_pages(
    public: Flask, database: Database, settings: Settings, airflow: AirflowClient, breakers: Breakers
) -> None:
    """The pages that people see, and signing in where private repositories' are among them."""
    web_url = web_address(settings.github_api_url)
    reader, lister = PostgresReader(database), PostgresRunList(database)
    gate: Gate = PublicGate()
    if settings.pages == "github":
        client = (settings.github_client_id, settings.github_client_secret)
        viewers = GitHubSignIn(
            settings.github_api_url,
            web_url,
            *client,
            on_call=count_github_call,
            read_timeout=5.0,
            breakers=breakers,
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
            logs=LogReader(airflow, settings.secrets, at_once=max(1, LOG_READS // settings.web_processes)),
            gate=gate,
            clock=now,
            secrets=settings.secrets,
            github_url=web_url,
            airflow_url=settings.airflow_web_url,
            artifacts=files,
            past=PostgresPast(database),
        )
    )


def _exchange(
    settings: Settings, database: Database, airflow: AirflowClient, breakers: Breakers
) -> ticket.Exchange:
    """Where steps exchange tickets; a step waits for ten seconds, in which we ask GitHub twice."""
    github = make_github(settings, read_timeout=4.0, breakers=breakers)
    return ticket.Exchange(make_tickets(settings), PostgresTickets(database), airflow, github)
