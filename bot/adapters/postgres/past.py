"""What earlier runs tell about a run: its usual duration, what was before it, which tests are flaky."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import cast, select, true
from sqlalchemy.dialects.postgresql import JSONB

from bot.adapters.postgres.flaky import flaky_tests
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import runs as table
from bot.adapters.postgres.usual import Usual, usual_before
from bot.models import Outcome, Past

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database
    from bot.models import Run

BY_ITSELF = [Outcome.SUCCESS.value, Outcome.FAILURE.value, Outcome.TIMED_OUT.value]


class PostgresPast:
    """The PastReader port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._usual = Usual(database)

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:
        """By the run's id: the median seconds of the last 20 successful runs like it, where there are any.

        Runs that were resumed say nothing about that.
        """
        return self._usual.of(runs)

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        """By the run's id: what came before it. Every run has one."""
        if not runs:
            return {}
        with self.database.begin() as connection:
            usual = usual_before(connection, runs)
            before = _before(connection, runs)
            flaky = flaky_tests(connection, runs)
        return {
            run.id: Past(usual.get(run.id), before.get(run.id), tuple(flaky.get(run.id, ()))) for run in runs
        }


def _before(connection: Connection, runs: Sequence[Run]) -> Mapping[str, Run]:
    """By the run's id: the run that its context showed before it and that ended by itself."""
    this, earlier = table.alias("this"), table.alias("earlier")
    before = (
        select(earlier)
        .where(
            earlier.c.repository_id == this.c.repository_id,
            earlier.c.number == this.c.number,
            earlier.c.pipeline == this.c.pipeline,
            earlier.c.seq < this.c.seq,
            cast(earlier.c.inputs, JSONB) == cast(this.c.inputs, JSONB),
            earlier.c.outcome.in_(BY_ITSELF),
            earlier.c.dryrun.is_(False),
        )
        .order_by(earlier.c.seq.desc())
        .limit(1)
        .lateral("before")
    )
    statement = (
        select(before, this.c.id.label("of_run"))
        .join_from(this, before, true())
        .where(this.c.id.in_([run.id for run in runs]), this.c.dryrun.is_(False))
    )
    return {row.of_run: run_from(row) for row in connection.execute(statement)}
