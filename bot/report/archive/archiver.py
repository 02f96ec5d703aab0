"""Finished runs are put among the artifacts, as files in the layout that Prow's tools read.

Repeatable: whatever was written before is written again, `finished.json` last.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import (
    AirflowAway,
    AirflowLoginRefused,
    AirflowUnavailable,
    ArtifactsUnavailable,
    Temporary,
)
from bot.patience import SLOWEST, Pause, backoff, spread
from bot.report.archive import prow
from bot.report.archive.build_log import LogSource, build_log
from bot.report.logs.redacted import redacted_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.models import Run
    from bot.ports import ArchiveStore, ArtifactStore, Clock, DagRunReader

PATIENCE = timedelta(days=1)
"""How long after its end a run waits for Airflow to hand out its logs."""

AT_ONCE = timedelta(minutes=8)
"""How long logs are read for one run: less than it is ours."""

_LARGEST_GREEN = 64 * 1024

log = logging.getLogger(__name__)


class Archiver:
    """Archives runs; safe to run in several threads and processes at once."""

    def __init__(
        self,
        store: ArchiveStore,
        artifacts: ArtifactStore,
        reader: DagRunReader,
        secrets: Sequence[str],
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.artifacts = artifacts
        self.reader = reader
        self.secrets = tuple(secrets)
        self.clock = clock
        self.pause = pause
        self._away = Pause(timer)
        self._failures = 0
        self._told = ""
        self._green = threading.Lock()

    def next_due(self) -> float | None:
        """The seconds until a run is due, None if none waits; while there is no place for it, none is."""
        due = self.store.next_due()
        return None if due is None else max(due, self._away.left)

    def archive(self) -> bool:
        """Archive one run; False if none was due, or none is to be taken now."""
        run = self.store.claim_archive() if self._away.left <= 0 else None
        if run is None:
            return False
        self.store.archived(run, seconds=self._archive(run))
        return True

    def _archive(self, run: Run) -> float | None:
        """The seconds until it is worth another try; None if it is done."""
        folder = prow.folder_of(run)
        if folder is None:
            log.warning("run %s is not archived: its conf names no folder for artifacts", run.id)
            return None
        try:
            self._write(redacted_run(run, self.secrets), folder)
        except (ArtifactsUnavailable, AirflowUnavailable, AirflowLoginRefused) as error:
            if str(error) != self._told:  # by many runs, again and again
                self._told = str(error)
                log.warning("runs wait to be archived, %s is one of them: %s", run.id, error)
            return self._later(error)
        except ValueError as error:  # a link leads out of the artifacts' place
            log.warning("run %s can't be archived: %s", run.id, error)
        self._failures, self._told = 0, ""
        return None

    def _write(self, run: Run, folder: str) -> None:
        self.artifacts.write(f"{folder}/{prow.STARTED}", [prow.started(run)])
        self.artifacts.write(f"{folder}/{prow.BUILD_LOG}", build_log(run, self._source(run)))
        if prow.counts_as_green(run):
            self._write_green(run)
        self.artifacts.write(f"{folder}/{prow.FINISHED}", [prow.finished(run)])

    def _write_green(self, run: Run) -> None:
        """Let it be the latest green one, unless a newer one is there already."""
        path = prow.latest_green_path(run)
        with self._green:
            there = self.artifacts.read(path, _LARGEST_GREEN)
            if there is None or prow.is_newer(run, b"".join(there)):
                self.artifacts.write(path, [prow.latest_green(run)])

    def _source(self, run: Run) -> LogSource:
        begun = self.clock()
        ended: datetime = run.finished_at or run.created_at
        return LogSource(
            self.reader,
            self.secrets,
            self.pause,
            patient=begun - ended < PATIENCE,
            late=lambda: self.clock() - begun > AT_ONCE,
        )

    def _later(self, error: Temporary | AirflowLoginRefused) -> float:
        """The seconds until the next try; where none would do better meanwhile, none is taken."""
        self._failures += 1
        asked = error.retry_after if isinstance(error, Temporary) else None
        seconds = spread(min(asked, SLOWEST)) if asked else backoff(self._failures)
        if isinstance(error, ArtifactsUnavailable | AirflowAway):
            self._away.begin(seconds)
        return seconds
