"""One step's process: started below a keeper, heard line by line, ended with all that it started."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Self

from steps import privileges
from steps.lines import BoundedLines
from steps.memory import oom_kills
from steps.tree import descendants, kill_below

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL. Airflow kills a cancelled task's process 5 s after its SIGTERM."""
_PATIENCE = 0.7
"""Seconds that the keeper gets beyond them."""
_TICK = 0.2
_DRAIN = 1.0
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
_PROC = Path("/proc")
_DAGS = str(Path(__file__).resolve().parents[1])
# Isolated, so that nothing in the step's environment, which is the keeper's too, changes what the keeper is.
_KEEPER = (
    "-I",
    "-S",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from steps import keeper; keeper.main()",
    _DAGS,
)

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
    exceeded: str = ""
    """The limit that it was ended for, in words: "used more than 10 GB of disk"."""


class StepProcess:
    """A binary below a keeper (steps.keeper), so that all that it starts can be ended with it.

    Args:
        argv: the binary and its arguments.
        env: its environment.
        cwd: its working directory.
        timeout: seconds until it is ended.
        options: of the keeper: limits, and how the binary is confined.
        log_bytes: how much of its output is passed on, beside the end of it. None: all.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        timeout: float | None = None,
        options: Sequence[str] = (),
        log_bytes: int | None = None,
    ) -> None:
        self._argv = list(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._timeout = timeout
        self._options = list(options)
        self._log_bytes = log_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._given_up = float("inf")
        """When a keeper that was told to end is killed, by time.monotonic()."""

    def run(self, on_line: Callable[[str], None]) -> Outcome:
        """Run to the end; each line of stdout and stderr goes to `on_line` as it comes.

        Raises:
            OSError: the binary can't be started.
        """
        started = time.monotonic()
        killed_before = oom_kills()
        ends = float("inf") if self._timeout is None else started + self._timeout
        timed_out = False
        others = {child.pid for child in descendants(os.getpid())}
        with _Verdict() as verdict, self._keeper(verdict.tell) as process:
            self._process = process
            output = _Output(process.stdout, BoundedLines(self._log_bytes), on_line)
            try:
                while process.poll() is None:
                    if self._stopped or timed_out:
                        self._end()
                    output.read(_TICK)
                    timed_out = timed_out or time.monotonic() > ends
            finally:
                self._close(process)
            said = verdict.read()
            if said is None:  # the step killed its keeper, and we inherited what it started
                _end_but(others)
            output.drain(time.monotonic() + _DRAIN)
        if said and "error" in said:
            raise OSError(*said["error"])
        return Outcome(
            exit_code=process.returncode,
            seconds=time.monotonic() - started,
            timed_out=timed_out,
            stopped=self._stopped,
            out_of_memory=process.returncode in _KILLED and oom_kills() != killed_before,
            exceeded=said["exceeded"] if said else "",
        )

    def stop(self) -> None:
        """Have the process and all that it started ended; returns at once, safe in a signal handler."""
        self._stopped = True
        self._end()

    def _keeper(self, tell: int) -> subprocess.Popen[bytes]:
        privileges.adopt_orphans()
        options = [f"--parent={os.getpid()}", f"--verdict={tell}", f"--grace={GRACE}", *self._options]
        return subprocess.Popen(
            [sys.executable, *_KEEPER, *options, "--", *self._argv],
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[tell],
        )

    def _end(self) -> None:
        """Tell the keeper to end everything; kill everything when that takes too long."""
        if (process := self._process) is None or process.returncode is not None:
            return
        if self._given_up == float("inf"):
            self._given_up = time.monotonic() + GRACE + _PATIENCE
            _signal(process.pid, signal.SIGTERM)
        elif time.monotonic() > self._given_up:
            kill_below(process.pid, seconds=0.5)
            _signal(process.pid, signal.SIGKILL)

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        """Leave nothing running, also when we are interrupted in the middle."""
        while process.poll() is None:
            self._end()
            time.sleep(_TICK / 10)
        self._process = None


class _Verdict:
    """A pipe on which a keeper tells what its exit code doesn't."""

    def __init__(self) -> None:
        self._hear, self.tell = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._hear)
        os.close(self.tell)

    def read(self) -> dict[str, Any] | None:
        """Return what the keeper said before it ended; None when it was killed."""
        os.set_blocking(self._hear, False)
        with contextlib.suppress(BlockingIOError, ValueError):
            said = json.loads(os.read(self._hear, 65_536))
            return said if isinstance(said, dict) else None
        return None


def _end_but(others: Collection[int]) -> None:
    for stray in descendants(os.getpid()):
        if stray.pid not in others:
            kill_below(stray.pid)
            _signal(stray.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(stray.pid, 0)


class _Output:
    """The pipe of a process, read without ever blocking for longer than asked."""

    def __init__(self, pipe: IO[bytes] | None, lines: BoundedLines, on_line: Callable[[str], None]) -> None:
        assert pipe is not None  # noqa: S101 - stdout=PIPE was asked for; this tells the type checker
        self._pipe = pipe
        self._on_line = on_line
        self._lines = lines
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
        _signal(pid, number)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def end_with_parent(environ: dict[str, str] | os._Environ[str]) -> None:
    """Get SIGTERM when the process named by STEP_PARENT dies, even by SIGKILL (Linux only; else nothing)."""
    parent = environ.pop("STEP_PARENT", "")
    if parent != str(os.getppid()) or not _PROC.joinpath("self/stat").exists():
        return
    privileges.end_with_parent(signal.SIGTERM)
    if parent != str(os.getppid()):  # it died while we asked
        raise SystemExit(128 + signal.SIGTERM)
