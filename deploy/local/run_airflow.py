"""`make run_airflow`: Airflow with this checkout's DAGs, as a container or, without an engine, right here."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import containers, ports, run_postgre
from deploy.local.airflow import LocalAirflow
from deploy.local.airflow_settings import AirflowSettings
from deploy.local.console import Console
from deploy.local.credentials import Credentials
from deploy.local.engine import find_engine
from deploy.local.environment import ROOT
from deploy.local.errors import AlreadyRunningError, StackError
from deploy.local.processes import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.local.engine import Engine
    from deploy.local.postgres import Postgres

_POLL_SECONDS = 0.5
_POSTGRE_SECONDS = 60.0
_DAG = "checks"


def run(state: Path, image: str) -> int:
    """Run it until Ctrl-C; `image` is what an engine would run. Returns the exit code.

    Raises:
        StackError: it does not start, or ended by itself.
    """
    console = Console()
    if (engine := find_engine()) is not None:
        return _in_container(engine, state, image, console)
    console.show("No container engine answers (docker, podman): Airflow runs in .venv-airflow.")
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor(state / "local-airflow"))
        with console.phase("PostgreSQL"):
            postgres = _postgre(state, stack, supervisor, console)
        settings = _settings(state, postgres)
        airflow = LocalAirflow(settings, supervisor)
        with console.phase("Airflow's database"):
            airflow.migrate()
        with console.phase("Airflow: API, scheduler, DAG processor"):
            airflow.start()
            airflow.wait_ready({_DAG})
        try:
            console.show(
                f"\n  Airflow  {settings.url} (user admin, password {settings.secrets.admin_password})"
                f"\n  DAGs     {settings.dags}: edits show within seconds"
                f"\n  Logs     {supervisor.logs}\n\nCtrl-C stops it.\n"
            )
            while not (ended := supervisor.ended()):
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            return 0
        raise StackError(f"{ended[0].name} ended by itself.\n{ended[0].last_lines()}")


def _settings(state: Path, postgres: Postgres) -> AirflowSettings:
    return AirflowSettings(
        home=state / "local-airflow" / "airflow",
        dags=ROOT / "dags",
        plugins=ROOT / "dags" / "plugins",
        database_url=postgres.url(run_postgre.DATABASE),
        port=ports.choose(containers.AIRFLOW_PORT),
        secrets=Credentials(state / "secrets").airflow(),
        extra={name: os.environ[name] for name in containers.wanted(os.environ)},
    )


def _postgre(state: Path, stack: ExitStack, supervisor: Supervisor, console: Console) -> Postgres:
    """The one of `make run_postgre`, if that runs in another terminal; else one that ends with us."""
    try:
        its_own = stack.enter_context(Supervisor(run_postgre.home(state)))
    except AlreadyRunningError:
        postgres = run_postgre.embedded(state, supervisor)  # only asked, never started
        deadline = time.monotonic() + _POSTGRE_SECONDS
        while not postgres.answers(run_postgre.DATABASE):
            if time.monotonic() > deadline:
                raise StackError("`make run_postgre` runs, but takes no connections.") from None
            time.sleep(_POLL_SECONDS)
        return postgres
    console.say("PostgreSQL: `make run_postgre` does not run, so it is started here, too")
    return run_postgre.start(state, its_own)


def _in_container(engine: Engine, state: Path, image: str, console: Console) -> int:
    if not engine.has_image(image):
        raise StackError(f"{engine.name} has no image {image}: `make build` makes it.")
    if not engine.is_running(containers.POSTGRE):
        raise StackError("PostgreSQL does not run: `make run_postgre` in another terminal starts it.")
    console.show(
        f"Airflow runs as the container {containers.AIRFLOW} of {engine.name}, for this machine alone:\n"
        f"\n  http://localhost:{containers.AIRFLOW_PORT} (user admin; it prints the password when it starts)"
        "\n\nCtrl-C stops it."
    )
    password = run_postgre.password(state)
    os.environ[containers.DATABASE_URL] = (
        f"postgresql+psycopg://airflow:{password}@{containers.POSTGRE}/airflow"
    )
    files = readable_copies(os.environ, state / "local-airflow" / "files")
    command = containers.airflow(engine.name, image, os.environ, files)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted: Ctrl-C is the engine's from here on


def readable_copies(environ: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Copy the files that steps may want to where the image's user can read them, and nobody else here can.

    Raises:
        StackError: a name leads to no file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    copies = {}
    for name in containers.FILES:
        if path := environ.get(name):
            try:
                copies[name] = Path(shutil.copyfile(path, folder / name))
            except OSError as error:
                raise StackError(f"{name} leads to no file: {error}") from None
            copies[name].chmod(0o444)
    return copies
