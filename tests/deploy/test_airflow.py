"""A real Airflow: it comes up, knows its DAGs, loses a part and gets it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from deploy.local import ports
from deploy.local.airflow import LocalAirflow, local_airflow
from deploy.local.airflow_settings import AirflowSecrets, AirflowSettings
from tests.deploy.sleepers import Sleepers, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = AirflowSecrets("jwt", "api", "fernet", "for people", "for the bot")
DAG = """
import subprocess
from airflow.sdk import DAG, task

with DAG("sleeper", schedule=None):
    @task
    def sleep():
        subprocess.run(["bash", "-c", {command!r}], start_new_session=True, check=True)
    sleep()
"""


def settings(
    home: Path,
    *,
    nudge_url: str | None = None,
    nudge_secret: str | None = None,
    extra: dict[str, str] | None = None,
) -> AirflowSettings:
    return AirflowSettings(
        home=home,
        dags=home,
        database_url="postgresql+psycopg:///x",
        port=8083,
        secrets=SECRETS,
        nudge_url=nudge_url,
        nudge_secret=nudge_secret,
        extra=extra or {},
    )


class TestSettings:
    def test_tasks_call_back_where_the_api_listens(self, tmp_path: Path) -> None:
        environment = settings(tmp_path).environment()
        assert environment["AIRFLOW__API__PORT"] == "8083"
        assert environment["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8083"
        assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8083/execution/"

    def test_only_what_belongs_to_airflow_has_our_prefix(self, tmp_path: Path) -> None:
        environment = settings(
            tmp_path, nudge_url="http://127.0.0.1:8081/nudge", nudge_secret="s"
        ).environment()
        ours = {name for name in environment if name.startswith("PREFLIGHT_")}
        assert ours - {"PREFLIGHT_STEP_BWRAP"} == {  # only where there is none on PATH
            "PREFLIGHT_ARTIFACTS_ROOT",
            "PREFLIGHT_ARTIFACTS_URL",
            "PREFLIGHT_NUDGE_URL",
            "PREFLIGHT_NUDGE_SECRET",
            "PREFLIGHT_STEP_HIDDEN",
        }

    def test_more_environment_wins(self, tmp_path: Path) -> None:
        environment = settings(tmp_path, extra={"AIRFLOW__CORE__PARALLELISM": "1"}).environment()
        assert environment["AIRFLOW__CORE__PARALLELISM"] == "1"

    def test_passwords_are_for_airflow_only(self, tmp_path: Path) -> None:
        airflow = settings(tmp_path / "home")
        airflow.write_passwords()
        assert json.loads(airflow.passwords_file.read_text()) == {
            "admin": "for people",
            "preflight": "for the bot",
        }
        assert airflow.passwords_file.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    sleepers = Sleepers()
    yield sleepers
    sleepers.end()


def trigger(airflow: LocalAirflow) -> None:
    login = {"username": airflow.username, "password": airflow.password}
    token = requests.post(f"{airflow.url}/auth/token", json=login, timeout=30).json()["access_token"]
    requests.post(
        f"{airflow.url}/api/v2/dags/sleeper/dagRuns",
        json={"logical_date": None},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ).raise_for_status()


@pytest.mark.airflow
def test_airflow_loses_parts_and_gets_them_back_and_leaves_nothing(
    tmp_path: Path, sleepers: Sleepers
) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "sleeper.py").write_text(DAG.format(command=sleepers.command))
    with local_airflow(tmp_path / "stack", dags=tmp_path / "dags", wait_for={"sleeper"}) as airflow:
        trigger(airflow)
        wait_for(lambda: len(sleepers.alive()) > 1, wanted=True)

        airflow.stop_api()
        assert not ports.answers(airflow.settings.port)
        assert sleepers.alive() != []
        airflow.start_api()
        assert ports.answers(airflow.settings.port)

        airflow.kill_scheduler()
        assert sleepers.alive() == []
        airflow.start_scheduler()
        trigger(airflow)
        wait_for(lambda: len(sleepers.alive()) > 1, wanted=True)
    assert sleepers.alive() == []
