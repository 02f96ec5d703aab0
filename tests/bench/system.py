"""What is measured: the real bot, a real PostgreSQL that keeps what it is told (fsync), a real Airflow.

Where so many runs are wanted that no Airflow does them on this machine, it is `quick_airflow.py` instead, and
the figure says so. GitHub is the stand-in, in a process of its own, with GitHub's limits; it stamps all that
it sends and receives, by the same clock as Airflow.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import psycopg

from deploy.local import ports
from deploy.local.airflow import LocalAirflow
from deploy.local.airflow_settings import AirflowSettings
from deploy.local.bot import BotPorts, LocalBot
from deploy.local.credentials import Credentials
from deploy.local.environment import ROOT
from deploy.local.postgres import DURABLE, Postgres
from deploy.local.standin import start_standin
from tests.bench.quick_airflow import QuickAirflow
from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deploy.local.processes import Supervisor
    from tests.github_standin import Repository, Standin

DAG = "checks"
DEVELOPER = "developer"
EVENTS = ("issue_comment", "pull_request")
PIPELINE = "unit"
_NOWHERE = f"http://{ports.HOST}:9/webhook"
CONFIGURATION = """\
pipelines:
  unit:
    dag: checks
    params:
      steps: {lint: "true", types: "true", test: "true"}
"""


class Airflow(Protocol):
    """Where an Airflow is, and as whom the bot logs in."""

    @property
    def url(self) -> str:
        """Of its api-server."""
        ...

    @property
    def username(self) -> str:
        """Of the bot."""
        ...

    @property
    def password(self) -> str:
        """Of the bot."""
        ...


@dataclass(frozen=True)
class System:
    """All but the bot."""

    directory: Path
    supervisor: Supervisor
    postgres: Postgres
    airflow: Airflow
    github: Standin
    credentials: Credentials
    nudged_port: int
    """Where Airflow's plugin expects the bot."""


@dataclass(frozen=True)
class Bot:
    """One bot with a repository that it serves, and nothing else to do."""

    name: str
    login: str
    """Of its GitHub App, whose comments are its own."""
    parts: LocalBot
    repository: Repository
    others: tuple[LocalBot, ...] = ()
    """More workers."""

    @property
    def webhook(self) -> str:
        """Where GitHub sends deliveries."""
        return f"{self.parts.ports.public_url}/webhook"


def plain_url(url: str) -> str:
    """SQLAlchemy's URL as PostgreSQL's own programs take it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def connected(postgres: Postgres, database: str) -> psycopg.Connection:
    """A connection to a database of the server."""
    return psycopg.connect(plain_url(postgres.url(database)), autocommit=True)


@contextlib.contextmanager
def running_postgres(directory: Path, supervisor: Supervisor) -> Iterator[Postgres]:
    """A PostgreSQL that survives a power cut; gone at the end with its data."""
    postgres = Postgres(directory / "postgres", supervisor, DURABLE)
    try:
        postgres.start()
        yield postgres
    finally:
        supervisor.stop_all()
        postgres.remove()


def start_system(directory: Path, supervisor: Supervisor, postgres: Postgres) -> System:
    """Start Airflow and GitHub; the supervisor stops them.

    Raises:
        StackError: one of them does not come up.
    """
    credentials = Credentials(directory / "secrets")
    nudged_port = ports.choose_any()
    airflow = LocalAirflow(
        AirflowSettings(
            home=directory / "airflow",
            dags=ROOT / "dags",
            plugins=ROOT / "dags/plugins",
            database_url=postgres.create_database("airflow"),
            port=ports.choose_any(),
            secrets=credentials.airflow(),
            nudge_url=f"http://{ports.HOST}:{nudged_port}/nudge",
            nudge_secret=credentials.token("nudge-secret"),
        ),
        supervisor,
    )
    airflow.migrate()
    airflow.start()
    github = start_standin(directory / "github", ports.choose_any(), supervisor)
    airflow.wait_ready({DAG})
    return System(directory, supervisor, postgres, airflow, github, credentials, nudged_port)


@contextlib.contextmanager
def quick_system(name: str, directory: Path, supervisor: Supervisor, postgres: Postgres) -> Iterator[System]:
    """The same with the quick Airflow, and a GitHub of its own; `name` tells several of them apart.

    Raises:
        StackError: GitHub does not come up.
    """
    credentials = Credentials(directory / f"{name}-secrets")
    nudged_port = ports.choose_any()
    url = f"http://{ports.HOST}:{nudged_port}/nudge"
    airflow = QuickAirflow(url, credentials.token("nudge-secret"))
    try:
        github = start_standin(directory / f"{name}-github", ports.choose_any(), supervisor)
        yield System(directory, supervisor, postgres, airflow, github, credentials, nudged_port)
    finally:
        airflow.close()


@contextlib.contextmanager
def running_bot(
    system: System,
    name: str,
    *,
    nudged: bool,
    configuration: str = CONFIGURATION,
    settings: Mapping[str, str] | None = None,
    heard: bool = True,
    workers: int = 1,
) -> Iterator[Bot]:
    """A bot with a database, a GitHub App and a repository of its own; `nudged`: Airflow's hints reach it.

    Without `heard` GitHub's deliveries get lost. There may be several `workers`.
    """
    internal = system.nudged_port if nudged else ports.choose_any()
    at = BotPorts(ports.choose_any(), internal, ports.choose_any())
    repository = system.github.repository(
        f"{name}/app",
        files={".github/preflight.yaml": configuration, "src/app.py": "print('hello')\n"},
        permissions={DEVELOPER: "write"},
    )
    app = system.github.app(
        name,
        owner=name,
        webhook_url=f"{at.public_url}/webhook" if heard else _NOWHERE,
        webhook_secret=SECRET,
        events=EVENTS,
    )
    chosen = {
        "PREFLIGHT_NAME": name,
        "PREFLIGHT_DATABASE_URL": system.postgres.create_database(f"bot_{name}"),
        "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
        "PREFLIGHT_GITHUB_API_URL": system.github.api_url,
        "PREFLIGHT_GITHUB_APP_ID": str(app.id),
        "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(system.credentials.keep(f"{name}.pem", app.private_key)),
        "PREFLIGHT_AIRFLOW_URL": system.airflow.url,
        "PREFLIGHT_AIRFLOW_USERNAME": system.airflow.username,
        "PREFLIGHT_AIRFLOW_PASSWORD": system.airflow.password,
        "PREFLIGHT_NUDGE_SECRET": system.credentials.token("nudge-secret"),
        **(settings or {}),
    }
    parts = LocalBot(chosen, at, system.supervisor)
    others = [LocalBot(chosen, BotPorts.free(), system.supervisor) for _ in range(workers - 1)]
    parts.migrate()
    parts.start_web()
    for each in (parts, *others):
        each.start_worker()
    try:
        for each in (parts, *others):
            each.wait_ready()
        yield Bot(name, app.bot_login, parts, repository, tuple(others))
    finally:
        for each in (parts, *others):
            each.stop_worker()
        parts.stop_web()
