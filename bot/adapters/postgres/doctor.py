"""What the database tells of itself and of the bot's work: the port of `bot doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres.listener import LISTENER
from bot.models.doctor import SeenSchema, SeenWork

if TYPE_CHECKING:
    from bot.adapters.postgres.database import Database

REASONS = 3
"""Reasons of parked deliveries that are told."""

_LONGEST_REASON = 150

SERVER = text(
    """
    SELECT current_setting('server_version_num')::int AS version,
           pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only,
           current_setting('fsync')::bool AS fsync,
           current_setting('synchronous_commit') <> 'off' AS synchronous_commit,
           pg_database_size(current_database()) AS size
    """
)
# Each worker has one listener, whose connection says what it is.
WORKERS = text(
    """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = :listener AND datname = current_database()
    """
).bindparams(listener=LISTENER)
WORK = text(
    """
    SELECT
        (SELECT count(*) FROM deliveries WHERE state = 'queued')
            + (SELECT count(*) FROM deliveries WHERE state = 'working') AS waiting,
        extract(epoch FROM now() - least(
            (SELECT min(received_at) FROM deliveries WHERE state = 'queued'),
            (SELECT min(received_at) FROM deliveries WHERE state = 'working'))) AS oldest_waiting,
        extract(epoch FROM now() - (
            SELECT received_at FROM deliveries ORDER BY seq DESC LIMIT 1)) AS newest_delivery,
        extract(epoch FROM now() - (
            SELECT max(at) FROM marks WHERE name LIKE 'deliveries %')) AS last_good,
        (SELECT count(*) FROM deliveries WHERE state = 'parked') AS parked,
        (SELECT count(*) FROM runs WHERE due_at < now() - interval '5 min') AS overdue_runs,
        (SELECT count(*) FROM pull_requests WHERE failures > 2 AND due_at IS NOT NULL) AS refused
    """
)
PARKED = text("SELECT reason FROM deliveries WHERE state = 'parked' ORDER BY seq DESC LIMIT 100")
NUDGED = text(
    """
    SELECT count(*) AS followed, count(nudged_at) AS nudged
    FROM (SELECT started_at, finished_at, nudged_at FROM runs ORDER BY seq DESC LIMIT 50) AS newest
    WHERE started_at > now() - interval '7 days' AND finished_at IS NOT NULL
    """
)


class PostgresDoctor:
    """Fulfils DatabaseLook."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def schema(self) -> SeenSchema:
        """The server and our schema."""
        found, wanted = self.database.revisions()
        with self.database.once() as connection:
            row = connection.execute(SERVER).one()
        return SeenSchema(
            version=row.version,
            found=found,
            wanted=wanted,
            read_only=row.read_only,
            fsync=row.fsync,
            synchronous_commit=row.synchronous_commit,
            size=row.size,
        )

    def work(self) -> SeenWork:
        """What is being done, waits and went wrong; each by an index."""
        with self.database.once() as connection:
            workers = connection.execute(WORKERS).scalar_one()
            row = connection.execute(WORK).one()
            reasons = connection.execute(PARKED).scalars().all()
            nudges = connection.execute(NUDGED).one()
        shown = dict.fromkeys((reason or "").partition("\n")[0][:_LONGEST_REASON] for reason in reasons)
        return SeenWork(
            workers=workers,
            waiting=row.waiting,
            oldest_waiting=_seconds(row.oldest_waiting),
            newest_delivery=_seconds(row.newest_delivery),
            last_good=_seconds(row.last_good),
            parked=row.parked,
            parked_reasons=tuple(shown)[:REASONS],
            overdue_runs=row.overdue_runs,
            refused=row.refused,
            followed=nudges.followed,
            nudged=nudges.nudged,
        )


def _seconds(value: float | None) -> float | None:
    return None if value is None else max(0.0, float(value))
