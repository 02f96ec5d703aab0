"""The inbox: one table of deliveries, claimed one at a time per lane, in the order of arrival."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.postgres.database import CHANNEL, notify
from bot.adapters.postgres.leases import LEASE, next_due
from bot.adapters.postgres.tables import deliveries
from bot.claims import DeliveryClaim, Receipt
from bot.models import Delivery

if TYPE_CHECKING:
    from bot.adapters.postgres.database import Database

# One round trip: a webhook waits for it. Whoever was parked has a reason, whoever is new has none.
PUT = text(
    """
    WITH put AS (
        INSERT INTO deliveries (id, event, lane, body) VALUES (:id, :event, :lane, :body)
        ON CONFLICT (id) DO UPDATE SET state = 'queued', tries = 0, due_at = now(), finished_at = NULL
        WHERE deliveries.state = 'parked'
        RETURNING reason
    )
    SELECT reason, pg_notify(:channel, 'delivery') FROM put
    """
)


class PostgresInbox:
    """The Inbox port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def put(self, delivery: Delivery) -> Receipt:
        """Store the delivery durably; a repeated id is ignored unless it is parked."""
        values = {"id": delivery.id, "event": delivery.event, "lane": delivery.lane, "body": delivery.body}
        with self.database.once() as connection:
            row = connection.execute(PUT, values | {"channel": CHANNEL}).one_or_none()
        if row is None:
            return Receipt.REPEATED
        return Receipt.REQUEUED if row.reason else Receipt.STORED

    def claim(self) -> DeliveryClaim | None:
        """Take the oldest delivery that is due and whose lane nobody holds.

        Two workers that want two deliveries of one lane at once meet at the unique index on working
        lanes; the later one looks again.
        """
        while True:
            try:
                return self._claim()
            except IntegrityError:
                continue

    def _claim(self) -> DeliveryClaim | None:
        queued = and_(
            deliveries.c.state == "queued", deliveries.c.due_at <= func.now(), not_(_lane_is_held())
        )
        lost = and_(deliveries.c.state == "working", deliveries.c.lease_until < func.now())
        chosen = (
            select(deliveries.c.seq)
            .where(or_(queued, lost))
            .order_by(deliveries.c.seq)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        token = secrets.token_hex(8)
        statement = (
            update(deliveries)
            .where(deliveries.c.seq == chosen)
            .values(
                state="working",
                tries=deliveries.c.tries + 1,
                token=token,
                lease_owner=self.database.owner,
                lease_until=func.now() + LEASE,
            )
            .returning(
                deliveries.c.id, deliveries.c.event, deliveries.c.body, deliveries.c.lane, deliveries.c.tries
            )
        )
        with self.database.once() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        return DeliveryClaim(Delivery(row.id, row.event, bytes(row.body), row.lane), token, row.tries)

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        """It is done, or meant nothing to us."""
        self._give_back(claim, "ignored" if ignored else "done", reason, None)

    def retry(self, claim: DeliveryClaim, *, seconds: float, reason: str) -> None:
        """Try again later; it holds up nothing behind it."""
        self._give_back(claim, "queued", reason, seconds)

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        """It can't be handled; kept with its reason until somebody replays it."""
        self._give_back(claim, "parked", reason, None)

    def next_due(self) -> float | None:
        """The seconds until a delivery is due, None if none waits.

        Whoever gives back a lane wakes those that wait for it, so they count only from then on.
        """
        with self.database.once() as connection:
            return next_due(
                connection, and_(deliveries.c.state == "queued", not_(_lane_is_held())), deliveries
            )

    def _give_back(self, claim: DeliveryClaim, state: str, reason: str, seconds: float | None) -> None:
        """Change the row only if it is still ours: a lease that ran out may be another worker's now."""
        values: dict[str, object] = {
            "state": state,
            "reason": reason,
            "lease_owner": None,
            "lease_until": None,
            "token": None,
            "finished_at": func.now() if seconds is None else None,
        }
        if seconds is not None:
            values["due_at"] = func.now() + timedelta(seconds=seconds)
        mine = and_(deliveries.c.id == claim.delivery.id, deliveries.c.token == claim.token)
        with self.database.begin() as connection:
            connection.execute(update(deliveries).where(mine).values(values))
            notify(connection, "delivery")


def _lane_is_held() -> ColumnElement[bool]:
    held = deliveries.alias("held")
    return exists().where(and_(held.c.lane == deliveries.c.lane, held.c.state == "working"))
