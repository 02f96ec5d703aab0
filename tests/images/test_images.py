"""The images that the shipped Dockerfile makes, each by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.conftest import REVISION, VERSION
from tests.images.podman import PodmanError
from tests.stories.waiting import until

if TYPE_CHECKING:
    from tests.images.podman import Podman

NAMES = ("preflight-bot", "preflight-airflow")
MEGABYTE = 1_000_000
# As a restricted pod runs it.
RESTRICTED = (
    "--rm",
    "--no-healthcheck",
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
)


def run(podman: Podman, image: str, *command: str) -> str:
    return podman.run("run", *RESTRICTED, image, *command)


def program(podman: Podman, image: str, *command: str) -> str:
    """Run a program of the image in place of its own."""
    return podman.run("run", *RESTRICTED, f"--entrypoint={json.dumps(['tini', '-s', '--'])}", image, *command)


@pytest.fixture(params=NAMES)
def image(request: pytest.FixtureRequest, images: dict[str, str]) -> str:
    return images[request.param]


@pytest.fixture
def airflow(images: dict[str, str]) -> str:
    return images["preflight-airflow"]


def test_labels_say_what_it_is(podman: Podman, image: str) -> None:
    (described,) = json.loads(podman.run("image", "inspect", image))
    labels = described["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == REVISION
    assert labels["org.opencontainers.image.title"] in image


def test_it_runs_as_nobody_special_and_says_how_it_is_stopped_and_checked(podman: Podman, image: str) -> None:
    (described,) = json.loads(podman.run("image", "inspect", image))
    assert described["User"] == "10001:10001"
    assert described["Config"]["StopSignal"] == "SIGTERM"
    assert "healthcheck.py" in str(described["Healthcheck"]["Test"])


@pytest.mark.parametrize(
    ("name", "megabytes"), [pytest.param("preflight-bot", 350), pytest.param("preflight-airflow", 800)]
)
def test_it_is_small(podman: Podman, images: dict[str, str], name: str, megabytes: int) -> None:
    (described,) = json.loads(podman.run("image", "inspect", images[name]))
    assert described["Size"] < megabytes * MEGABYTE


def test_the_bot_runs_with_a_root_that_is_read_only(podman: Podman, images: dict[str, str]) -> None:
    assert "/retest" in run(podman, images["preflight-bot"], "commands")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("version",), id="a command of airflow"),
        pytest.param(("airflow", "version"), id="with the word before it"),
        pytest.param(("bash", "-c", "exec airflow version"), id="as the official chart starts it"),
        pytest.param(("python", "-c", "import airflow; print(airflow.__version__)"), id="its python"),
    ],
)
def test_airflow_runs_with_a_root_that_is_read_only(
    podman: Podman, airflow: str, command: tuple[str, ...]
) -> None:
    assert run(podman, airflow, *command).splitlines()[-1].startswith("3.")


def test_only_the_folder_of_files_belongs_to_its_user(podman: Podman, image: str) -> None:
    found = program(
        podman, image, "find", "/opt", "-user", "10001", "-or", "-perm", "/022", "-not", "-type", "l"
    )
    assert found.split() == (["/opt/airflow/files"] if "airflow" in image else [])


def test_everything_is_compiled(podman: Podman, image: str) -> None:
    search = (
        "import importlib.util, pathlib, sys\n"
        "for file in pathlib.Path('/opt').rglob('*.py'):\n"
        "    if not pathlib.Path(importlib.util.cache_from_source(str(file))).exists(): print(file)\n"
    )
    uncompiled = program(podman, image, "python3", "-c", search).split()
    # Some packages carry files for other Pythons, and templates with a Python file's name.
    assert [file for file in uncompiled if "/site-packages/" not in file] == []
    assert len(uncompiled) < 10


@pytest.mark.parametrize("name", ["git", "bash", "bwrap", "tini", "pylint", "pytest"])
def test_airflow_has_what_steps_need(podman: Podman, airflow: str, name: str) -> None:
    assert program(podman, airflow, name, "--version")


@pytest.mark.parametrize("name", ["pip", "gcc", "kubectl", "helm", "gcloud"])
def test_it_has_nothing_that_was_not_asked_for(podman: Podman, image: str, name: str) -> None:
    with pytest.raises(PodmanError):
        program(podman, image, "sh", "-c", f"command -v {name}")


def test_what_a_step_calls_python3_is_not_airflows_environment(podman: Podman, airflow: str) -> None:
    assert program(podman, airflow, "python3", "-c", "import sys; print(sys.prefix)") == "/usr"


def test_nothing_of_the_machine_that_built_it_is_in_it(podman: Podman, image: str) -> None:
    """Neither its certificates nor its settings of pip, which the build may have needed, nor its proxies."""
    lent = "find /etc/pip.conf /run/host-certificates.crt -size +0 2> /dev/null; env | grep -i proxy"
    assert program(podman, image, "sh", "-c", f"{lent}; true") == ""


def test_an_orphan_does_not_stay_a_zombie(podman: Podman, airflow: str) -> None:
    """What a step leaves behind gets process 1 as its parent, which must take its exit code."""
    script = """
        orphan=$(sh -c 'true & echo $!')
        for try in $(seq 100000); do [ -e /proc/$orphan ] || { echo gone; exit; }; done
        cat /proc/$orphan/status
    """
    assert run(podman, airflow, "bash", "-c", script) == "gone"


def test_a_signal_reaches_what_runs_in_it(podman: Podman, airflow: str) -> None:
    script = "trap 'exit 7' TERM; echo up; sleep infinity & wait"
    name = podman.run("run", "--detach", "--no-healthcheck", airflow, "bash", "-c", script)
    until(lambda: podman.run("logs", name) == "up", "that it was up")
    podman.run("stop", "--time=60", name)
    (described,) = json.loads(podman.run("inspect", name))
    assert described["State"]["ExitCode"] == 7


def test_bubblewrap_may_make_a_sandbox_in_it(podman: Podman, airflow: str) -> None:
    """As podman runs it. Kubernetes' default seccomp profile refuses: a pod for each step does it there."""
    bwrap = ("bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "--dev", "/dev")
    assert program(podman, airflow, *bwrap, "echo", "works") == "works"
