"""PostgreSQL and Airflow alone: by a container engine where one answers, else from PyPI's packages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import containers, engine, run_postgre
from deploy.local.environment import ROOT
from deploy.local.errors import StackError
from deploy.local.processes import Supervisor
from deploy.local.run_airflow import readable_copies

ENGINE = """#!{python}
import json, os, sys
args = sys.argv[1:]
with open({record!r}, "a") as record:
    names = sorted(set(os.environ) & {{"POSTGRES_PASSWORD", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"}})
    record.write(json.dumps([args, names]) + "\\n")
sys.exit(1 if args[:2] in {refuses!r} else 0)
"""


class FakeEngine:
    """A program called docker that notes what it is asked, and refuses what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "record.jsonl"

    def refuse(self, *commands: list[str]) -> None:
        program = self.folder / "docker"
        program.write_text(
            ENGINE.format(python=sys.executable, record=str(self.record), refuses=list(commands))
        )
        program.chmod(0o755)

    def asked(self) -> list[tuple[list[str], list[str]]]:
        return [tuple(json.loads(line)) for line in self.record.read_text().splitlines()]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    fake.refuse()
    return fake


def run(command: str, state: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", command, "--state", str(state), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_engine_that_answers_is_found(docker: FakeEngine) -> None:
    assert engine.find_engine() == engine.Engine("docker")


def test_a_client_without_its_engine_is_none(docker: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.refuse(["info"])
    monkeypatch.setattr(engine, "NAMES", ("docker",))
    assert engine.find_engine() is None


def test_postgresql_becomes_a_container_and_its_password_is_in_no_command(
    docker: FakeEngine, tmp_path: Path
) -> None:
    done = run("run_postgre", tmp_path / "state")
    assert done.returncode == 0, done.stderr
    assert "container preflight-postgre of docker" in done.stdout
    args, environment = docker.asked()[-1]
    assert args[:2] == ["run", "--rm"]
    assert environment == ["POSTGRES_PASSWORD"]
    assert run_postgre.password(tmp_path / "state") not in " ".join(args)


def test_airflow_becomes_a_container_beside_it(docker: FakeEngine, tmp_path: Path) -> None:
    done = run("run_airflow", tmp_path / "state", "--image=preflight-airflow:1")
    assert done.returncode == 0, done.stderr
    assert "http://localhost:8080" in done.stdout
    args, environment = docker.asked()[-1]
    assert args[-2:] == ["preflight-airflow:1", "standalone"]
    assert environment == ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert run_postgre.password(tmp_path / "state") not in " ".join(args)


@pytest.mark.parametrize(
    ("refused", "advice"),
    [
        pytest.param(["image", "inspect"], "`make build` makes it", id="no image"),
        pytest.param(["container", "inspect"], "`make run_postgre` in another terminal", id="no PostgreSQL"),
    ],
)
def test_what_is_missing_is_said(docker: FakeEngine, tmp_path: Path, refused: list[str], advice: str) -> None:
    docker.refuse(refused)
    done = run("run_airflow", tmp_path / "state", "--image=preflight-airflow:1")
    assert done.returncode == 1
    assert advice in done.stderr


def test_dags_are_mounted_and_the_page_is_for_this_machine() -> None:
    command = containers.airflow("docker", "image", {}, {})
    assert f"--volume={ROOT / 'dags'}:/opt/airflow/dags:ro" in command
    assert "--publish=127.0.0.1:8080:8080" in command


def test_keys_are_mounted_when_they_are_set_and_values_are_handed_over_by_name() -> None:
    environ = {
        "GOOGLE_APPLICATION_CREDENTIALS": "/keys/of/somebody.json",
        "PREFLIGHT_CLONE_URL": "https://github.example/acme/widgets",
        "CLOUDSDK_CORE_PROJECT": "a-project",
        "AWS_SECRET_ACCESS_KEY": "not asked for",
    }
    copy = {"GOOGLE_APPLICATION_CREDENTIALS": Path("/copies/google")}
    command = containers.airflow("podman", "image", environ, copy)
    assert "--volume=/copies/google:/run/secrets/GOOGLE_APPLICATION_CREDENTIALS:ro" in command
    assert "--env=GOOGLE_APPLICATION_CREDENTIALS=/run/secrets/GOOGLE_APPLICATION_CREDENTIALS" in command
    assert {"--env=PREFLIGHT_CLONE_URL", "--env=CLOUDSDK_CORE_PROJECT"} <= set(command)
    assert "a-project" not in " ".join(command)
    assert "AWS" not in " ".join(command)


def test_files_are_mounted_as_copies_that_the_images_user_can_read(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    keys.chmod(0o600)
    copies = readable_copies({"KUBECONFIG": str(keys)}, tmp_path / "copies")
    assert copies["KUBECONFIG"].stat().st_mode & 0o777 == 0o444
    assert copies["KUBECONFIG"].parent.stat().st_mode & 0o777 == 0o700
    assert readable_copies({}, tmp_path / "copies") == {}
    assert not copies["KUBECONFIG"].exists(), "what is not wanted any more is gone"


def test_a_name_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="KUBECONFIG leads to no file"):
        readable_copies({"KUBECONFIG": str(tmp_path / "missing")}, tmp_path / "copies")


@pytest.mark.postgres
def test_without_an_engine_postgresql_comes_from_pypi_and_keeps_its_data(tmp_path: Path) -> None:
    with Supervisor(run_postgre.home(tmp_path)) as supervisor:
        first = run_postgre.start(tmp_path, supervisor)
        assert first.answers("airflow")
    with Supervisor(run_postgre.home(tmp_path)) as supervisor:
        again = run_postgre.embedded(tmp_path, supervisor)
        assert not again.answers("airflow"), "it ended with its terminal"
        again.start()
        assert again.answers("airflow")
        again.remove()


@pytest.mark.postgres
def test_ctrl_c_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = tmp_path / "docker"
    for name in engine.NAMES:  # neither answers
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    assert docker.exists()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    command = [sys.executable, "-m", "deploy.local", "run_postgre", "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "No container engine answers" in said
    assert "postgresql+psycopg://" in said
