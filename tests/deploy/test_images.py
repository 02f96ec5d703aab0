"""`make build push update`: which commands they run. `make test-deploy` runs them for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from deploy.images import rollout
from deploy.images.engine import Engine, find_engine
from deploy.local.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IMAGES = {
    "preflight-bot": "reg.example.com:5000/acme/preflight-bot:1.2",
    "preflight-airflow": "reg.example.com:5000/acme/preflight-airflow:1.2",
}
RECORDER = """\
#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >> "$RECORD"
for word in $FAILING; do case "$*" in *"$word"*) echo "no $word here" >&2; exit 1;; esac; done
case "$2" in get) cat "$LISTED" ;; esac
"""


@dataclass
class Machine:
    """Programs that write down how they are called, and nothing else on PATH that builds images."""

    folder: Path
    failing: str = ""

    def has(self, *programs: str) -> None:
        for program in programs:
            file = self.folder / program
            file.write_text(RECORDER)
            file.chmod(0o755)

    def make(self, target: str, *variables: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": str(self.folder),
            "RECORD": str(self.folder / "record"),
            "LISTED": str(self.folder / "listed"),
            "FAILING": self.failing,
        }
        make = str(shutil.which("make"))
        return subprocess.run(
            [make, "--no-print-directory", target, "VERSION=1.2", f"PYTHON={sys.executable}", *variables],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.folder / "record"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for program in ("sh", "git", "basename", "cat"):
        (tmp_path / program).symlink_to(os.path.realpath(str(shutil.which(program))))
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("answering", "found"),
    [
        pytest.param(("docker", "podman"), "docker", id="docker first"),
        pytest.param(("podman", "buildah"), "podman", id="a docker client without an engine does not count"),
        pytest.param(("buildah",), "buildah", id="buildah alone"),
        pytest.param((), None, id="none"),
    ],
)
def test_the_first_engine_that_answers(answering: Sequence[str], found: str | None) -> None:
    engine = find_engine(answers=lambda command: command[0] in answering)
    assert (engine.name if engine else None) == found


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_oci_engines_are_told_to_keep_the_health_check(name: str) -> None:
    assert "--format=docker" in Engine(name).build("image:1", "bot", {}, [], ROOT)


def test_arguments_without_a_value_are_left_to_the_dockerfile() -> None:
    command = Engine("docker").build("image:1", "bot", {"TOOLS": "", "VERSION": "1"}, ["--pull"], ROOT)
    assert command == [
        *("docker", "build", "--target=bot", "--tag=image:1", "--build-arg=VERSION=1", "--pull"),
        str(ROOT),
    ]


def test_build_makes_both(machine: Machine) -> None:
    machine.has("podman")
    assert machine.make("build", "TOOLS=kubectl helm", "DEBIAN=bookworm-slim", "REVISION=abc").returncode == 0
    arguments = "--build-arg=DEBIAN=bookworm-slim --build-arg=VERSION=1.2 --build-arg=REVISION=abc"
    bot, airflow = machine.calls()[-2:]
    assert bot == f"podman build --target=bot --tag=preflight-bot:1.2 --format=docker {arguments} {ROOT}"
    assert airflow == (
        "podman build --target=airflow --tag=preflight-airflow:1.2 --format=docker "
        f"{arguments} --build-arg=TOOLS=kubectl helm {ROOT}"
    )


def test_build_takes_the_base_image_that_it_knows(machine: Machine) -> None:
    machine.has("docker")
    assert machine.make("build").returncode == 0
    assert "--build-arg=DEBIAN=bookworm-slim@sha256:" in machine.calls()[-1]


def test_build_takes_the_one_that_is_there_where_none_can_be_fetched(machine: Machine) -> None:
    machine.has("docker")
    machine.failing = "@sha256:"
    done = machine.make("build")
    assert done.returncode == 0
    assert "can't be fetched" in done.stdout
    assert "--build-arg=DEBIAN=bookworm-slim " in machine.calls()[-1]


@pytest.mark.parametrize(
    ("target", "programs", "failing", "said"),
    [
        pytest.param("build", (), "", "There is none here", id="build without an engine"),
        pytest.param(
            "build", ("docker",), "info", "There is docker, but no engine", id="or with a client only"
        ),
        pytest.param("build", ("docker",), "debian", "DEBIAN=", id="or without a base image"),
        pytest.param("push", ("docker",), "", "REGISTRY=", id="push without a registry"),
        pytest.param("update", (), "", "kubectl is missing", id="update without kubectl"),
        pytest.param("update", ("kubectl",), "get", "no get here", id="or without a cluster"),
    ],
)
def test_what_is_missing_is_said(
    machine: Machine, target: str, programs: Sequence[str], failing: str, said: str
) -> None:
    machine.has(*programs)
    machine.failing = failing
    done = machine.make(target)
    assert done.returncode != 0
    assert said in done.stderr


def test_push_without_images_says_how_to_make_them(machine: Machine) -> None:
    machine.has("docker")
    machine.failing = "inspect"
    assert "`make build` makes it" in machine.make("push", "REGISTRY=reg.example.com").stderr


def test_push_tags_and_sends_both(machine: Machine) -> None:
    machine.has("docker")
    assert machine.make("push", "REGISTRY=reg.example.com/acme/").returncode == 0
    assert [call for call in machine.calls() if "push" in call] == [
        "docker push reg.example.com/acme/preflight-bot:1.2",
        "docker push reg.example.com/acme/preflight-airflow:1.2",
    ]


def deployment(name: str, image: str, *variables: str, kind: str = "Deployment") -> dict[str, Any]:
    env = [{"name": variable, "value": "old"} for variable in variables]
    pod = {
        "initContainers": [{"name": "migrate", "image": image}],
        "containers": [{"name": "main", "image": image, "env": env}],
    }
    spec: dict[str, Any] = {"template": {"spec": pod}}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


LISTED = {
    "items": [
        deployment("preflight-web", "preflight-bot:0.1.0"),
        deployment("postgres", "postgres:17"),
        deployment("scheduler", "old.example.com/preflight-airflow@sha256:12", rollout.STEPS_TAG),
        deployment("airflow-clean", "preflight-airflow", kind="CronJob"),
    ]
}


def test_update_gives_each_of_our_workloads_its_image_and_waits(machine: Machine) -> None:
    machine.has("kubectl")
    (machine.folder / "listed").write_text(json.dumps(LISTED))
    assert machine.make("update", "REGISTRY=reg.example.com").returncode == 0
    airflow, bot = "reg.example.com/preflight-airflow:1.2", "reg.example.com/preflight-bot:1.2"
    steps = f"{rollout.STEPS_REPOSITORY}=reg.example.com/preflight-airflow {rollout.STEPS_TAG}=1.2"
    assert [call.removeprefix("kubectl --namespace=preflight ") for call in machine.calls()[1:]] == [
        f"set image deployment/preflight-web migrate={bot} main={bot}",
        f"set image deployment/scheduler migrate={airflow} main={airflow}",
        f"set env deployment/scheduler {steps}",
        f"set image cronjob/airflow-clean migrate={airflow} main={airflow}",
        "rollout status deployment/preflight-web --timeout=10m",
        "rollout status deployment/scheduler --timeout=10m",
    ]


@pytest.mark.parametrize(
    "image",
    ["preflight-bot", "preflight-bot:1", "reg:5000/a/preflight-bot:1", "reg/preflight-bot:1@sha256:12"],
)
def test_an_image_is_known_whatever_its_registry_and_tag(image: str) -> None:
    assert rollout.plain_name(image) == "preflight-bot"


@pytest.mark.parametrize("overlay", ["base", "overlays/kubernetes-executor"])
def test_an_overlay_gets_the_images_everywhere(tmp_path: Path, overlay: str) -> None:
    """Also where kustomize does not see that a value is one: where Airflow is told what to run steps in."""
    folder = ROOT / "deploy/kustomize" / overlay
    shipped = kustomize(folder)
    text = rollout.kustomization(os.path.relpath(folder, tmp_path), shipped, IMAGES)
    (tmp_path / "kustomization.yaml").write_text(text)
    rendered = kustomize(tmp_path)
    assert "preflight-bot:0.1.0" in shipped
    assert "0.1.0" not in rendered
    assert f"image: {IMAGES['preflight-airflow']}" in rendered
    executor = rendered.partition(rollout.STEPS_REPOSITORY)[2].split()[:2]
    wanted = (
        ["value:", IMAGES["preflight-airflow"].rpartition(":")[0]] if rollout.STEPS_TAG in shipped else []
    )
    assert executor == wanted


def kustomize(folder: Path) -> str:
    command = ["kubectl", "kustomize", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
