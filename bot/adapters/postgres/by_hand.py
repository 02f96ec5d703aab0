"""What people mend by hand: deliveries queued anew, statuses and comments that GitHub lost."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from bot.adapters.postgres.database import notify
from bot.adapters.postgres.tables import deliveries, pull_requests, shown_statuses
from bot.adapters.postgres.touch import touch_reports
from bot.models import KnownDelivery, ShownPull, Status, StatusState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row

    from bot.adapters.postgres.database import Database
    from bot.models import Repository

_ROW = select(
    deliveries.c.id, deliveries.c.event, deliveries.c.state, deliveries.c.reason, deliveries.c.received_at
)


class PostgresByHand:
    """The HandStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def delivery(self, delivery_id: str) -> KnownDelivery | None:
        """The delivery of that id."""
        with self.database.once() as connection:
            row = connection.execute(_ROW.where(deliveries.c.id == delivery_id)).one_or_none()
        return None if row is None else _delivery(row)

    def parked(self) -> Sequence[KnownDelivery]:
        """All parked deliveries, oldest first."""
        statement = _ROW.where(deliveries.c.state == "parked").order_by(deliveries.c.seq)
        with self.database.once() as connection:
            return [_delivery(row) for row in connection.execute(statement)]

    def replay(self, delivery_id: str) -> bool:
        """Queue it anew, whatever became of it; False if it is being handled at this moment."""
        statement = (
            update(deliveries)
            .where(deliveries.c.id == delivery_id, deliveries.c.state != "working")
            .values(state="queued", tries=0, due_at=func.now(), finished_at=None)
        )
        with self.database.begin() as connection:
            changed = connection.execute(statement).rowcount
            notify(connection, "delivery")
        return bool(changed)

    def shown(self, repository: Repository, numbers: Collection[int]) -> Sequence[ShownPull]:
        """What these pull requests show, as far as we know."""
        table = pull_requests.c
        mine = select(table.number, table.head_sha, table.comment_id).where(
            table.repository_id == repository.id, table.number.in_(numbers)
        )
        with self.database.begin() as connection:
            pulls = connection.execute(mine.order_by(table.number)).all()
            return [
                ShownPull(
                    row.number, row.head_sha, _statuses(connection, repository, row.head_sha), row.comment_id
                )
                for row in pulls
            ]

    def lost_status(self, repository: Repository, sha: str, context: str) -> None:
        """Have it sent again: we believe from now on that it shows nothing yet."""
        table = shown_statuses.c
        nothing = {"state": StatusState.PENDING.value, "description": "", "target_url": "", "sent_at": _EPOCH}
        have_it = select(pull_requests.c.number).where(
            pull_requests.c.repository_id == repository.id, pull_requests.c.head_sha == sha
        )
        with self.database.begin() as connection:
            connection.execute(
                update(shown_statuses)
                .where(table.repository_id == repository.id, table.sha == sha, table.context == context)
                .values(nothing)
            )
            numbers = connection.execute(have_it).scalars().all()
            touch_reports(connection, [(repository.id, number, sha) for number in numbers])

    def lost_comment(self, repository: Repository, number: int) -> None:
        """Have it posted again: we know of none from now on."""
        table = pull_requests.c
        with self.database.begin() as connection:
            connection.execute(
                update(pull_requests)
                .where(table.repository_id == repository.id, table.number == number)
                .values(
                    comment_id=None,
                    comment_digest="",
                    comment_sent_at=None,
                    version=table.version + 1,
                    due_at=func.now(),
                )
            )
            notify(connection, "report")


_EPOCH = func.to_timestamp(0)


def _delivery(row: Row[Any, Any, Any, Any, Any]) -> KnownDelivery:
    return KnownDelivery(row.id, row.event, row.state, row.reason, row.received_at.astimezone(UTC))


def _statuses(connection: Connection, repository: Repository, sha: str) -> tuple[Status, ...]:
    table = shown_statuses.c
    statement = select(shown_statuses).where(table.repository_id == repository.id, table.sha == sha)
    return tuple(
        Status(row.context, StatusState(row.state), row.description, row.target_url)
        for row in connection.execute(statement.order_by(table.context))
    )
