"""A program that a step runs: fed, heard, and ended with all that it started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from steps import child
from steps.child import Ended, hear
from steps.signals import SIGNALS

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.3)


def heard(command: str, *, stdin: bytes = b"", timeout: float | None = None) -> tuple[Ended, bytes]:
    output = bytearray()
    ended = hear(["sh", "-c", command], env=ENV, on_output=output.extend, stdin=stdin, timeout=timeout)
    return ended, bytes(output)


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
    return False


@pytest.mark.parametrize(
    ("command", "stdin", "exit_code", "output"),
    [
        pytest.param("echo out; echo err >&2", b"", 0, b"out\nerr\n", id="both streams, in order"),
        pytest.param("printf half; exit 3", b"", 3, b"half", id="exit code, no newline"),
        pytest.param("kill -9 $$", b"", -signal.SIGKILL, b"", id="killed"),
        pytest.param("exec >&- 2>&-; exit 4", b"", 4, b"", id="closes its output early"),
        pytest.param("cat", b"a\0\xff\n", 0, b"a\0\xff\n", id="what it reads"),
        pytest.param("cat", b"", 0, b"", id="nothing to read"),
        pytest.param("exec <&-; echo done", b"x" * 1_000_000, 0, b"done\n", id="does not read"),
        pytest.param("head -c 2", b"x" * 1_000_000, 0, b"xx", id="reads a little only"),
    ],
)
def test_hears_a_program_to_its_end(command: str, stdin: bytes, exit_code: int, output: bytes) -> None:
    assert heard(command, stdin=stdin) == (Ended(exit_code), output)


def test_reading_and_writing_at_once_does_not_get_stuck() -> None:
    megabytes = os.urandom(4_000_000)
    assert heard("cat", stdin=megabytes) == (Ended(0), megabytes)


def test_streams_can_be_told_apart() -> None:
    output, errors = bytearray(), bytearray()
    argv = ["sh", "-c", "echo out; echo err >&2"]
    hear(argv, env=ENV, on_output=output.extend, on_error=errors.extend)
    assert (bytes(output), bytes(errors)) == (b"out\n", b"err\n")


def test_output_comes_while_it_runs(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = f"echo first; while [ ! -e {seen} ]; do sleep 0.01; done; echo second"
    output: list[bytes] = []

    def on_output(chunk: bytes) -> None:
        seen.touch()  # the program ends only if this is called before its end
        output.append(chunk)

    hear(["sh", "-c", command], env=ENV, on_output=on_output, timeout=60)
    assert b"".join(output) == b"first\nsecond\n"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("echo $$; sleep 600", id="patient"),
        pytest.param("trap '' TERM; echo $$; while :; do sleep 1; done", id="ignores SIGTERM"),
        pytest.param("sleep 600 & echo $!; wait", id="with a child"),
        pytest.param("(trap '' TERM; while :; do sleep 1; done) & echo $!; wait", id="its child ignores it"),
        pytest.param("echo $$; exec >&- 2>&-; sleep 600", id="closed its output"),
    ],
)
def test_a_timeout_ends_all_of_it(command: str) -> None:
    ended, output = heard(command, timeout=0.3)
    assert ended.timed_out
    assert is_gone(int(output))


def test_a_daemon_that_holds_the_pipe_is_not_waited_for() -> None:
    daemon = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    output = bytearray()
    ended = hear([sys.executable, "-c", daemon], env=ENV, on_output=output.extend, timeout=60)
    os.kill(int(output), signal.SIGKILL)
    assert ended == Ended(0)


def test_a_daemon_that_outlives_a_timeout_is_not_waited_for() -> None:
    daemon = (
        "import subprocess, time\n"
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
        "time.sleep(600)"
    )
    output = bytearray()
    ended = hear([sys.executable, "-c", daemon], env=ENV, on_output=output.extend, timeout=1)
    os.kill(int(output), signal.SIGKILL)
    assert ended.timed_out


def test_what_a_listener_raises_ends_it() -> None:
    pids: list[int] = []

    def refuse(chunk: bytes) -> None:
        pids.append(int(chunk))
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        hear(["sh", "-c", "echo $$; sleep 600"], env=ENV, on_output=refuse)
    assert is_gone(pids[0])


def test_a_signal_ends_it() -> None:
    pids: list[int] = []

    def on_output(chunk: bytes) -> None:
        pids.append(int(chunk))
        os.kill(os.getpid(), signal.SIGUSR1)

    with raising(signal.SIGUSR1), pytest.raises(SystemExit):
        hear(["sh", "-c", "echo $$; sleep 600"], env=ENV, on_output=on_output)
    assert is_gone(pids[0])


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_while_it_is_being_started_ends_it_too(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    pids: list[int] = []

    class Slow(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Popen's own
            super().__init__(*args, **options)
            pids.append(self.pid)
            os.kill(os.getpid(), number)

    monkeypatch.setattr(subprocess, "Popen", Slow)
    with raising(number), pytest.raises(SystemExit):
        hear(["sleep", "600"], env=ENV, on_output=lambda _chunk: None)
    assert is_gone(pids[0])


def test_leftovers_are_ended_when_that_is_asked_for() -> None:
    output = bytearray()
    argv = ["sh", "-c", "(trap '' TERM; while :; do sleep 1; done) & echo $!"]
    assert hear(argv, env=ENV, on_output=output.extend, sweep=True) == Ended(0)
    assert is_gone(int(output))


@contextlib.contextmanager
def raising(number: signal.Signals) -> Iterator[None]:
    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(number, stop)
    yield
    signal.signal(number, before)


def test_a_program_that_is_not_there_is_an_error_of_its_own() -> None:
    with pytest.raises(FileNotFoundError):
        hear(["no-such-program"], env=ENV, on_output=lambda _chunk: None)
