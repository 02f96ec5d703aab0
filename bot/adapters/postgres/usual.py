"""How long runs like a given one usually take."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database
    from bot.models import Run

REMEMBERED = 60.0  # seconds
MOST = 10_000  # remembered at once

# As the index `runs_like_it` says it.
LIKE_IT = """
    outcome = 'success' AND NOT dryrun AND inputs::text = '{}'
    AND resumed_at IS NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL
"""
MEDIANS = text(
    f"""
    SELECT asked.number, percentile_cont(0.5) WITHIN GROUP (ORDER BY took.seconds) AS usual
    FROM unnest(
        CAST(:repositories AS bigint[]), CAST(:pipelines AS text[]), CAST(:bases AS text[]),
        CAST(:kinds AS text[])
    ) WITH ORDINALITY AS asked (repository_id, pipeline, base_ref, kind, number)
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM finished_at - started_at) AS seconds FROM runs
        WHERE runs.repository_id = asked.repository_id AND runs.pipeline = asked.pipeline
        AND runs.base_ref = asked.base_ref AND runs.kind = asked.kind AND {LIKE_IT}
        ORDER BY seq DESC LIMIT 20
    ) AS took
    GROUP BY asked.number
    """  # noqa: S608 - our own
)
MEDIANS_BEFORE = text(
    f"""
    SELECT asked.id, percentile_cont(0.5) WITHIN GROUP (ORDER BY took.seconds) AS usual
    FROM runs AS asked CROSS JOIN LATERAL (
        SELECT extract(epoch FROM finished_at - started_at) AS seconds FROM runs
        WHERE runs.repository_id = asked.repository_id AND runs.pipeline = asked.pipeline
        AND runs.base_ref = asked.base_ref AND runs.kind = asked.kind AND {LIKE_IT}
        AND runs.seq < asked.seq AND runs.finished_at <= asked.finished_at
        ORDER BY seq DESC LIMIT 20
    ) AS took
    WHERE asked.id = ANY(:ids) AND NOT asked.dryrun AND asked.inputs::text = '{{}}'
    GROUP BY asked.id
    """  # noqa: S608 - our own
)


def usual_before(connection: Connection, runs: Iterable[Run]) -> Mapping[str, float]:
    """By the run's id: what was usual when it ended, in seconds, which no later run changes."""
    asked = {"ids": [run.id for run in runs]}
    return {row.id: float(row.usual) for row in connection.execute(MEDIANS_BEFORE, asked)}


class Likeness(NamedTuple):
    """What runs have in common that take about the same time."""

    repository_id: int
    pipeline: str
    base_ref: str
    kind: str


class Usual:
    """Medians of the last 20 successful runs, remembered for a minute; safe to share between threads."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.clock = clock
        self._lock = threading.Lock()
        self._known: dict[Likeness, tuple[float, float | None]] = {}

    def of(self, runs: Iterable[Run]) -> Mapping[str, float]:
        """By the run's id, in seconds, where there is a history."""
        alike = {run.id: _likeness(run) for run in runs if not run.dryrun and not run.inputs}
        known = self._medians(set(alike.values()))
        usual = {run_id: known[like] for run_id, like in alike.items()}
        return {run_id: seconds for run_id, seconds in usual.items() if seconds is not None}

    def _medians(self, wanted: set[Likeness]) -> Mapping[Likeness, float | None]:
        now = self.clock()
        with self._lock:
            fresh = {like: self._known[like] for like in wanted if like in self._known}
        known = {like: seconds for like, (until, seconds) in fresh.items() if now < until}
        missing = sorted(wanted - known.keys())
        if missing:
            found = self._looked_up(missing)
            with self._lock:
                if len(self._known) + len(found) > MOST:
                    self._known.clear()
                self._known |= {like: (now + REMEMBERED, seconds) for like, seconds in found.items()}
            known |= found
        return known

    def _looked_up(self, wanted: Sequence[Likeness]) -> dict[Likeness, float | None]:
        asked = {
            "repositories": [like.repository_id for like in wanted],
            "pipelines": [like.pipeline for like in wanted],
            "bases": [like.base_ref for like in wanted],
            "kinds": [like.kind for like in wanted],
        }
        with self.database.once() as connection:
            medians = {row.number: float(row.usual) for row in connection.execute(MEDIANS, asked)}
        return {like: medians.get(number) for number, like in enumerate(wanted, 1)}


def _likeness(run: Run) -> Likeness:
    """As the column `kind` says it."""
    kind = "pull" if run.number > 0 else "push" if run.branch == run.base_ref else "group"
    return Likeness(run.repository.id, run.pipeline, run.base_ref, kind)
