"""One subprocess and everything that it started: run it, hear it, end all of it."""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from steps.lines import Lines
from steps.memory import oom_kills

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL. Airflow kills a cancelled task's process 5 s after its SIGTERM."""
_TICK = 0.2
_DRAIN = 1.0
_PR_SET_PDEATHSIG = 1
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
_PROC = Path("/proc")

Kind = Literal["group", "session"]


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    exit_code: int
    """Negative: the signal that killed it."""
    seconds: float
    timed_out: bool = False
    stopped: bool = False
    out_of_memory: bool = False
    """It was killed, while the kernel killed something of our control group for want of memory."""


class StepProcess:
    """A binary in a session of its own, so that all that it starts can be ended with it."""

    def __init__(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float | None = None
    ) -> None:
        self._argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, on_line: Callable[[str], None]) -> Outcome:
        """Run to the end; each line of stdout and stderr goes to `on_line` as it comes.

        Raises:
            OSError: the binary can't be started.
        """
        started = time.monotonic()
        killed_before = oom_kills()
        deadline = None if self._timeout is None else started + self._timeout
        timed_out = False
        with subprocess.Popen(
            self._argv,
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            self._process = process
            output = _Output(process.stdout, on_line)
            try:
                while process.poll() is None:
                    if self._stopped:  # stop() may have come before there was a process to end
                        end_all("session", process.pid)
                    output.read(_TICK)
                    if deadline is not None and time.monotonic() > deadline:
                        timed_out = True
                        end_all("session", process.pid)
            finally:
                end_all("session", process.pid)
            output.drain(time.monotonic() + _DRAIN)
        return Outcome(
            exit_code=process.returncode,
            seconds=time.monotonic() - started,
            timed_out=timed_out,
            stopped=self._stopped,
            out_of_memory=process.returncode in _KILLED and oom_kills() != killed_before,
        )

    def stop(self) -> None:
        """End the process and all that it started; safe in a signal handler."""
        self._stopped = True
        if self._process is not None:
            end_all("session", self._process.pid)


class _Output:
    """The pipe of a process, read without ever blocking for longer than asked."""

    def __init__(self, pipe: IO[bytes] | None, on_line: Callable[[str], None]) -> None:
        assert pipe is not None  # noqa: S101 - stdout=PIPE was asked for; this tells the type checker
        self._pipe = pipe
        self._on_line = on_line
        self._lines = Lines()
        self._open = True
        os.set_blocking(pipe.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)

    def read(self, seconds: float) -> bool:
        """Pass on what comes within `seconds`; False when nothing came."""
        if not self._open:
            time.sleep(min(seconds, _TICK / 10))  # closed its output and still runs: poll for its end
            return False
        if not self._selector.select(seconds):
            return False
        chunk = os.read(self._pipe.fileno(), 65_536)
        self._open = bool(chunk)
        for line in self._lines.feed(chunk):
            self._on_line(line)
        return self._open

    def drain(self, deadline: float) -> None:
        """Pass on what is left: all of it, unless somebody outside the session keeps the pipe busy."""
        while self._open and self.read(0) and time.monotonic() < deadline:
            pass
        for line in self._lines.end():
            self._on_line(line)
        self._selector.close()


def end_all(kind: Kind, leader: int, grace: float = GRACE) -> None:
    """End every process of a group or session: SIGTERM, `grace` seconds, SIGKILL."""
    deadline = time.monotonic() + grace
    _signal_all(kind, leader, signal.SIGTERM)
    while members(kind, leader) and time.monotonic() < deadline:
        time.sleep(0.02)
    deadline = time.monotonic() + 1
    while members(kind, leader) and time.monotonic() < deadline:
        _signal_all(kind, leader, signal.SIGKILL)
        time.sleep(0.02)


def members(kind: Kind, leader: int) -> list[int]:
    """Return the living processes of a group or session, by id."""
    if _PROC.joinpath("self/stat").exists():
        return [pid for pid, group, session in _living() if leader == (group if kind == "group" else session)]
    try:
        os.killpg(leader, 0)
    except OSError:
        return []
    return [-leader]


def _living() -> Iterator[tuple[int, int, int]]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile
                stat = Path(entry.path, "stat").read_bytes()
                state, _, group, session = stat.rpartition(b")")[2].split()[:4]
                if state not in {b"Z", b"X"}:
                    yield int(entry.name), int(group), int(session)


def _signal_all(kind: Kind, leader: int, number: signal.Signals) -> None:
    for pid in members(kind, leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end_with_parent(environ: dict[str, str] | os._Environ[str]) -> None:
    """Get SIGTERM when the process named by STEP_PARENT dies, even by SIGKILL (Linux only; else nothing)."""
    parent = environ.pop("STEP_PARENT", "")
    if parent != str(os.getppid()) or not _PROC.joinpath("self/stat").exists():
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent != str(os.getppid()):  # it died while we asked
        raise SystemExit(128 + signal.SIGTERM)
