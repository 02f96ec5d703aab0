"""What pods print: shown as it comes, and kept.

Read again and again from the second that was read last, not followed: a connection that breaks loses nothing,
and no process has to be watched. https://kubernetes.io/docs/reference/kubectl/generated/kubectl_logs/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from steps.errors import StepFailed, TryAgain

_STAMP = re.compile(r"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d) ?")
_PIECE = 4 * 1024**2
_PIECES = 16
"""How many of them are read of a container at each look."""
MAX_KEPT = 100 * 1024**2
"""Bytes of one container's log."""


class LogSource(Protocol):
    """Whoever can be asked for logs."""

    def log(self, pod: str, container: str, *, since: str, previous: bool, most: int) -> str:
        """Return what a container has printed since a time, `most` bytes; each line after its time."""
        ...


@dataclass
class Position:
    """How far a log was read: `count` lines of the last second."""

    second: str = ""
    zone: str = ""
    count: int = 0
    read: bool = False

    def new(self, answer: str) -> Iterator[str]:
        """Yield the lines that were not read yet, without their times."""
        skipped = self.count
        known, self.read = self.read, True
        for line in answer.splitlines():
            found = _STAMP.match(line)
            if found is None:
                if not known:
                    yield line
                continue
            if found["second"] != self.second:
                self.second, self.zone, self.count, skipped = found["second"], found["zone"], 0, 0
            elif skipped > 0:
                skipped -= 1
                continue
            self.count += 1
            yield line[found.end() :]

    @property
    def since(self) -> str:
        """From when on to read; empty for the beginning."""
        return f"{self.second}{self.zone}" if self.second else ""

    def leap(self) -> None:
        """Leave out the rest of the second: it is longer than what can be read at once."""
        if self.second:
            later = datetime.fromisoformat(self.second) + timedelta(seconds=1)
            self.second, self.count = later.isoformat(), 0


@dataclass
class _Log:
    """The log of one container, of one of its lives."""

    pod: str
    container: str
    life: int
    position: Position = field(default_factory=Position)
    kept: int = 0
    done: bool = False

    @property
    def file_name(self) -> str:
        life = f".{self.life}" if self.life else ""
        return f"{self.pod}.{self.container}{life}.log"


class PodLogs:
    """The logs of all pods of an object."""

    def __init__(self, source: LogSource, folder: Path | None) -> None:
        self._source = source
        self._folder = folder
        self._logs: dict[tuple[str, str], _Log] = {}

    def read(self, pods: list[dict[str, Any]]) -> None:
        """Show and keep what is new. A log that can't be read now is read later, or not at all."""
        for pod in pods:
            status = pod.get("status") or {}
            for key in ("initContainerStatuses", "containerStatuses"):
                for container in status.get(key) or []:
                    self._read_container(str(pod["metadata"]["name"]), container)

    def _read_container(self, pod: str, container: dict[str, Any]) -> None:
        name, life = str(container.get("name")), int(container.get("restartCount") or 0)
        state = container.get("state") or {}
        log = self._logs.setdefault((pod, name), _Log(pod, name, life))
        if log.life != life:  # what it printed last, before it was started anew
            self._catch_up(log, previous=log.life == life - 1)
            log = self._logs[pod, name] = _Log(pod, name, life)
        if log.done or not {"running", "terminated"} & state.keys():
            return
        log.done = self._catch_up(log) and "terminated" in state

    def _catch_up(self, log: _Log, *, previous: bool = False) -> bool:
        """Read all that there is; returns whether that went well."""
        try:
            for _ in range(_PIECES):
                answer = self._source.log(
                    log.pod, log.container, since=log.position.since, previous=previous, most=_PIECE
                )
                if self._take(log, answer):
                    return True
        except (StepFailed, TryAgain) as error:
            print(f"the log of {log.pod}/{log.container} can't be read now: {error}")
        return False

    def _take(self, log: _Log, answer: str) -> bool:
        """Show and keep what is new of an answer; returns whether it is the log's end."""
        whole = len(answer.encode("utf-8", "replace")) < _PIECE
        if not whole:
            answer = answer[: answer.rfind("\n") + 1]
        lines = [*log.position.new(answer)]
        for line in lines:
            self._keep(log, line)
        if not whole and not lines:
            print(f"[{log.pod}/{log.container}] prints more in a second than can be read: some is left out")
            log.position.leap()
        return whole

    def _keep(self, log: _Log, line: str) -> None:
        if log.kept > MAX_KEPT:
            return
        log.kept += len(line) + 1
        if log.kept > MAX_KEPT:
            line = f"the rest of this log is left out: it is longer than {MAX_KEPT // 1024**2} MB"
        print(f"[{log.pod}/{log.container}] {line}")
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / log.file_name).open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"{line}\n")
