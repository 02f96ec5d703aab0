"""A small process that ends the stack when the process that started it is gone, whatever killed it.

It holds the reading end of a pipe. Nobody writes: the kernel closes the other end when the supervisor ends,
also by SIGKILL, and then what the supervisor's record names is ended. A supervisor that stops properly
removes the record. The watchdog lives in a session of its own, so that what kills the supervisor's group
doesn't reach it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from deploy.local import record

ROOT = Path(__file__).resolve().parents[2]


class Watchdog:
    """The guard over one record; `dismiss` it after everything has been stopped."""

    def __init__(self, record_path: Path, mark: str) -> None:
        with record_path.with_name("watchdog.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local.watchdog", str(record_path.resolve()), mark],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """For tests."""
        return self._process.pid

    def dismiss(self) -> None:
        """Let it go: with the record removed it ends without doing anything."""
        self._process.communicate()


def main(record_path: Path, mark: str) -> None:
    """Wait for the supervisor's end, then end what it left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    left = record.load(record_path)
    if left is None or left.mark != mark:  # stopped properly, or a new supervisor has swept already
        return
    killed = record.sweep(left)
    print(f"The stack's starter was killed; ended {len(killed)} processes that it left.", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
