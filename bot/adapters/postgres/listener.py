"""Woken by PostgreSQL: LISTEN, and the lock that shows that this worker lives."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.adapters.postgres.database import CHANNEL, new_owner, translated
from bot.adapters.postgres.leases import release_dead
from bot.errors import StoreUnavailable
from bot.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database

LISTENER = "preflight-listener"
"""What a worker's one listening connection is called in PostgreSQL."""

RECONNECT_SECONDS = 1.0
RECONNECT_SLOWEST = 5.0
RELEASE_SECONDS = 5.0
AT_WORK = "a worker is at work"
"""The mark by which others see when one last was."""

_SAY_SO = text(
    "INSERT INTO marks (name, at) VALUES (:name, now()) "
    "ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at < now() - interval '10 s'"
)

log = logging.getLogger(__name__)


class Listener:
    """Calls `wake` with what changed ("delivery", "run", "report", "archive") until it is told to stop.

    While it is connected, this worker's leases are its own; when the process dies, PostgreSQL notices at
    once and the other workers take over what it held.
    """

    def __init__(self, database: Database, wake: Callable[[str], None]) -> None:
        self.database = database
        self.wake = wake
        self._failures = 0

    def run(self, stopped: Callable[[float], bool]) -> None:
        """Listen until `stopped(seconds to wait)` is true; reconnects by itself."""
        while not stopped(0):
            try:
                with translated(), self.database.engine.connect() as connection:
                    self._listen(connection, stopped)
            except (StoreUnavailable, DBAPIError, psycopg.Error) as error:
                # What we hold may soon be in another's hands: what we take from now on, a new worker takes.
                self.database.owner = new_owner()
                self._failures += 1
                if self._failures == 1:
                    log.warning("not woken by the database for now, polling only: %s", error)
                if stopped(backoff(self._failures, RECONNECT_SLOWEST, fastest=RECONNECT_SECONDS)):
                    return

    def _listen(self, connection: Connection, stopped: Callable[[float], bool]) -> None:
        owner = self.database.owner
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"SET application_name = '{LISTENER}'"))
        connection.execute(text("SELECT pg_advisory_lock(:owner)"), {"owner": owner})
        connection.execute(text(f"LISTEN {CHANNEL}"))
        driver: psycopg.Connection | None = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - an open connection has its driver's
        if self._failures:
            self._failures = 0
            log.info("woken by the database again")
        try:
            for what in ("delivery", "run", "report", "archive"):
                self.wake(what)  # whatever was missed while nobody listened
            while not stopped(0) and self.database.owner == owner:
                release_dead(connection)
                connection.execute(_SAY_SO, {"name": AT_WORK})
                for notification in driver.notifies(timeout=RELEASE_SECONDS):
                    self.wake(notification.payload)
                    if stopped(0) or self.database.owner != owner:
                        break
        finally:
            connection.invalidate()  # its lock and LISTEN must not go back to the pool
