"""`make run_postgre`: a PostgreSQL for Airflow alone, as a container or, without an engine, from PyPI."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from deploy.local import containers
from deploy.local.console import Console
from deploy.local.credentials import Credentials
from deploy.local.engine import find_engine
from deploy.local.errors import StackError
from deploy.local.postgres import DURABLE, Postgres
from deploy.local.processes import Supervisor

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.engine import Engine

DATABASE = "airflow"
_POLL_SECONDS = 0.5


def run(state: Path) -> int:
    """Run it until Ctrl-C; returns the exit code.

    Raises:
        StackError: it does not start, or ended by itself.
    """
    console = Console()
    if (engine := find_engine()) is not None:
        return _in_container(engine, state, console)
    console.show("No container engine answers (docker, podman): PostgreSQL runs from PyPI's package.")
    with Supervisor(home(state)) as supervisor:
        postgres = start(state, supervisor)
        try:
            console.show(f"\n  PostgreSQL  {postgres.url(DATABASE)}\n\nCtrl-C stops it; its data is kept.\n")
            while not (ended := supervisor.ended()):
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            return 0
        raise StackError(f"PostgreSQL ended by itself.\n{ended[0].last_lines()}")


def home(state: Path) -> Path:
    """Where the one from PyPI keeps its data."""
    return state / "local-postgre"


def embedded(state: Path, supervisor: Supervisor) -> Postgres:
    """The one from PyPI, wherever it was started."""
    return Postgres(home(state) / "postgres", supervisor, DURABLE)


def start(state: Path, supervisor: Supervisor) -> Postgres:
    """Start the one from PyPI, with a database for Airflow."""
    postgres = embedded(state, supervisor)
    postgres.start()
    if not postgres.has_database(DATABASE):
        postgres.create_database(DATABASE)
    return postgres


def password(state: Path) -> str:
    """Of the one in a container, which is never published beyond this machine."""
    return Credentials(state / "secrets").token("postgre-password")


def _in_container(engine: Engine, state: Path, console: Console) -> int:
    console.show(f"PostgreSQL runs as the container {containers.POSTGRE} of {engine.name}. Ctrl-C stops it.")
    engine.make_network(containers.NETWORK)
    os.environ["POSTGRES_PASSWORD"] = password(state)
    command = containers.postgre(engine.name)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted: Ctrl-C is the engine's from here on
