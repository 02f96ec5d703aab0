"""Real processes that do nothing, found again by a word in their command line."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from deploy.local.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# As Airflow does: a child, one in a session of its own, and one that has cleaned its environment.
FAMILY = "sleep {0} & setsid sleep {0} & env -i {1} {0} & wait"
SIZE = 4
SUPERVISE = """
import signal, sys, time
from pathlib import Path
from deploy.local import environment, reaper
from deploy.local.processes import Supervisor

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # below nohup it would be ignored by all

def main():
    with Supervisor(Path(sys.argv[1])) as supervisor:
        supervisor.start("family", ["bash", "-c", sys.argv[2]], env=environment.base(), cwd=Path("/"))
        time.sleep(600)
    return 0

sys.exit(reaper.run_below(main, until_parent_ends=False) if sys.argv[3] == "reaper" else main())
"""


class Sleepers:
    """A family of processes with a word of their own."""

    def __init__(self) -> None:
        self._seconds = f"600.{secrets.randbelow(10**12)}"

    @property
    def command(self) -> str:
        """The shell command that becomes the family."""
        return FAMILY.format(self._seconds, shutil.which("sleep"))

    def alive(self) -> list[psutil.Process]:
        """Those that live, of the four; what has ended and waits to be reaped does not."""
        return [process for process in psutil.process_iter() if self._is_one(process)]

    def _is_one(self, process: psutil.Process) -> bool:
        try:
            command = process.cmdline()
            return "-c" not in command[2:3] and any(self._seconds in word for word in command[:3])
        except psutil.Error:
            return False

    def end(self) -> None:
        """Don't let a failed test leave them."""
        for process in self.alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def supervise(directory: Path, sleepers: Sleepers, *, below: str = "nothing") -> subprocess.Popen[bytes]:
    """A process in a session of its own that supervises them, with a reaper above it if `below` says so."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(directory), sleepers.command, below],
        cwd=ROOT,
        start_new_session=True,
    )
    wait_for(lambda: len(sleepers.alive()), wanted=SIZE)
    return process


def wait_for(condition: Callable[[], object], *, wanted: object, seconds: float = 60) -> None:
    """Return when the condition's value is the wanted one; fail if that takes too long."""
    deadline = time.monotonic() + seconds
    while (value := condition()) != wanted:
        assert time.monotonic() < deadline, f"waited in vain: {value!r} is not {wanted!r}"
        time.sleep(0.02)


def kill_9(*pids: int) -> None:
    """As somebody without patience does, all at once."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
