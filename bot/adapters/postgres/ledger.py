"""What was decided, and what is remembered for the next decision."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.changes import latest_decision, store
from bot.adapters.postgres.repositories import rewrite
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import approvals, heads, pull_requests, runs, verdicts
from bot.adapters.postgres.verdicts import verdicts_on
from bot.models import CONFIG_CONTEXT, History, Repository, StatusState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Table

    from bot.adapters.postgres.database import Database
    from bot.models import Change

RUNS_KEPT_IN_MIND = 200


class PostgresLedger:
    """The Ledger port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record_push(self, repository: Repository, number: int, sha: str, pusher: str) -> None:
        """Remember who put that head there; the first word counts."""
        statement = insert(heads).values(repository_id=repository.id, number=number, sha=sha, pusher=pusher)
        with self.database.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[heads.c.repository_id, heads.c.number, heads.c.sha],
                    set_={"pusher": pusher},
                    where=heads.c.pusher.is_(None),
                )
            )

    def history(self, repository: Repository, number: int, head_sha: str) -> History:
        """What we remember of the pull request or branch, and what its contexts say about that head.

        Of its finished runs, the latest ones. All dry runs are among them. Of pushers, this head's: a branch
        may have had a hundred thousand heads.
        """

        def mine(table: Table) -> ColumnElement[bool]:
            return and_(table.c.repository_id == repository.id, table.c.number == number)

        pushers = select(heads.c.sha, heads.c.pusher).where(
            mine(heads), heads.c.sha == head_sha, heads.c.pusher.is_not(None)
        )
        head_seen = select(heads.c.seen_at).where(mine(heads), heads.c.sha == head_sha)
        approved = select(approvals.c.sha).where(mine(approvals))
        row = pull_requests.c
        last_seen = select(row.open, row.notice, row.head_sha).where(mine(pull_requests))
        latest = select(runs).where(mine(runs)).order_by(runs.c.seq.desc())
        unfinished = latest.where(runs.c.phase != "finished")
        with self.database.begin() as connection:
            decision = latest_decision(connection, repository, number)  # before what must not be older
            rows = [*connection.execute(latest.limit(RUNS_KEPT_IN_MIND)), *connection.execute(unfinished)]
            known = {row.id: run_from(row) for row in rows}
            says = verdicts_on(connection, repository.id, head_sha, number).get(number, [])
            seen = connection.execute(last_seen).one_or_none()
            head_seen_at = connection.execute(head_seen).scalar()
            return History(
                runs=tuple(sorted(known.values(), key=lambda run: (run.created_at, run.attempt))),
                pushers={row.sha: row.pusher for row in connection.execute(pushers)},
                verdicts={verdict.context: verdict for verdict in says},
                approved=frozenset(connection.execute(approved).scalars()),
                head_seen_at=None if head_seen_at is None else head_seen_at.astimezone(UTC),
                notice="" if seen is None else seen.notice,
                closed=seen is not None and not seen.open and seen.head_sha == head_sha,
                decision=decision,
            )

    def open_pulls_at(self, repository: Repository, sha: str) -> Sequence[int]:
        """The numbers of the open pull requests that have this head, lowest first."""
        table = pull_requests.c
        statement = (
            select(table.number)
            .where(table.repository_id == repository.id, table.head_sha == sha, table.open, table.number > 0)
            .order_by(table.number)
        )
        with self.database.once() as connection:
            return list(connection.execute(statement).scalars())

    def broken_pulls(self, repository: Repository, base_ref: str | None) -> Sequence[tuple[Repository, int]]:
        """The open pull requests into that branch whose head shows a configuration that can't be used.

        With `base_ref` None, those into any branch of any repository of the same owner.
        """
        table = pull_requests.c
        if base_ref is None:
            owner = func.lower(func.split_part(table.full_name, "/", 1))
            concerned = owner == repository.owner.lower()
        else:  # "" where a version before wrote the row, which did not remember the base
            concerned = and_(
                table.repository_id == repository.id, or_(table.base_ref == base_ref, table.base_ref == "")
            )
        statement = (
            select(table.repository_id, table.number, table.full_name, table.private)
            .join_from(
                pull_requests,
                verdicts,
                and_(
                    verdicts.c.repository_id == table.repository_id,
                    verdicts.c.number == table.number,
                    verdicts.c.head_sha == table.head_sha,
                ),
            )
            .where(
                concerned,
                table.open,
                table.number > 0,
                # Written out, so that the partial index on them is known to apply.
                verdicts.c.context == literal(CONFIG_CONTEXT, literal_execute=True),
                verdicts.c.state != literal(StatusState.SUCCESS.value, literal_execute=True),
            )
            .order_by(table.repository_id, table.number)
        )
        with self.database.once() as connection:
            return [
                (Repository(row.repository_id, row.full_name, private=row.private), row.number)
                for row in connection.execute(statement)
            ]

    def rename(self, repository: Repository) -> None:
        """The repository of that id has this name from now on, and is private or not."""
        with self.database.begin() as connection:
            rewrite(connection, repository)

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between: a worker that lost its lease while
        it decided must not decide twice.
        """
        with self.database.begin() as connection:
            return store(connection, change)
