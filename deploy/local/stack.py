"""The stack: which parts there are, and in which order they start.

PostgreSQL ─┬─ Airflow: database, api-server, scheduler, dag-processor ──────────────┬─ ready
            └─ GitHub (the demo's stand-in, or the real one) ─ bot: migrate, web, worker ─┘
"""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from deploy.local import by_hand, ports
from deploy.local.airflow import LocalAirflow
from deploy.local.airflow_settings import AirflowSettings
from deploy.local.bot import BotPorts, LocalBot
from deploy.local.credentials import Credentials
from deploy.local.environment import ROOT
from deploy.local.postgres import DURABLE, FAST, Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deploy.local.console import Console
    from deploy.local.processes import Supervisor

_PREFERRED_PORTS = {"bot": 8080, "bot-internal": 8081, "bot-worker": 8082, "airflow": 8083, "github": 8084}
_DAG = "checks"


class Stack:
    """PostgreSQL, Airflow and the bot, with what they keep below one directory."""

    def __init__(self, directory: Path, supervisor: Supervisor, console: Console, *, durable: bool) -> None:
        """With `durable` what it knows outlives a stop; without, it starts empty every time, and faster."""
        self.directory = directory
        self.supervisor = supervisor
        self.console = console
        self.credentials = Credentials(directory.parent / "secrets")
        self.ports = _remembered_ports(directory / "ports.json")
        self._durable = durable
        self._airflow_home = directory / "airflow"
        if not durable:
            shutil.rmtree(self._airflow_home, ignore_errors=True)
        self.postgres = Postgres(directory / "postgres", supervisor, DURABLE if durable else FAST)
        self.bot_ports = BotPorts(self.ports["bot"], self.ports["bot-internal"], self.ports["bot-worker"])
        self.nudge_secret = self.credentials.token("nudge-secret")

    def start(self, github: Callable[[], Mapping[str, str]]) -> None:
        """Start everything and wait until it works.

        `github` makes GitHub ready, and returns the settings with which the bot reaches it.

        Raises:
            StackError: a part of it did not come up.
        """
        with self.console.phase("PostgreSQL"):
            self.postgres.start()
        _together(self._start_airflow, lambda: self._start_bot(github))

    @property
    def airflow_settings(self) -> AirflowSettings:
        """How this stack's Airflow is set up."""
        return AirflowSettings(
            home=self._airflow_home,
            dags=ROOT / "dags",
            plugins=ROOT / "dags" / "plugins",
            database_url=self.postgres.url("airflow"),
            port=self.ports["airflow"],
            secrets=self.credentials.airflow(),
            nudge_url=f"{self.bot_ports.internal_url}/nudge",
            nudge_secret=self.nudge_secret,
        )

    def _start_airflow(self) -> None:
        airflow = LocalAirflow(self.airflow_settings, self.supervisor)
        with self.console.phase("Airflow's database"):
            self._prepare_airflow_database(airflow)
        with self.console.phase("Airflow: API, scheduler, DAG processor"):
            airflow.start()
            airflow.wait_ready({_DAG})

    def _prepare_airflow_database(self, airflow: LocalAirflow) -> None:
        if self._durable:
            if not self.postgres.has_database("airflow"):
                self.postgres.create_database("airflow")
            airflow.migrate()
            return
        # A copy of a migrated, empty database takes 0.1 s where the migrations take 4 s and more.
        version = hashlib.sha256((ROOT / "requirements-airflow.txt").read_bytes()).hexdigest()[:12]
        migrated = f"airflow_empty_{version}"
        if self.postgres.has_database(migrated):
            self.postgres.create_database("airflow", template=migrated)
            return
        self.postgres.create_database("airflow")
        airflow.migrate()
        self.postgres.create_database(migrated, template="airflow")

    def _start_bot(self, github: Callable[[], Mapping[str, str]]) -> None:
        if not self._durable or not self.postgres.has_database("preflight"):
            self.postgres.create_database("preflight")
        airflow = self.airflow_settings
        settings = {
            "PREFLIGHT_DATABASE_URL": self.postgres.url("preflight"),
            "PREFLIGHT_AIRFLOW_URL": airflow.url,
            "PREFLIGHT_AIRFLOW_USERNAME": airflow.bot_username,
            "PREFLIGHT_AIRFLOW_PASSWORD": airflow.secrets.bot_password,
            "PREFLIGHT_NUDGE_SECRET": self.nudge_secret,
            "PREFLIGHT_ARTIFACTS_URL": str(airflow.artifacts_folder),
            **github(),
        }
        bot = LocalBot(settings, self.bot_ports, self.supervisor)
        by_hand.remember(self.credentials, bot.settings)
        with self.console.phase("The bot's database"):
            bot.migrate()
        with self.console.phase("The bot: web and worker"):
            bot.start()
            bot.wait_ready()


def _together(*jobs: Callable[[], None]) -> None:
    """Do all of them at once; the first that fails ends the waiting, and the supervisor ends the others."""
    pool = ThreadPoolExecutor()
    try:
        done, _ = wait([pool.submit(job) for job in jobs], return_when=FIRST_EXCEPTION)
        for job in done:
            job.result()
    finally:
        pool.shutdown(wait=False)


def _remembered_ports(path: Path) -> dict[str, int]:
    """Free ports, those of last time where possible: a page that is still open in a browser works again."""
    try:
        last = json.loads(path.read_text())
    except (OSError, ValueError):
        last = {}
    chosen: dict[str, int] = {}
    for name, preferred in _PREFERRED_PORTS.items():
        chosen[name] = ports.choose(last.get(name, preferred), chosen.values())
    path.write_text(json.dumps(chosen))
    return chosen
