"""One child process that a supervisor holds."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from deploy.local import lineage
from deploy.local.errors import StackError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

_POLL_SECONDS = 0.05
_SIGNAL_AGAIN_SECONDS = 1.0
_LAST_LINES = 25


@dataclass(frozen=True)
class Stop:
    """How a program wants to be stopped."""

    orderly: signal.Signals = signal.SIGTERM
    """Sent every second: Airflow's scheduler may miss the first, and takes the second as "don't wait"."""
    seconds: float = 15.0
    """How long an orderly stop may take before SIGKILL."""
    quick: signal.Signals | None = None
    """What the watchdog sends before SIGKILL, to a program that leaves something behind otherwise."""
    after_others: bool = False
    """Whether others need it for their own stop: a database."""


class Child:
    """One supervised process and its descendants."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        name: str,
        log: Path,
        mark: str,
        stop: Stop,
        hurry: threading.Event,
    ) -> None:
        """Hold a process whose environment carries `mark`; when `hurry` is set, stopping means killing."""
        self.name = name
        self.log = log
        self._process = process
        self._root = psutil.Process(process.pid)
        self._mark = mark
        # Seen while it stopped: what has cleaned its environment isn't found any more once its parent ended.
        self._known: set[psutil.Process] = set()
        self._stop = stop
        self._hurry = hurry
        self.stop_after_others = stop.after_others

    @property
    def pid(self) -> int:
        """The pid of the process itself, which leads its session."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process itself lives."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait_until(self, condition: Callable[[], bool], what: str, *, seconds: float) -> None:
        """Return as soon as `condition` holds; `what` says so in the past tense, such as "it listened".

        Raises:
            StackError: the process ended, or `seconds` passed before; the message shows the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.running:
                raise StackError(
                    f"{self.name} ended with exit code {self.exit_code} before {what}.\n{self.last_lines()}"
                )
            if time.monotonic() > deadline:
                raise StackError(f"{self.name}: {seconds:.0f} s passed before {what}.\n{self.last_lines()}")
            time.sleep(_POLL_SECONDS)

    def wait(self, *, seconds: float) -> int:
        """Wait for a process that ends by itself, and return its exit code.

        Raises:
            StackError: it still runs after `seconds`; it has been killed.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise StackError(f"{self.name} ran longer than {seconds:.0f} s.\n{self.last_lines()}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself; nothing happens when it has ended."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ask the process to stop, wait, and kill what is left of it and of its descendants."""
        began = signalled = time.monotonic()
        self._known |= self.family()
        self.signal(self._stop.orderly)
        while self.running and not self._hurry.is_set():
            now = time.monotonic()
            if now - began > self._stop.seconds:
                break
            if now - signalled > _SIGNAL_AGAIN_SECONDS:
                self.signal(self._stop.orderly)
                signalled = now
            time.sleep(_POLL_SECONDS)
            self._known |= self.family()
        self.kill()

    def kill(self) -> None:
        """SIGKILL the process and all of its descendants, as a crash of the machine would."""
        lineage.destroy(self.family)
        self._process.wait()

    def family(self) -> set[psutil.Process]:
        """The process and all of its descendants that live."""
        return lineage.family(self._mark, [self._root, *self._known])

    def last_lines(self) -> str:
        """The end of its log, for an error message."""
        return last_lines(self.log)


def last_lines(log: Path, count: int = _LAST_LINES) -> str:
    """The end of a log, headed by its path."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([f"The end of {log}:", *(f"    {line}" for line in lines[-count:] or ["(empty)"])])
