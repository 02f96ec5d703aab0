"""What was decided, and what is remembered for the next decision."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.changes import latest_decision, store
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import approvals, heads, pull_requests, runs, verdicts
from bot.adapters.postgres.verdicts import verdicts_on
from bot.models import CONFIG_CONTEXT, History, Repository, StatusState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Table

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

        Of its finished runs, the latest ones. All dry runs are among them.
        """

        def mine(table: Table) -> ColumnElement[bool]:
            return and_(table.c.repository_id == repository.id, table.c.number == number)

        pushers = select(heads.c.sha, heads.c.pusher).where(mine(heads), heads.c.pusher.is_not(None))
        head_seen = select(heads.c.seen_at).where(mine(heads), heads.c.sha == head_sha)
        approved = select(approvals.c.sha).where(mine(approvals))
        row = pull_requests.c
        last_seen = select(row.open, row.notice, row.head_sha).where(mine(pull_requests))
        latest = select(runs).where(mine(runs)).order_by(runs.c.created_at.desc(), runs.c.attempt.desc())
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
        """The repository of that id has this name from now on."""
        with self.database.begin() as connection:
            for table, more in ((runs, {"clone_url": _renamed_url(repository)}), (pull_requests, {})):
                old = _lock_old_names(connection, table, repository)
                new_name = {"full_name": repository.full_name}
                connection.execute(update(table).where(old).values(new_name | more))

    def apply(self, change: Change) -> bool:
        """Store a decision whole. False, and nothing stored, if its comment was answered before.

        Overtaken, and nothing stored, if another decision came between: a worker that lost its lease while
        it decided must not decide twice.
        """
        with self.database.begin() as connection:
            return store(connection, change)


def _lock_old_names(connection: Connection, table: Table, repository: Repository) -> ColumnElement[bool]:
    """Lock the rows that hold another name, in the order of their keys; returns which they are."""
    old = and_(table.c.repository_id == repository.id, table.c.full_name != repository.full_name)
    keys = list(table.primary_key)
    connection.execute(select(*keys).where(old).order_by(*keys).with_for_update(key_share=True))
    return old


def _renamed_url(repository: Repository) -> ColumnElement[str]:
    """The URL that runs clone from, its path with the new name."""
    path = func.concat("/", runs.c.full_name, ".git")
    ends_so = func.right(runs.c.clone_url, func.length(path)) == path
    rest = func.left(runs.c.clone_url, -func.length(path))
    return case((ends_so, func.concat(rest, f"/{repository.full_name}.git")), else_=runs.c.clone_url)
