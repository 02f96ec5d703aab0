"""Airflow's own Python as tests use it: what the DAGs are, and a server that forks for each request."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
SIDE = Path(__file__).with_name("airflow_side")


class Server:
    """airflow_side/serve.py: Airflow imported once, a fork for each request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **request: object) -> Any:  # noqa: ANN401 - JSON
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):
                answer = json.loads(line)
                assert "error" not in answer, answer["error"]
                return answer
        pytest.fail("Airflow's side ended")


@pytest.fixture(scope="session")
def airflow_python() -> str:
    """Airflow's own Python; `make env` makes it."""
    python = Path(os.environ.get("PREFLIGHT_AIRFLOW_PYTHON") or ROOT / ".venv-airflow" / "bin" / "python")
    if not python.exists():
        pytest.fail(f"{python} is not there: run `make env` first")
    return str(python)


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("airflow")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PREFLIGHT_"))
    }
    return kept | {
        "AIRFLOW_VAR_X": "RENDERED",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(DAGS / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }


@pytest.fixture(scope="session")
def server(airflow_python: str, airflow_environment: dict[str, str]) -> Iterator[Server]:
    with subprocess.Popen(
        [airflow_python, str(SIDE / "serve.py"), str(DAGS)],
        env=airflow_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Server(process)


@pytest.fixture(scope="session")
def loaded(airflow_python: str, airflow_environment: dict[str, str]) -> dict[str, Any]:
    """What Airflow makes of the DAGs folder: `errors`, and `dags` by their ids."""
    done = subprocess.run(
        [airflow_python, str(SIDE / "parse.py"), str(DAGS)],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    parsed: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return parsed
