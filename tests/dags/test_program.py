"""All programs of steps end alike: exit code, reason, JUnit."""

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step, run_program
from tests.dags.conftest import DAGS
from tests.dags.test_cases import written
from tests.dags.test_child import is_gone

Does = Callable[[argparse.Namespace, Step], Mapping[str, Any] | int | None]


@pytest.fixture
def handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEP_OUTPUT", str(tmp_path / "output.json"))
    return tmp_path / "output.json"


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    return tmp_path / "junit.xml"


def ran(does: Does, *options: object) -> int:
    command = CommandOf("build", "builds", lambda parser: parser.add_argument("--tag"), does)
    return run_program("release", "Releases.", [command], ["build", *map(str, options)])


def raising(error: BaseException) -> Does:
    def does(_args: argparse.Namespace, _step: Step) -> None:
        raise error

    return does


def test_what_a_command_returns_is_handed_on(handed_on: Path, junit: Path) -> None:
    assert ran(lambda args, _step: {"image": args.tag}, "--tag=a:1", f"--junit_path={junit}") == 0
    assert json.loads(handed_on.read_text()) == {"image": "a:1"}
    assert written(junit) == []


@pytest.mark.parametrize(
    ("error", "exit_code", "reason"),
    [
        pytest.param(StepFailed("no such chart"), 1, "no such chart", id="for good"),
        pytest.param(TryAgain("503"), 75, "503", id="worth another try"),
        pytest.param(
            OSError(13, "Permission denied", "/x"), 1, "[Errno 13] Permission denied: '/x'", id="OSError"
        ),
    ],
)
def test_a_failure_is_told_everywhere(
    handed_on: Path, junit: Path, error: Exception, exit_code: int, reason: str
) -> None:
    assert ran(raising(error), f"--junit_path={junit}") == exit_code
    assert json.loads(handed_on.read_text()) == {"reason": reason}
    assert written(junit) == [("build", "failure", reason)]


def test_a_failed_check_is_not_told_twice(handed_on: Path, junit: Path) -> None:
    def does(_args: argparse.Namespace, step: Step) -> None:
        with step.cases.case("image"):
            pass
        with step.cases.case("chart"):
            raise StepFailed("no such chart")

    assert ran(does, f"--junit_path={junit}") == 1
    assert written(junit) == [("image", "passed", ""), ("chart", "failure", "no such chart")]


def test_a_mistake_of_ours_is_told_too(handed_on: Path, junit: Path) -> None:
    with pytest.raises(KeyError):
        ran(raising(KeyError("image")), f"--junit_path={junit}")
    assert json.loads(handed_on.read_text()) == {"reason": "KeyError('image')"}
    assert written(junit) == [("build", "failure", "KeyError('image')")]


def test_a_command_may_end_as_another_program_did(handed_on: Path) -> None:
    assert ran(lambda _args, _step: 7) == 7
    assert not handed_on.exists()


def test_a_mistaken_command_line_is_a_reason(handed_on: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        ran(lambda _args, _step: None, "--no-such-option")
    assert caught.value.code == 2
    assert "--no-such-option" in json.loads(handed_on.read_text())["reason"]


def test_a_dry_run_prints_commands_and_writes_nothing(
    handed_on: Path, junit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def does(_args: argparse.Namespace, step: Step) -> Mapping[str, str]:
        with step.cases.case("image"):
            return {"image": step.tools.run("docker", "build", ".")}

    assert ran(does, "--dryrun", f"--junit_path={junit}") == 0
    assert capsys.readouterr().out == "docker build .\n"
    assert (handed_on.exists(), junit.exists()) == (False, False)


@pytest.mark.parametrize(
    "does", [lambda _args, _step: None, raising(TryAgain("503"))], ids=["passed", "failed"]
)
def test_junit_that_can_not_be_written_is_no_success(
    handed_on: Path, tmp_path: Path, does: Does, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert ran(does, f"--junit_path={tmp_path / 'file' / 'junit.xml'}") != 0
    assert "what was checked can't be written" in capsys.readouterr().out


def test_signal_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ran(lambda _args, _step: None)
    assert signal.getsignal(signal.SIGTERM) is before


PROGRAM = """
import sys
from pathlib import Path
from steps.program import CommandOf, run_program

def build(args, step):
    with step.cases.case("prepare"):
        pass
    with step.cases.case("image"):
        try:
            child = "(trap '' TERM; while :; do sleep 1; done) & echo $!"
            step.tools.run("sh", "-c", f"{child} > {sys.argv[1]}; wait")
        finally:
            step.tools.run("sh", "-c", "trap | grep . ; echo cleaned up")

command = CommandOf("build", "builds", lambda parser: None, build)
sys.exit(run_program("release", "Releases.", [command], sys.argv[2:]))
"""


@contextlib.contextmanager
def started(tmp_path: Path, junit: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a program until a child of its program runs; yields it and the child's id."""
    pid = tmp_path / "pid"
    argv = [sys.executable, "-c", PROGRAM, str(pid), "build", f"--junit_path={junit}"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(DAGS), "STEP_OUTPUT": str(tmp_path / "output.json")}
    with subprocess.Popen(argv, env=env, text=True, stdout=subprocess.PIPE) as process:
        try:
            while not (pid.exists() and pid.read_text().endswith("\n")):
                assert process.poll() is None
            yield process, int(pid.read_text())
        finally:
            process.kill()


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_signal_in_the_middle_ends_its_programs_and_is_told(
    tmp_path: Path, junit: Path, number: signal.Signals
) -> None:
    with started(tmp_path, junit) as (process, child):
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert output == f"cleaned up\nerror: stopped by {number.name}\n"
    assert written(junit) == [("prepare", "passed", ""), ("image", "failure", f"stopped by {number.name}")]
    assert json.loads((tmp_path / "output.json").read_text()) == {"reason": f"stopped by {number.name}"}
    assert is_gone(child)


def test_cleaning_up_is_not_stopped_by_more_signals(tmp_path: Path, junit: Path) -> None:
    with started(tmp_path, junit) as (process, child):
        assert process.stdout is not None
        with selectors.DefaultSelector() as cleaned_up:
            cleaned_up.register(process.stdout, selectors.EVENT_READ)
            while not cleaned_up.select(0.01):
                process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (143, "cleaned up\nerror: stopped by SIGTERM\n")
    assert is_gone(child)
