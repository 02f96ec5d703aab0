"""What pull requests' comments show: the one of ours, and answers to those of others."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, select, update

from bot.adapters.postgres.leases import claimed, held
from bot.adapters.postgres.rows import report_policy_from, run_from
from bot.adapters.postgres.tables import pull_requests, replies, runs
from bot.adapters.postgres.verdicts import verdicts_on
from bot.claims import PendingReply, ShownComment
from bot.errors import Overtaken
from bot.models import PullView, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.adapters.postgres.database import Database
    from bot.claims import PullClaim


class PostgresComments:
    """The CommentStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def view(self, claim: PullClaim) -> PullView:
        """What the comment is rendered from: the head, what this pull request says about it, the notice."""
        with self.database.begin() as connection:
            row = connection.execute(select(pull_requests).where(claimed(pull_requests, claim))).one()
            says = verdicts_on(connection, row.repository_id, row.head_sha, row.number)
        return PullView(
            claim.repository,
            claim.number,
            row.head_sha,
            says.get(row.number, []),
            row.notice,
            report_policy_from(row),
        )

    def comment(self, claim: PullClaim) -> ShownComment:
        """What we know of the comment."""
        with self.database.once() as connection:
            row = connection.execute(select(pull_requests).where(claimed(pull_requests, claim))).one()
        return ShownComment(
            id=row.comment_id,
            digest=row.comment_digest,
            sent_at=None if row.comment_sent_at is None else row.comment_sent_at.astimezone(UTC),
            search=row.comment_search,
            failing=frozenset(row.comment_failing),
            posted_for=row.comment_posted_for,
            old_id=row.comment_old_id,
        )

    def set_comment(self, claim: PullClaim, comment: ShownComment) -> None:
        """Remember what the comment shows now, or that one may be there."""
        with self.database.once() as connection:
            changed = connection.execute(
                update(pull_requests)
                .where(held(claim))
                .values(
                    comment_id=comment.id,
                    comment_digest=comment.digest,
                    comment_sent_at=comment.sent_at,
                    comment_search=comment.search,
                    comment_failing=sorted(comment.failing),
                    comment_posted_for=comment.posted_for,
                    comment_old_id=comment.old_id,
                )
            )
        _check_claim(changed.rowcount)

    def pending_replies(self, claim: PullClaim) -> Sequence[PendingReply]:
        """Comments that wait for their answer, oldest first."""
        waiting = select(replies).where(claimed(replies, claim), replies.c.done.is_(False))
        told = (
            select(runs)
            .join_from(
                replies,
                runs,
                and_(
                    runs.c.repository_id == replies.c.repository_id, runs.c.comment_id == replies.c.comment_id
                ),
            )
            .where(claimed(replies, claim), replies.c.done.is_(False), runs.c.dryrun)
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
            changed = connection.execute(
                update(replies)
                .where(
                    claimed(replies, claim),
                    replies.c.comment_id == reply.reply.comment_id,
                    exists().where(held(claim)),
                )
                .values(
                    reacted=reply.reacted,
                    attempted=reply.attempted,
                    posted_id=reply.posted_id,
                    digest=reply.digest,
                    done=done,
                )
            )
        _check_claim(changed.rowcount)


def _check_claim(changed: int) -> None:
    if not changed:
        raise Overtaken("the report took so long that somebody else may make it now")
