"""Pull requests as a queue of reports."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, func, null, select, text, update

from bot.adapters.postgres.comments import PostgresComments
from bot.adapters.postgres.database import lock_key, notify, translated
from bot.adapters.postgres.leases import LEASE, claimed, due, next_due, waiting
from bot.adapters.postgres.statuses import PostgresStatuses
from bot.adapters.postgres.tables import heads, pull_requests
from bot.claims import PullClaim
from bot.models import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

DISTANCE = timedelta(seconds=15)


class PostgresReports(PostgresStatuses, PostgresComments):
    """All that the reporter needs on PostgreSQL: the ReportStore, StatusStore and CommentStore ports."""

    def claim_pull(self) -> PullClaim | None:
        """Take a pull request whose report is due and that nobody holds."""
        table = pull_requests.c
        chosen = (
            select(table.repository_id, table.number)
            .where(due(pull_requests))
            .order_by(table.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .subquery()
        )
        statement = (
            update(pull_requests)
            .where(table.repository_id == chosen.c.repository_id, table.number == chosen.c.number)
            .values(lease_owner=self.database.owner, lease_until=func.now() + LEASE)
            .returning(pull_requests)
        )
        with self.database.claiming() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        repository = Repository(row.repository_id, row.full_name, private=row.private)
        return PullClaim(repository, row.number, row.version, row.failures, row.lease_until)

    def release_pull(self, claim: PullClaim, *, seconds: float | None, failed: bool) -> None:
        """Give it back; report again after `seconds`, at once if something changed meanwhile.

        A report that failed keeps some distance even then. If the claim was lost, what was sent under it may
        have come after what others sent: all that the pull request shows is compared again.
        """
        table = pull_requests.c
        later = null() if seconds is None else func.now() + timedelta(seconds=seconds)
        soon = func.least(later, func.now() + DISTANCE) if failed else func.now()
        with self.database.begin() as connection:
            released = connection.execute(
                update(pull_requests)
                .where(claimed(pull_requests, claim), table.lease_until == claim.lease)
                .values(
                    lease_owner=None,
                    lease_until=None,
                    failures=claim.failures + 1 if failed else 0,
                    due_at=case((table.version == claim.version, later), else_=soon),
                )
            )
            if not released.rowcount:
                self._compare_again(connection, claim)

    def _compare_again(self, connection: Connection, claim: PullClaim) -> None:
        table = pull_requests.c
        nobody_knows = case((table.comment_id.is_(None), table.comment_digest), else_="")
        connection.execute(
            update(pull_requests)
            .where(claimed(pull_requests, claim))
            .values(version=table.version + 1, due_at=func.now(), comment_digest=nobody_knows)
        )
        connection.execute(update(heads).where(claimed(heads, claim)).values(settled=False))
        notify(connection, "report")

    def unsettled_heads(self, claim: PullClaim) -> Sequence[str]:
        """The heads of the pull request whose statuses may have to change, the current one first."""
        statement = (
            select(heads.c.sha)
            .where(claimed(heads, claim), heads.c.settled.is_(False))
            .join_from(
                heads,
                pull_requests,
                and_(
                    heads.c.repository_id == pull_requests.c.repository_id,
                    heads.c.number == pull_requests.c.number,
                ),
            )
            .order_by(heads.c.sha != pull_requests.c.head_sha, heads.c.seen_at.desc())
        )
        with self.database.once() as connection:
            return list(connection.execute(statement).scalars())

    def settle_head(self, claim: PullClaim, sha: str) -> None:
        """All contexts of that head show their last word, unless something changed since the claim."""
        unchanged = (
            select(pull_requests.c.version)
            .where(claimed(pull_requests, claim))
            .with_for_update()
            .scalar_subquery()
        )
        with self.database.once() as connection:
            connection.execute(
                update(heads)
                .where(claimed(heads, claim), heads.c.sha == sha, unchanged == claim.version)
                .values(settled=True)
            )

    @contextmanager
    def lock_head(self, repository: Repository, sha: str) -> Iterator[None]:
        """Keep others from reporting on that head, which pull requests can share."""
        key = lock_key("head", repository.id, sha)
        with translated(), self.database.engine.connect() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '5min'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield  # the transaction's end is the lock's

    def next_due(self) -> float | None:
        """The seconds until a report is due, None if all is shown."""
        with self.database.once() as connection:
            return next_due(connection, waiting(pull_requests), pull_requests)
