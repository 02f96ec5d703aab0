"""Airflow finds our module, and keeps and reads logs by it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from deploy.kustomize.render import HERE
from deploy.local.environment import AIRFLOW_PYTHON
from tests.manifests.rendered import manifests

if TYPE_CHECKING:
    from pathlib import Path

MODULE = HERE / "components" / "remote-logs"
ASK = """
import os
from pathlib import Path
from airflow.logging_config import get_remote_task_log
from airflow.settings import prepare_syspath_for_config_and_plugins

prepare_syspath_for_config_and_plugins()
logs = get_remote_task_log()
print(">", type(logs).__name__)
local = Path(os.environ["AIRFLOW__LOGGING__BASE_LOG_FOLDER"])
for path in ("dag/run/task/1.log", str(local / "dag/run/task/2.log"), "dag/run/task/gone.log"):
    logs.upload(path, None)
for name in ("1.log", "2.log", "never.log"):
    sources, streams = logs.stream(f"dag/run/task/{name}", None)
    print(">", sources, [list(lines) for lines in streams], logs.read(f"dag/run/task/{name}", None)[1])
"""


@pytest.fixture
def airflow(tmp_path: Path) -> dict[str, str]:
    """The environment of an Airflow that has the module where the pods have it, and two logs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config").symlink_to(MODULE)
    folder = tmp_path / "logs" / "dag" / "run" / "task"
    folder.mkdir(parents=True)
    (folder / "1.log").write_text('{"event": "one"}\n{"event": "two"}\n')
    (folder / "2.log").write_bytes(b"\xff caf\xc3\xa9\n")
    return {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": f"file://{tmp_path}/bucket/logs/",
        "AIRFLOW__LOGGING__LOGGING_CONFIG_CLASS": "remote_logs.LOGGING_CONFIG",
    }


def ask(environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [str(AIRFLOW_PYTHON), "-c", ASK], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.removeprefix("> ") for line in done.stdout.splitlines() if line.startswith("> ")]


def test_logs_are_kept_and_read(airflow: dict[str, str], tmp_path: Path) -> None:
    kind, first, second, never = ask(airflow)
    url = f"file://{tmp_path}/bucket/logs/dag/run/task"
    assert kind == "BucketLogs"
    odd = "\ufffd café"
    lines = ['{"event": "one"}', '{"event": "two"}']
    assert first == f"{[f'{url}/1.log']} {[lines]} {[chr(10).join(lines)]}"
    assert second == f"{[f'{url}/2.log']} {[[odd]]} {[odd]}"
    assert never == "[] [] None"
    assert {file.name for file in (tmp_path / "bucket/logs/dag/run/task").iterdir()} == {"1.log", "2.log"}


def test_a_bucket_that_cannot_be_reached_fails_nothing(airflow: dict[str, str]) -> None:
    answer = ask(airflow | {"AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "nosuch://bucket/logs"})
    assert answer[0] == "BucketLogs"
    assert "nosuch://bucket/logs: Protocol not known" in answer[1]


def test_pods_have_the_module_where_airflow_looks() -> None:
    shown = manifests("kubernetes-executor")
    assert set(shown.of("ConfigMap")["airflow-remote-logs"]["data"]) == {"remote_logs.py"}
    readers = {
        "airflow-api-server",
        "airflow-scheduler",
        *(pod.name for pod in shown.workloads if pod.kind == "Pod"),
    }
    for one in shown.workloads:
        main = one.spec["containers"][0]
        classes = [
            env["value"] for env in main.get("env", []) if env["name"].endswith("LOGGING_CONFIG_CLASS")
        ]
        mounts = [mount["mountPath"] for mount in main["volumeMounts"] if mount["name"] == "remote-logs"]
        assert (classes, mounts) == (
            (["remote_logs.LOGGING_CONFIG"], ["/opt/airflow/config"]) if one.name in readers else ([], [])
        )
