"""Leases: who holds which row, and how the rows of a killed worker come free."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, and_, func, or_, select, text

from bot.adapters.postgres.database import notify
from bot.adapters.postgres.tables import pull_requests

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.claims import PullClaim

LEASE = timedelta(seconds=60)
ENOUGH = timedelta(seconds=20)
"""What is left of a lease when something is begun that is not to be done twice: one write to GitHub."""

# A living worker holds a session lock on its own number; PostgreSQL drops it with the connection.
_LIVING = """
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


# A finished run is held by whoever archives it, who put off when it is due.
_ARCHIVE_NOW = ", archive_due_at = CASE WHEN archive_due_at > now() THEN now() ELSE archive_due_at END"
HELD = (
    ("deliveries", "", ("delivery",)),
    ("runs", _ARCHIVE_NOW, ("run", "archive")),
    ("pull_requests", "", ("report",)),
)


def free(table: Table) -> ColumnElement[bool]:
    """Rows that nobody holds, or no longer."""
    return or_(table.c.lease_owner.is_(None), table.c.lease_until < func.now())


def due(table: Table) -> ColumnElement[bool]:
    """Rows that want attention now and that nobody holds."""
    return and_(table.c.due_at <= func.now(), free(table))


def claimed(table: Table, claim: PullClaim) -> ColumnElement[bool]:
    """The rows of the pull request or branch that somebody holds."""
    return and_(table.c.repository_id == claim.repository.id, table.c.number == claim.number)


def held(claim: PullClaim) -> ColumnElement[bool]:
    """The row of the pull request or branch, if the claim on it still holds for long enough."""
    until = pull_requests.c.lease_until
    return and_(claimed(pull_requests, claim), until == claim.lease, until > func.now() + ENOUGH)


def next_due(connection: Connection, waiting: ColumnElement[bool], table: Table) -> float | None:
    """The seconds until one of the waiting rows is due (0 if one is), None if none ever will be."""
    lowest = select(func.extract("epoch", func.min(table.c.due_at) - func.now())).where(waiting)
    seconds = connection.execute(lowest).scalar()
    return None if seconds is None else max(0.0, float(seconds))


def waiting(table: Table) -> ColumnElement[bool]:
    """Rows that nobody holds and that will be due one day."""
    return and_(table.c.due_at.is_not(None), free(table))


def release_dead(connection: Connection) -> int:
    """Free what workers hold that live no more; returns how many rows came free."""
    freed = 0
    for table, also, what in HELD:
        result = connection.execute(
            text(
                # What somebody has locked is being changed by the living: so nobody is waited for.
                f"UPDATE {table} SET lease_until = 'epoch'{also} WHERE ctid = ANY(ARRAY("  # noqa: S608 - our own
                f"SELECT ctid FROM {table} WHERE lease_owner IS NOT NULL AND lease_until >= now() "
                f"AND lease_owner NOT IN ({_LIVING}) FOR UPDATE SKIP LOCKED))"
            )
        )
        if result.rowcount:
            for loop in what:
                notify(connection, loop)
            freed += result.rowcount
    return freed
