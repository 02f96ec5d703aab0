"""PostgreSQL and Airflow as containers, for `make run_postgre` and `make run_airflow`: their command lines.

Secrets are handed over by name (`--env NAME`), so that no list of processes shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.local.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NETWORK = "preflight"
POSTGRE = "preflight-postgre"
AIRFLOW = "preflight-airflow"
POSTGRE_IMAGE = "docker.io/library/postgres:18"
AIRFLOW_PORT = 8080
_HOME = "/opt/airflow"
_MOUNTED = "/run/secrets"

DATABASE_URL = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
FILES = ("GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG")
"""Names in the caller's environment that lead to files which steps may want."""


def postgre(engine: str) -> list[str]:
    """The command that runs PostgreSQL; POSTGRES_PASSWORD is taken from its environment."""
    return [
        *_run(engine, POSTGRE),
        "--env=POSTGRES_PASSWORD",
        "--env=POSTGRES_USER=airflow",
        "--env=POSTGRES_DB=airflow",
        f"--volume={POSTGRE}:/var/lib/postgresql",
        "--publish=127.0.0.1::5432",
        POSTGRE_IMAGE,
    ]


def airflow(engine: str, image: str, environ: Mapping[str, str], files: Mapping[str, Path]) -> list[str]:
    """The command that runs Airflow, all of it in one container; DATABASE_URL is taken from its environment.

    `environ` is the caller's: what of it the steps want (`wanted`) is handed on by name. `files` are what
    FILES lead to, as the image's user can read it. Airflow makes up the admin's password and prints it.
    """
    command = [*_run(engine, AIRFLOW), f"--env={DATABASE_URL}"]
    command += [f"--env={name}" for name in wanted(environ) if name not in FILES]
    for name, file in files.items():
        command += [f"--volume={file}:{_MOUNTED}/{name}:ro", f"--env={name}={_MOUNTED}/{name}"]
    settings = {
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
    }
    return [
        *command,
        *(f"--env={name}={value}" for name, value in settings.items()),
        f"--volume={ROOT / 'dags'}:{_HOME}/dags:ro",
        f"--publish=127.0.0.1:{AIRFLOW_PORT}:8080",
        "--stop-signal=SIGINT",  # on SIGTERM `airflow standalone` leaves its children behind
        image,
        "standalone",
    ]


def wanted(environ: Mapping[str, str]) -> list[str]:
    """Names in the caller's environment that steps may want: keys, and settings of pipelines and steps."""
    return sorted(
        name
        for name, value in environ.items()
        if value
        and (name in {*FILES, "PREFLIGHT_CLONE_URL"} or name.startswith(("PREFLIGHT_STEP_", "CLOUDSDK_")))
    )


def _run(engine: str, name: str) -> list[str]:
    return [engine, "run", "--rm", "--init", f"--name={name}", f"--network={NETWORK}"]
