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

    from bot.models import Run, Step
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

    def read(self, run: Run, step: Step) -> tuple[Sequence[str], str]:
        """The log's last lines, and why there are no more of them."""
        if run.ref is None or step.try_number == 0 or step.state in (StepState.WAITING, StepState.BLOCKED):
            return (), ""
        key = (run.id, step.key, step.try_number)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept, ""
        if not self._reads.acquire(timeout=PATIENCE):
            return step.excerpt or (), BUSY
        try:
            lines = islice(self.airflow.log(run.ref, step), MAX_LINES)
            shown = tail((line.text for line in lines), SHOWN_LINES, self.secrets)
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
