"""What a supervisor has started, noted on disk so that others can end it when the supervisor is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import psutil

from deploy.local import lineage

if TYPE_CHECKING:
    from pathlib import Path

_CLOCK_TOLERANCE_SECONDS = 2.0
_QUICK_STOP_SECONDS = 3.0


@dataclass(frozen=True)
class Started:
    """One process that the supervisor started, as the leader of a session of its own."""

    name: str
    pid: int
    created: float
    """Seconds since the epoch. A pid alone may belong to somebody else by now."""
    quick_stop: int | None = None
    """The signal that ends it fast and tidily, where SIGKILL would leave something behind."""


@dataclass(frozen=True)
class Record:
    """Everything needed to end a stack from outside."""

    mark: str
    started: list[Started] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write the record at once: a reader sees the old or the new one, never a part."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.replace(path)


def load(path: Path) -> Record | None:
    """The record that a supervisor left at `path`, None if it left none (it stopped properly)."""
    try:
        content = json.loads(path.read_text())
        return Record(content["mark"], [Started(**each) for each in content["started"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sweep(record: Record) -> set[psutil.Process]:
    """End every process of that record with its descendants; return those that had to be killed."""
    leaders = [(started, process) for started in record.started if (process := _verified(started))]
    for started, process in leaders:
        if started.quick_stop is not None:
            _quick_stop(process, signal.Signals(started.quick_stop))
    return lineage.destroy(lambda: lineage.family(record.mark, [process for _, process in leaders]))


def _verified(started: Started) -> psutil.Process | None:
    """The process that was recorded, None if it ended: its pid may be somebody else's since."""
    try:
        process = psutil.Process(started.pid)
        same = abs(process.create_time() - started.created) < _CLOCK_TOLERANCE_SECONDS
        return process if same and os.getsid(started.pid) == started.pid else None
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


def _quick_stop(process: psutil.Process, stop: signal.Signals) -> None:
    try:
        process.send_signal(stop)
    except psutil.NoSuchProcess:
        return
    deadline = time.monotonic() + _QUICK_STOP_SECONDS
    while not lineage.is_gone(process) and time.monotonic() < deadline:
        time.sleep(0.02)
