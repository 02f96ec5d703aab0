"""Watches an object until it has ended, or its time is over; then keeps what tells why."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steps.errors import StepFailed, TryAgain
from steps.test_runner.cluster import Cluster, Object
from steps.test_runner.logs import PodLogs
from steps.test_runner.verdict import Trouble, Verdict, in_words, troubles_of, verdict_of

_UNREACHABLE_SECONDS = 600.0
"""How long a cluster may be out of reach: a zonal one of GKE is while its control plane is upgraded."""
_FIRST_PAUSE = 0.5
_SHOWN_EVENTS = 20


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds."""

    timeout: float
    stuck: float
    """For a pod that can't start."""
    poll: float
    """Between two looks; less at first."""
    success: Sequence[str]
    failure: Sequence[str]


@dataclass
class Watch:
    """One object, looked at again and again."""

    cluster: Cluster
    patience: Patience
    folder: Path | None
    """Where logs and events are kept; None if nowhere."""
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _content: Object = field(default_factory=dict)
    _pods: list[Object] = field(default_factory=list)
    _told: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Wait for the object's end.

        Raises:
            StepFailed: it failed, or its time is over.
            TryAgain: it failed for its nodes were taken from it, or the cluster can't be reached.
        """
        logs = PodLogs(self.cluster, self.folder and self.folder / "pods")
        try:
            verdict = self._wait(logs)
        finally:
            self._keep_state()
        if verdict.outcome == "failed":
            self._keep_events(show=True)
            self._fail(f"failed{verdict.words and f' ({verdict.words})'}")
        self._keep_events(show=False)

    def _wait(self, logs: PodLogs) -> Verdict:
        started = reached = self.clock()
        stuck_since: float | None = None
        pause = min(self.patience.poll, _FIRST_PAUSE)
        while True:
            try:
                self._look()
                reached = self.clock()
            except TryAgain as error:
                if self.clock() - reached > _UNREACHABLE_SECONDS:
                    raise
                print(f"the cluster can't be asked now: {error}")
            else:
                logs.read(self._pods)
            verdict = verdict_of(self._content, self.patience.success, self.patience.failure)
            if verdict is not None:
                return verdict
            stuck = [trouble for trouble in self._troubles() if trouble.keeps_waiting]
            stuck_since = (stuck_since or self.clock()) if stuck else None
            if stuck_since is not None and self.clock() - stuck_since >= self.patience.stuck:
                self._keep_events(show=True)
                self._fail("can't start")
            if self.clock() - started >= self.patience.timeout:
                self._keep_events(show=True)
                self._fail(f"did not end within {self.patience.timeout:g}s")
            self.pause(pause)
            pause = min(self.patience.poll, 2 * pause)

    def _look(self) -> None:
        content = self.cluster.object()
        if not content:
            raise StepFailed(f"{self._name} is gone: somebody deleted it")
        self._content = content
        self._pods = self.cluster.pods(content)
        for pod in self._pods:
            words = in_words(troubles_of(pod)) or f"pod {pod['metadata']['name']} is {_phase(pod)}"
            if self._told.get(pod["metadata"]["name"]) != words:
                self._told[pod["metadata"]["name"]] = words
                print(words)

    def _troubles(self) -> list[Trouble]:
        return [trouble for pod in self._pods for trouble in troubles_of(pod)]

    def _fail(self, how: str) -> None:
        troubles = self._troubles()
        words = f"{self._name} {how}{': ' * bool(troubles)}{in_words(troubles)}"
        if troubles and all(trouble.not_its_fault for trouble in troubles):
            raise TryAgain(words)
        raise StepFailed(words)

    @property
    def _name(self) -> str:
        return f"{self.cluster.manifest.kind} {self.cluster.manifest.name}"

    def _keep_state(self) -> None:
        """Keep what the object and its pods say that they are; nothing of what they were given."""
        if self.folder is not None and self._content:
            pods = {pod["metadata"]["name"]: pod.get("status") for pod in self._pods}
            status = {self._name: self._content.get("status"), "pods": pods}
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "status.json").write_text(json.dumps(status, indent=2), encoding="utf-8")

    def _keep_events(self, *, show: bool) -> None:
        """Keep what was told of them, and show the last warnings."""
        try:
            events = sorted(self.cluster.events(self._pods), key=_when)
        except (StepFailed, TryAgain) as error:
            print(f"events can't be read: {error}")
            return
        if self.folder is not None and events:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = "".join(f"{_line(event)}\n" for event in events)
            (self.folder / "events.txt").write_text(text, encoding="utf-8", errors="replace")
        if show:
            for event in [event for event in events if event.get("type") == "Warning"][-_SHOWN_EVENTS:]:
                print(f"event: {_line(event)}")


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "unknown")


def _when(event: Object) -> str:
    times = (event.get(key) for key in ("lastTimestamp", "eventTime", "firstTimestamp"))
    return next((time for time in times if isinstance(time, str)), "")


def _line(event: Object) -> str:
    about: dict[str, Any] = event.get("involvedObject") or {}
    count = event.get("count") or 1
    times = f" ({count} times)" if count != 1 else ""
    message = " ".join(str(event.get("message") or "").split())
    return (
        f"{_when(event)} {event.get('type')} {event.get('reason')} {about.get('kind')}/{about.get('name')}: "
        f"{message}{times}"
    )
