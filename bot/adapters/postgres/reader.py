"""What the pages and metrics read."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bot.adapters.postgres.figures import Figures
from bot.adapters.postgres.listener import AT_WORK
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import decisions, marks, runs
from bot.models import Audit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.adapters.postgres.database import Database
    from bot.models import Run

AUDITS = 50
QUIET = timedelta(minutes=1)  # a worker says every ten seconds that it is at work


class PostgresReader:
    """The RunReader port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.figures = Figures(database)

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        with self.database.once() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
        return None if row is None else run_from(row)

    def audits(self, run: Run) -> Sequence[Audit]:
        """The decisions about the run's pull request or branch, newest first, at most 50."""
        statement = (
            select(decisions)
            .where(decisions.c.repository_id == run.repository.id, decisions.c.number == run.number)
            .order_by(decisions.c.seq.desc())
            .limit(AUDITS)
        )
        with self.database.once() as connection:
            return [
                Audit(
                    actor=row.actor,
                    kind=row.kind,
                    reason=row.reason,
                    what=row.what,
                    head_sha=row.head_sha,
                    decided_at=row.decided_at.astimezone(UTC),
                )
                for row in connection.execute(statement)
            ]

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        """Figures for the metrics: by table, then by state; ages in seconds."""
        return self.figures.counts()

    def unattended(self) -> datetime | None:
        """Since when no worker has been at work, None if one is, or none ever was."""
        long_ago = func.now() - QUIET
        statement = select(marks.c.at).where(marks.c.name == AT_WORK, marks.c.at < long_ago)
        with self.database.once() as connection:
            at = connection.execute(statement).scalar()
        return None if at is None else at.astimezone(UTC)

    def check(self) -> None:
        """Raise StoreUnavailable, saying what is wrong, unless the database answers and is migrated."""
        self.database.check()
