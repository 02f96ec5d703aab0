"""Figures for the metrics: deliveries and runs by state, and the age of what waits longest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, TextClause

    from bot.adapters.postgres.database import Database

MANY = 10_000
REMEMBERED = 300.0  # seconds

# Each by an index that holds what waits and nothing else.
WAITING = text(
    """
    SELECT 'deliveries' AS what, state, count(*) AS many FROM deliveries WHERE state = 'queued' GROUP BY state
    UNION ALL
    SELECT 'deliveries', state, count(*) FROM deliveries WHERE state = 'working' GROUP BY state
    UNION ALL
    SELECT 'deliveries', state, count(*) FROM deliveries WHERE state = 'parked' GROUP BY state
    UNION ALL
    SELECT 'runs', phase, count(*) FROM runs WHERE phase <> 'finished' GROUP BY phase
    """
)
ENDED = text(
    """
    SELECT 'deliveries' AS what, state, count(*) AS many FROM deliveries
    WHERE state IN ('done', 'ignored') GROUP BY state
    UNION ALL
    SELECT 'runs', state, count(*) FROM runs WHERE state <> 'unfinished' GROUP BY state
    """
)
AGES = text(
    """
    SELECT
        coalesce(extract(epoch FROM now() - least(
            (SELECT min(received_at) FROM deliveries WHERE state = 'queued'),
            (SELECT min(received_at) FROM deliveries WHERE state = 'working')
        )), 0) AS oldest_delivery,
        coalesce(extract(epoch FROM now() - (
            SELECT min(due_at) FROM pull_requests WHERE due_at <= now()
        )), 0) AS oldest_report
    """
)


class Figures:
    """Counts what waits whenever it is asked. What has ended, every five minutes where it is much."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.clock = clock
        self._ended: tuple[float, dict[tuple[str, str], int]] = (0.0, {})

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        """By table, then by state; ages in seconds."""
        with self.database.begin() as connection:
            ages = connection.execute(AGES).one()
            found = _counted(connection, WAITING) | self._ended_ones(connection)
        return {
            "deliveries": {state: many for (what, state), many in found.items() if what == "deliveries"},
            "runs": {state: many for (what, state), many in found.items() if what == "runs"},
            "ages": {
                "oldest_delivery": float(ages.oldest_delivery),
                "oldest_report": float(ages.oldest_report),
            },
        }

    def _ended_ones(self, connection: Connection) -> dict[tuple[str, str], int]:
        until, ended = self._ended
        if self.clock() >= until or sum(ended.values()) < MANY:
            ended = _counted(connection, ENDED)
            self._ended = (self.clock() + REMEMBERED, ended)
        return ended


def _counted(connection: Connection, statement: TextClause) -> dict[tuple[str, str], int]:
    return {(row.what, row.state): row.many for row in connection.execute(statement)}
