"""The inbox: one table of deliveries, claimed one at a time per lane, in the order of arrival."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, not_, select, text, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.postgres.database import CHANNEL, lock_key, notify
from bot.adapters.postgres.leases import LEASE, next_due
from bot.adapters.postgres.tables import deliveries
from bot.adapters.postgres.together import Together
from bot.claims import DeliveryClaim, Receipt
from bot.errors import HeldBack, StoreUnavailable
from bot.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.adapters.postgres.database import Database

MOST_AT_ONCE = 50
MOST_BYTES_AT_ONCE = 4 * 1024 * 1024
"""Deliveries that one statement stores, and the bytes that they may have if they are more than one."""

# Whoever was parked has a reason, whoever is new has none.
PUT = """
    INSERT INTO deliveries (id, event, lane, body) VALUES {}
    ON CONFLICT (id) DO UPDATE SET state = 'queued', tries = 0, due_at = now(), finished_at = NULL
    WHERE deliveries.state = 'parked'
    RETURNING id, reason
"""
ROW = "(%b, %b, %b, %b)"
# A transaction that notifies commits alone, after all others: it should not wait for the disk, nor hold up
# those that do. If it gets lost, workers find what is stored when they look again by themselves.
WAKE = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, 'delivery')"

AUDIT = "audit-"
"""So begin the ids of an audit's deliveries."""

BY_AND_BY = timedelta(seconds=6)
"""Between two of them, also where they were due long before: each may start pipelines."""

# Those that nobody took when they were due get their turns behind the others of their kind.
PUT_OFF = text(
    """
    WITH late AS MATERIALIZED (
        SELECT seq, due_at FROM deliveries
        WHERE state = 'queued' AND due_at < now() - CAST(:step AS interval) AND event = :event
            AND starts_with(id, :audit)
        FOR UPDATE SKIP LOCKED
    ), last AS (
        SELECT greatest(now(), max(due_at)) AS at FROM deliveries
        WHERE state = 'queued' AND due_at > now() AND event = :event
    ), turns AS (
        SELECT seq, at + row_number() OVER (ORDER BY due_at, seq) * CAST(:step AS interval) AS at
        FROM late, last
    )
    UPDATE deliveries SET
        due_at = turns.at, received_at = CASE WHEN tries = 0 THEN turns.at ELSE received_at END
    FROM turns WHERE deliveries.seq = turns.seq
    """
)

log = logging.getLogger(__name__)


class PostgresInbox:
    """The Inbox port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._together = Together(self._store, fit_together, self._wake)

    def put(self, delivery: Delivery) -> Receipt:
        """Store the delivery durably; a repeated id is ignored unless it is parked."""
        return self._together.put(delivery)

    def _store(self, put: Sequence[Delivery]) -> Sequence[Receipt]:
        """Store several deliveries of different ids."""
        values = tuple(chain.from_iterable((one.id, one.event, one.lane, one.body) for one in put))
        statement = PUT.format(", ".join([ROW] * len(put)))
        with self.database.driver() as connection:
            reasons = dict(connection.execute(statement, values).fetchall())
        return [_receipt(reasons.get(one.id)) for one in put]

    def _wake(self) -> None:
        try:
            with self.database.driver() as connection:
                connection.execute(WAKE, [CHANNEL])
        except StoreUnavailable as error:
            log.warning("workers were not told of a delivery, they will find it: %s", error)

    def claim(self) -> DeliveryClaim | None:
        """Take the oldest delivery that is due and whose lane nobody holds.

        Two workers that want two deliveries of one lane at once meet at the unique index on working
        lanes; the later one looks again. One of an audit's puts off the others that are late: they come one
        after another also after an outage.
        """
        while True:
            try:
                return self._claim()
            except IntegrityError:
                continue

    def _claim(self) -> DeliveryClaim | None:
        queued = and_(
            deliveries.c.state == "queued",
            deliveries.c.due_at <= func.now(),
            not_(_lane_is_held()),
            not_(_lane_has_an_earlier_one()),  # which another worker may be about to take, and we skip
        )
        lost = and_(deliveries.c.state == "working", deliveries.c.lease_until < func.now())
        # Each has an index of its own; with both in one question all that was ever handled would be read.
        chosen = func.coalesce(_first(lost), _first(queued))
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
                deliveries.c.id,
                deliveries.c.event,
                deliveries.c.body,
                deliveries.c.lane,
                deliveries.c.tries,
                deliveries.c.reason,
                func.extract("epoch", func.now() - deliveries.c.received_at).label("age"),
            )
        )
        with self.database.claiming() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        if row.id.startswith(AUDIT):
            self._put_off(row.event)
        delivery = Delivery(row.id, row.event, bytes(row.body), row.lane)
        return DeliveryClaim(delivery, token, row.tries, float(row.age), row.reason)

    def _put_off(self, event: str) -> None:
        """One at a time, so that no two get the same turn."""
        with self.database.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(AUDIT, event)})
            connection.execute(PUT_OFF, {"event": event, "audit": AUDIT, "step": BY_AND_BY})

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        """It is done, or meant nothing to us."""
        self._give_back(claim, "ignored" if ignored else "done", reason, None)

    def retry(self, claim: DeliveryClaim, *, seconds: float, reason: str, tried: bool = True) -> None:
        """Try again later; it holds up nothing behind it. Where nothing was `tried`, this was no try."""
        self._give_back(claim, "queued", reason, seconds, tries=claim.tries if tried else claim.tries - 1)

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        """It can't be handled; kept with its reason until somebody replays it."""
        self._give_back(claim, "parked", reason, None)

    def behind(self, delivery: Delivery, most: int) -> Sequence[Delivery]:
        """Those of the same event that wait in its lane behind it, the last ones first."""
        own = select(deliveries.c.seq).where(deliveries.c.id == delivery.id).scalar_subquery()
        statement = (
            select(deliveries.c.id, deliveries.c.event, deliveries.c.body, deliveries.c.lane)
            .where(
                deliveries.c.state == "queued",
                deliveries.c.seq > own,
                deliveries.c.lane == delivery.lane,
                deliveries.c.event == delivery.event,
            )
            .order_by(deliveries.c.seq.desc())
            .limit(most)
        )
        with self.database.once() as connection:
            rows = connection.execute(statement).all()
        return [Delivery(row.id, row.event, bytes(row.body), row.lane) for row in rows]

    def held_ahead(self, delivery: Delivery) -> float:
        """The seconds for which the last one of its event before it in its lane is held back, 0 if none is.

        One look will be enough for both, and wants room only once.
        """
        own = select(deliveries.c.seq).where(deliveries.c.id == delivery.id).scalar_subquery()
        statement = select(func.extract("epoch", func.max(deliveries.c.due_at) - func.now())).where(
            deliveries.c.state == "queued",
            deliveries.c.seq < own,
            deliveries.c.lane == delivery.lane,
            deliveries.c.event == delivery.event,
            deliveries.c.reason == HeldBack.REASON,
        )
        with self.database.once() as connection:
            seconds = connection.execute(statement).scalar_one()
        return max(0.0, float(seconds or 0.0))

    def settle(self, ids: Sequence[str], reason: str) -> None:
        """Those of them that wait mean nothing any more."""
        waiting = and_(deliveries.c.id.in_(ids), deliveries.c.state == "queued")
        settled = {"state": "ignored", "reason": reason, "finished_at": func.now()}
        with self.database.once() as connection:
            connection.execute(update(deliveries).where(waiting).values(settled))

    def next_due(self) -> float | None:
        """The seconds until a delivery is due, None if none waits.

        Whoever gives back a lane wakes those that wait for it, so they count only from then on.
        """
        with self.database.once() as connection:
            return next_due(
                connection, and_(deliveries.c.state == "queued", not_(_lane_is_held())), deliveries
            )

    def _give_back(
        self,
        claim: DeliveryClaim,
        state: str,
        reason: str,
        seconds: float | None,
        *,
        tries: int | None = None,
    ) -> None:
        """Change the row only if it is still ours: a lease that ran out may be another worker's now."""
        values: dict[str, object] = {
            "state": state,
            "reason": reason,
            "tries": claim.tries if tries is None else tries,
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


def _first(those: ColumnElement[bool]) -> ScalarSelect[int]:
    """The `seq` of the oldest of them that nobody else takes at this moment."""
    oldest = select(deliveries.c.seq).where(those).order_by(deliveries.c.seq).limit(1)
    return oldest.with_for_update(skip_locked=True).scalar_subquery()


def _lane_is_held() -> ColumnElement[bool]:
    held = deliveries.alias("held")
    return exists().where(and_(held.c.lane == deliveries.c.lane, held.c.state == "working"))


def _lane_has_an_earlier_one() -> ColumnElement[bool]:
    earlier = deliveries.alias("earlier")
    of_the_lane = and_(
        earlier.c.lane == deliveries.c.lane, earlier.c.state == "queued", earlier.c.due_at <= func.now()
    )
    return exists().where(of_the_lane, earlier.c.seq < deliveries.c.seq)


def fit_together(waiting: Sequence[Delivery]) -> int:
    """How many of the first of them one statement takes: no id twice, and not too large."""
    ids: set[str] = set()
    size = 0
    for count, delivery in enumerate(waiting):
        size += len(delivery.body)
        if count and (delivery.id in ids or count == MOST_AT_ONCE or size > MOST_BYTES_AT_ONCE):
            return count
        ids.add(delivery.id)
    return len(waiting)


def _receipt(reason: str | None) -> Receipt:
    """By the reason of the row that was stored, None if there was nothing to store."""
    if reason is None:
        return Receipt.REPEATED
    return Receipt.REQUEUED if reason else Receipt.STORED
