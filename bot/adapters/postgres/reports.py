"""Pull requests as a queue of reports, and what they show."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, and_, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.database import lock_key, translated
from bot.adapters.postgres.leases import LEASE, due, next_due, waiting
from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import heads, pull_requests, replies, runs, shown_statuses
from bot.adapters.postgres.verdicts import verdicts_on
from bot.claims import PendingReply, PullClaim, ShownComment, ShownStatus
from bot.models import CommentPolicy, PullView, Reply, Repository, Status, StatusState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.adapters.postgres.database import Database
    from bot.models import Verdict


class PostgresReports:
    """The ReportStore, StatusStore and CommentStore ports on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

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
        with self.database.once() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        repository = Repository(row.repository_id, row.full_name, private=row.private)
        return PullClaim(repository, row.number, row.version, row.failures, row.lease_until)

    def release_pull(self, claim: PullClaim, *, seconds: float | None, failed: bool) -> None:
        """Give it back; report again after `seconds`, at once if something changed meanwhile.

        A report that failed keeps its distance even then.
        """
        table = pull_requests.c
        later = None if seconds is None else func.now() + timedelta(seconds=seconds)
        unchanged = table.version == claim.version
        with self.database.once() as connection:
            connection.execute(
                update(pull_requests)
                .where(_mine(pull_requests, claim), table.lease_until == claim.lease)
                .values(
                    lease_owner=None,
                    lease_until=None,
                    failures=claim.failures + 1 if failed else 0,
                    due_at=later if failed else case((unchanged, later), else_=func.now()),
                )
            )

    def unsettled_heads(self, claim: PullClaim) -> Sequence[str]:
        """The heads of the pull request whose statuses may have to change, the current one first."""
        statement = (
            select(heads.c.sha)
            .where(_mine(heads, claim), heads.c.settled.is_(False))
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
            .where(_mine(pull_requests, claim))
            .with_for_update()
            .scalar_subquery()
        )
        with self.database.once() as connection:
            connection.execute(
                update(heads)
                .where(_mine(heads, claim), heads.c.sha == sha, unchanged == claim.version)
                .values(settled=True)
            )

    @contextmanager
    def lock_head(self, repository: Repository, sha: str) -> Iterator[None]:
        """Keep others from reporting on that head, which pull requests can share."""
        key = lock_key("head", repository.id, sha)
        with translated(), self.database.engine.connect() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield  # the transaction's end is the lock's

    def next_due(self) -> float | None:
        """The seconds until a report is due, None if all is shown."""
        with self.database.once() as connection:
            return next_due(connection, waiting(pull_requests), pull_requests)

    def verdicts(self, repository: Repository, sha: str) -> Mapping[int, Sequence[Verdict]]:
        """What each pull request with that head wants its contexts to show.

        Where one that is open has this head now, closed ones and those that moved on have no say. Where a
        pull request ran a pipeline itself, or somebody overrode it there, a branch's run of the same commit
        has none either: nobody can comment on a branch to mend it.
        """
        current = select(pull_requests.c.number).where(
            pull_requests.c.repository_id == repository.id,
            pull_requests.c.head_sha == sha,
            pull_requests.c.open,
        )
        with self.database.begin() as connection:
            found = verdicts_on(connection, repository.id, sha)
            heard = set(connection.execute(current).scalars())
        found = {number: says for number, says in found.items() if not heard or number in heard}
        own = {
            verdict.context
            for number, says in found.items()
            for verdict in says
            if number > 0 and (verdict.run is not None or verdict.override)
        }
        return {
            number: says if number > 0 else [verdict for verdict in says if verdict.context not in own]
            for number, says in found.items()
        }

    def shown(self, repository: Repository, sha: str) -> Mapping[str, ShownStatus]:
        """What the head's contexts show, by context."""
        table = shown_statuses.c
        statement = select(shown_statuses).where(table.repository_id == repository.id, table.sha == sha)
        with self.database.once() as connection:
            return {
                row.context: ShownStatus(
                    Status(row.context, StatusState(row.state), row.description, row.target_url),
                    row.sent_at.astimezone(UTC),
                )
                for row in connection.execute(statement)
            }

    def set_shown(self, repository: Repository, sha: str, status: Status) -> None:
        """A context was made to show this."""
        where = {"repository_id": repository.id, "sha": sha, "context": status.context}
        says = {
            "state": status.state.value,
            "description": status.description,
            "target_url": status.target_url,
            "sent_at": func.now(),
        }
        with self.database.once() as connection:
            connection.execute(
                insert(shown_statuses)
                .values(where | says)
                .on_conflict_do_update(index_elements=list(where), set_=says)
            )

    def view(self, claim: PullClaim) -> PullView:
        """What the comment is rendered from: the head, what this pull request says about it, the notice."""
        with self.database.begin() as connection:
            row = connection.execute(select(pull_requests).where(_mine(pull_requests, claim))).one()
            says = verdicts_on(connection, row.repository_id, row.head_sha, row.number)
        return PullView(
            claim.repository,
            claim.number,
            row.head_sha,
            says.get(row.number, []),
            row.notice,
            CommentPolicy(row.comment_policy),
        )

    def comment(self, claim: PullClaim) -> ShownComment:
        """What we know of the comment."""
        with self.database.once() as connection:
            row = connection.execute(select(pull_requests).where(_mine(pull_requests, claim))).one()
        sent_at = None if row.comment_sent_at is None else row.comment_sent_at.astimezone(UTC)
        return ShownComment(row.comment_id, row.comment_digest, sent_at, search=row.comment_search)

    def set_comment(self, claim: PullClaim, comment: ShownComment) -> None:
        """Remember what the comment shows now, or that one may be there."""
        with self.database.once() as connection:
            connection.execute(
                update(pull_requests)
                .where(_mine(pull_requests, claim))
                .values(
                    comment_id=comment.id,
                    comment_digest=comment.digest,
                    comment_sent_at=comment.sent_at,
                    comment_search=comment.search,
                )
            )

    def pending_replies(self, claim: PullClaim) -> Sequence[PendingReply]:
        """Comments that wait for their answer, oldest first."""
        waiting = select(replies).where(_mine(replies, claim), replies.c.done.is_(False))
        told = (
            select(runs)
            .join_from(
                replies,
                runs,
                and_(
                    runs.c.repository_id == replies.c.repository_id, runs.c.comment_id == replies.c.comment_id
                ),
            )
            .where(_mine(replies, claim), replies.c.done.is_(False), runs.c.dryrun)
            .order_by(runs.c.seq)
        )
        with self.database.begin() as connection:
            rows = connection.execute(waiting.order_by(replies.c.comment_id)).all()
            dry_runs = [run_from(row) for row in connection.execute(told)] if rows else []
        return [
            PendingReply(
                Reply(row.comment_id, row.text),
                reacted=row.reacted,
                attempted=row.attempted,
                asked_at=row.created_at.astimezone(UTC),
                dry_runs=tuple(run for run in dry_runs if run.comment_id == row.comment_id),
                posted_id=row.posted_id,
                digest=row.digest,
            )
            for row in rows
        ]

    def set_reply(self, claim: PullClaim, reply: PendingReply, *, done: bool) -> None:
        """Remember how far an answer got."""
        with self.database.once() as connection:
            connection.execute(
                update(replies)
                .where(_mine(replies, claim), replies.c.comment_id == reply.reply.comment_id)
                .values(
                    reacted=reply.reacted,
                    attempted=reply.attempted,
                    posted_id=reply.posted_id,
                    digest=reply.digest,
                    done=done,
                )
            )


def _mine(table: Table, claim: PullClaim) -> ColumnElement[bool]:
    return and_(table.c.repository_id == claim.repository.id, table.c.number == claim.number)
