"""Lists of runs, newest first, out of a history of any length.

Each list is put together from a few index scans in the order of `seq`, one per audience: all public
repositories (0), and each private one that the viewer may read. A condition that has no index of its own is
checked within the index, not on the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, and_, cast, column, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY

from bot.adapters.postgres.rows import listed_from
from bot.adapters.postgres.storable import storable
from bot.adapters.postgres.tables import runs
from bot.claims import ListedRun
from bot.models import Branch, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Subquery

    from bot.adapters.postgres.database import Database
    from bot.claims import RunQuery
    from bot.models import Run

PUBLIC = 0
LARGE = (runs.c.conf, runs.c.steps)
LISTED = [one for one in runs.c if one not in set(LARGE)]

# From one private repository's newest run to the next one's, each by one look at the index.
PRIVATE = text(
    """
    WITH RECURSIVE private (id, seq) AS (
        (SELECT audience, seq FROM runs WHERE audience > 0 ORDER BY audience DESC, seq DESC LIMIT 1)
        UNION ALL
        SELECT next.audience, next.seq FROM private CROSS JOIN LATERAL (
            SELECT audience, seq FROM runs WHERE audience > 0 AND audience < private.id
            ORDER BY audience DESC, seq DESC LIMIT 1
        ) AS next
    )
    SELECT repository_id, full_name, clone_url FROM private JOIN runs USING (seq) ORDER BY seq DESC LIMIT 200
    """
)
# As the index `runs_on_branches` says it.
TELLS = text(
    "runs.kind <> 'pull' AND runs.outcome IS NOT NULL AND runs.outcome <> 'cancelled' "
    "AND NOT runs.dryrun AND runs.inputs::text = '{}'"
)


class PostgresRunList:
    """The RunLister port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def runs(self, query: RunQuery) -> Sequence[ListedRun]:
        """The runs, newest first; one more than `query.most` if there are more.

        Of their conf they have the author's name only, and no steps.
        """
        chosen = _chosen(query)
        statement = (
            select(*LISTED).join_from(chosen, runs, runs.c.seq == chosen.c.seq).order_by(runs.c.seq.desc())
        )
        with self.database.once() as connection:
            return [ListedRun(row.seq, listed_from(row)) for row in connection.execute(statement)]

    def private_repositories(self) -> Sequence[Repository]:
        """The private repositories that have runs, at most 200, those with the newest runs first."""
        with self.database.once() as connection:
            return [
                Repository(row.repository_id, row.full_name, private=True, clone_url=row.clone_url)
                for row in connection.execute(PRIVATE)
            ]

    def latest(self, repository: str, pipeline: str, branch: str) -> Run | None:
        """The newest run that ended on that branch: pushed to it, else of a merge group into it.

        Of its conf it has the author's name only, and no steps. Runs that were stopped, that had inputs of
        their own, and dry runs say nothing about the branch.
        """
        newest = (
            select(*LISTED)
            .where(
                TELLS,
                runs.c.repository_key == repository.lower(),
                runs.c.base_ref == branch,
                runs.c.pipeline == pipeline,
            )
            .order_by(runs.c.seq.desc())
            .limit(1)
        )
        with self.database.once() as connection:
            for kind in ("push", "group"):
                row = connection.execute(newest.where(runs.c.kind == kind)).one_or_none()
                if row is not None:
                    return listed_from(row)
        return None


def _chosen(query: RunQuery) -> Subquery:
    """The `seq` of the runs to show."""
    audiences = cast([PUBLIC, *sorted(query.private)], ARRAY(BigInteger))
    audience = func.unnest(audiences).table_valued(column("id", BigInteger)).render_derived()
    newest = (
        select(runs.c.seq)
        .where(and_(runs.c.audience == audience.c.id, *_conditions(query)))
        .order_by(runs.c.seq.desc())
        .limit(query.most + 1)
        .lateral()
    )
    found = select(newest.c.seq).select_from(audience.join(newest, true()))
    return found.order_by(newest.c.seq.desc()).limit(query.most + 1).subquery()


def _conditions(query: RunQuery) -> Iterator[ColumnElement[bool]]:
    if query.repository:
        yield runs.c.repository_key == query.repository.lower()
    if query.number is not None:
        yield runs.c.number == query.number
    if query.branch:
        yield runs.c.number == _number_of(query.branch)
    if query.pipeline:
        yield runs.c.pipeline == query.pipeline
    if query.state:
        yield runs.c.state == query.state
    if query.author:
        yield func.lower(runs.c.author) == storable(query.author).lower()
    if query.after is not None:
        yield runs.c.seq < query.after


def _number_of(branch: str) -> int:
    """The number that stands for a branch of that name, in whatever repository."""
    return Branch(Repository(0, ""), branch, "", "").number
