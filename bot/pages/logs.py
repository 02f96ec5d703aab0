"""Steps' logs for the run page: redacted, bounded, at most a few reads from Airflow at once."""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING

from cachetools import LRUCache

from bot.errors import AirflowRefused, AirflowUnavailable
from bot.models import StepState
from bot.report.excerpt import tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, RunRef, Step
    from bot.ports import DagRunReader

AT_ONCE = 4
PATIENCE = 5.0  # seconds to wait for a free read
MAX_LINES = 200_000  # read of a log, so that one page can't keep Airflow busy
SHOWN_LINES = 400
KEPT = 200

BUSY = "Too many logs are being read right now: reload in a moment."
DOWN = "Airflow does not answer right now: these are the lines that were kept."
GONE = "Airflow no longer has this log: these are the lines that were kept."


class LogReader:
    """Reads logs for pages; those of finished steps are remembered."""

    def __init__(self, airflow: DagRunReader, secrets: Sequence[str]) -> None:
        self.airflow = airflow
        self.secrets = tuple(secrets)
        self._reads = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._kept: LRUCache[object, tuple[str, ...]] = LRUCache(KEPT)

    def read(self, run: Run, step: Step, seconds: float = PATIENCE) -> tuple[Sequence[str], str]:
        """The log's last lines, and why there are no more of them; waits at most `seconds` for its turn."""
        if run.ref is None or step.try_number == 0 or step.state in (StepState.WAITING, StepState.BLOCKED):
            return (), ""
        key = (run.id, step.key, step.try_number)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept, ""
        if not self._reads.acquire(timeout=max(0.0, min(seconds, PATIENCE))):
            return step.excerpt or (), BUSY
        try:
            shown = self._tail(run.ref, step, own=True) or self._tail(run.ref, step, own=False)
        except AirflowUnavailable:
            return step.excerpt or (), DOWN
        except AirflowRefused:
            return step.excerpt or (), GONE
        finally:
            self._reads.release()
        if step.state.finished:
            with self._lock:
                self._kept[key] = shown
        return shown, ""

    def _tail(self, ref: RunRef, step: Step, *, own: bool) -> tuple[str, ...]:
        """The last lines of what the step itself printed, or with Airflow's remarks."""
        lines = islice(self.airflow.log(ref, step), MAX_LINES)
        return tail((line.text for line in lines if line.own or not own), SHOWN_LINES, self.secrets)
