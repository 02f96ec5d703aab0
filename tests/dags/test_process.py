import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from steps import process as process_module
from steps.process import Outcome, StepProcess, end_all, members


def run(command: str, *, timeout: float | None = None) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    process = StepProcess(
        ["sh", "-c", command], env={"PATH": os.environ["PATH"]}, cwd=Path("/"), timeout=timeout
    )
    return process.run(lines.append), lines


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "GRACE", 0.3)


@pytest.mark.parametrize(
    ("command", "exit_code", "lines"),
    [
        pytest.param("echo out; echo err >&2", 0, ["out", "err"], id="both streams, in order"),
        pytest.param("printf half; exit 3", 3, ["half"], id="exit code"),
        pytest.param("kill -9 $$", -signal.SIGKILL, [], id="signal"),
        pytest.param("exec >&- 2>&-; sleep 0.1; exit 4", 4, [], id="closes its output early"),
        pytest.param("read line || echo no terminal", 0, ["no terminal"], id="no input"),
    ],
)
def test_hears_and_judges(command: str, exit_code: int, lines: list[str]) -> None:
    outcome, heard = run(command)
    assert (outcome.exit_code, outcome.timed_out, outcome.stopped, heard) == (exit_code, False, False, lines)


def test_lines_come_while_it_runs() -> None:
    first = threading.Event()
    process = StepProcess(
        [sys.executable, "-uc", "import time; print('first'); time.sleep(600)"], env={}, cwd=Path("/")
    )
    thread = threading.Thread(target=process.run, args=(lambda _line: first.set(),))
    thread.start()
    assert first.wait(20)
    process.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_timeout_ends_even_what_ignores_sigterm() -> None:
    outcome, lines = run("trap '' TERM; (sleep 600) & echo $$; sleep 600", timeout=0.5)
    assert outcome.timed_out
    assert members("session", int(lines[0])) == []


def test_leftovers_of_other_process_groups_are_ended_too() -> None:
    nested = "import os, subprocess; print(os.getsid(0)); subprocess.Popen(['sleep', '600'], process_group=0)"
    lines: list[str] = []
    StepProcess([sys.executable, "-c", nested], env={"PATH": os.environ["PATH"]}, cwd=Path("/")).run(
        lines.append
    )
    assert members("session", int(lines[0])) == []


def test_a_daemon_with_a_session_of_its_own_ends_with_the_step() -> None:
    pid: list[str] = []
    daemon = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    StepProcess([sys.executable, "-c", daemon], env={"PATH": os.environ["PATH"]}, cwd=Path("/")).run(
        pid.append
    )
    assert members("session", int(pid[0])) == []


def test_all_of_a_group_is_ended_even_what_ignores_sigterm() -> None:
    command = ["sh", "-c", "trap '' TERM; (sleep 600) & echo; sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout
        process.stdout.readline()
        end_all("group", process.pid, 0.1)
        assert process.wait() == -signal.SIGKILL
        assert members("group", process.pid) == []


def test_what_is_told_to_end_may_still_say_something() -> None:
    outcome, lines = run("trap 'echo bye; exit 5' TERM; echo $$; sleep 600 & wait", timeout=0.5)
    assert (outcome.timed_out, outcome.exit_code, lines[-1]) == (True, 5, "bye")


def test_output_beyond_the_limit_is_left_out_but_for_its_end() -> None:
    lines: list[str] = []
    command = ["seq", "-f", "line %.0f", "20000"]
    process = StepProcess(command, env={"PATH": os.environ["PATH"]}, cwd=Path("/"), log_bytes=100)
    assert process.run(lines.append).exit_code == 0
    assert (lines[0], lines[-1]) == ("line 1", "line 20000")
    assert "[more than 100 bytes of output: the rest is left out, but for its end]" in lines
    assert len(lines) < 7000


def test_a_stop_before_the_start_ends_it_at_once() -> None:
    process = StepProcess(["sleep", "600"], env={"PATH": os.environ["PATH"]}, cwd=Path("/"))
    process.stop()
    assert process.run(lambda _line: None).stopped


def test_a_missing_binary_is_an_error_of_its_own() -> None:
    with pytest.raises(FileNotFoundError):
        StepProcess(["no-such-binary"], env={}, cwd=Path("/")).run(lambda _line: None)


def test_a_slow_listener_loses_nothing() -> None:
    count = 0

    def slow(_line: str) -> None:
        nonlocal count
        count += 1
        if count % 1000 == 0:
            time.sleep(0.01)

    process = StepProcess(["seq", "20000"], env={"PATH": os.environ["PATH"]}, cwd=Path("/"))
    assert process.run(slow).exit_code == 0
    assert count == 20_000


@pytest.mark.parametrize(
    ("command", "kills", "out_of_memory"),
    [
        ("kill -9 $$", [3, 4], True),
        ("exit 137", [3, 4], True),
        ("kill -9 $$", [3, 3], False),
        ("kill -9 $$", [None, None], False),
        ("kill -15 $$", [3, 4], False),
        ("exit 1", [3, 4], False),
    ],
)
def test_a_process_that_was_killed_while_memory_ran_out(
    monkeypatch: pytest.MonkeyPatch, command: str, kills: list[int | None], *, out_of_memory: bool
) -> None:
    monkeypatch.setattr(process_module, "oom_kills", lambda: kills.pop(0))
    assert run(command)[0].out_of_memory is out_of_memory
