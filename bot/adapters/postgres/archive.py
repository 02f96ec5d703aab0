"""Finished runs that are still to be put among the artifacts: a queue in the table of runs.

`archive_due_at` says when a run wants to be archived. Whoever takes one puts that off, so that it comes again
by itself. A lease, as of an unfinished run, lets it come at once if its holder is dead (`release_dead`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, not_, null, select, update

from bot.adapters.postgres.leases import free
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from bot.adapters.postgres.database import Database
    from bot.models import Run

HELD = timedelta(minutes=10)
# Airflow forgets logs, and who keeps no artifacts keeps no queue either: what is older is left alone.
KEPT = timedelta(days=7)

# When a run that ends without a look at Airflow wants to be archived: only if it was there.
WAS_THERE = case(
    (and_(runs.c.dag_run_id.is_not(None), runs.c.started_at.is_not(None), not_(runs.c.dryrun)), func.now())
)


def wants_archive(run: Run) -> bool:
    """Whether the run has ended and there is something to put among the artifacts."""
    return run.finished and run.started_at is not None and run.dag_run_id is not None and not run.dryrun


class PostgresArchive:
    """The ArchiveStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._held: dict[str, datetime] = {}

    def claim_archive(self) -> Run | None:
        """Take the finished run that is due for longest, for ten minutes."""
        chosen = (
            select(runs.c.id)
            .where(_waits(), runs.c.archive_due_at <= func.now(), free(runs))
            .order_by(runs.c.archive_due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        statement = (
            update(runs)
            .where(runs.c.id == chosen)
            .values(
                archive_due_at=func.now() + HELD,
                lease_owner=self.database.owner,
                lease_until=func.now() + HELD,
            )
            .returning(runs)
        )
        with self.database.claiming() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        self._held[row.id] = row.lease_until
        return run_from(row)

    def archived(self, run: Run, *, seconds: float | None) -> None:
        """It is among the artifacts; or, with `seconds`, try again after them.

        A run that was resumed meanwhile is as if it had never been archived; if it has ended again, it is due
        now, whoever archived it: what is known of its first end may have been written over that.
        """
        same = runs.c.resumed_at.is_not_distinct_from(run.resumed_at)
        then = null() if seconds is None else func.now() + timedelta(seconds=seconds)
        done = func.now() if seconds is None else runs.c.archived_at
        mine = runs.c.lease_until == self._held.pop(run.id, None)
        with self.database.once() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.id == run.id, runs.c.phase == "finished")
                .values(
                    archive_due_at=case((same, then), else_=func.now()),
                    archived_at=case((same, done), else_=runs.c.archived_at),
                    lease_owner=case((mine, null()), else_=runs.c.lease_owner),
                    lease_until=case((mine, null()), else_=runs.c.lease_until),
                )
            )

    def next_due(self) -> float | None:
        """The seconds until the next one is due, None if none waits."""
        lowest = select(func.extract("epoch", func.min(runs.c.archive_due_at) - func.now())).where(_waits())
        with self.database.once() as connection:
            seconds = connection.execute(lowest).scalar()
        return None if seconds is None else max(0.0, float(seconds))


def _waits() -> ColumnElement[bool]:
    return runs.c.archive_due_at > func.now() - KEPT
