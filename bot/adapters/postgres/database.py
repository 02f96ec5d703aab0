"""One engine for a process: connections, transactions, migrations, and wake-up calls."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg.errors
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.adapters.postgres.bounded import ALIVE, TookTooLong, bound, within, without_limit
from bot.breaker import Breaker, Refused
from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

CHANNEL = "preflight"
PATIENCE = 30.0
"""Seconds."""

TRUSTED_SECONDS = 1.0  # that an idle connection is believed to stand
MIGRATION_LOCK = 0x70726566  # "pref": any number will do, as long as every process takes the same
MIGRATION_TRIES = 10


class Database:
    """The database that a process works on.

    `owner` names this process in leases for as long as it lives (see `Listener`). No answer is waited for
    longer than `patience` seconds; a database that was silent for so long is left alone for some moments, so
    that those who come meanwhile hear of it at once.
    """

    def __init__(self, url: str, *, pool_size: int = 20, patience: float = PATIENCE) -> None:
        self.owner = new_owner()
        self._patience = patience
        self._breaker = Breaker(failures=1)
        self.engine = create_engine(
            url,
            hide_parameters=True,  # what is stored does not belong into errors: logs would hold payloads
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=min(10.0, patience / 2),
            connect_args={"connect_timeout": 5, "application_name": "preflight"} | ALIVE,
        )
        bound(self.engine, patience)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self.engine, "checkin", _note_idle)
        event.listen(self.engine, "checkout", _check_idle)
        event.listen(self.engine, "handle_error", _look_elsewhere)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; StoreUnavailable if the database is not there or goes away."""
        with self._asking(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def once(self) -> Iterator[Connection]:
        """For single statements: each is a transaction of its own, in one round trip instead of three."""
        with self._asking(), within(self._patience), self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def claiming(self) -> Iterator[Connection]:
        """As `once`, for a statement that takes rows for `owner`.

        If its answer is lost, some may be ours, and we don't know which. So from then on another one works
        here, and once the listener has seen that, what the one before held comes free.
        """
        try:
            with self.once() as connection:
                yield connection
        except StoreUnavailable as error:
            if isinstance(error, Silent) or _is_lost(error):
                self.owner = new_owner()
            raise

    @contextmanager
    def driver(self) -> Iterator[psycopg.Connection]:
        """Like `once`, without SQLAlchemy, whose part in a short statement is larger than all the rest."""
        with self._asking(), within(self._patience):
            with _as_of_sqlalchemy():
                pooled = self.engine.raw_connection()
            driver = cast("psycopg.Connection", pooled.driver_connection)
            try:
                driver.autocommit = True
                with _as_of_sqlalchemy():
                    yield driver
            except InternalError:
                driver.close()  # it may be read-only: see `_look_elsewhere`
                raise
            finally:
                if driver.closed:
                    pooled.invalidate()
                else:
                    driver.autocommit = False
                    pooled.close()

    def migrate(self) -> None:
        """Bring the schema up to date; safe to run twice, by two processes at once, and under a working bot.

        Tables are locked in another order than the bot reads them, so that either may have to try again.
        """
        for tries_left in reversed(range(MIGRATION_TRIES)):
            try:
                return self._migrate()
            except StoreUnavailable as error:
                if not tries_left or not _is_in_passing(error):
                    raise
        return None

    def _migrate(self) -> None:
        with without_limit(), self.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check(self) -> None:
        """Raise StoreUnavailable, saying what is wrong, unless the database answers and is migrated."""
        found, wanted = self.revisions()
        if found is None or found < wanted:
            raise StoreUnavailable(
                f"the database's schema is at {found}, this version needs {wanted}: run python -m bot migrate"
            )

    def revisions(self) -> tuple[str | None, str]:
        """The schema's revision, None if there is none, and the one that this program needs."""
        wanted = ScriptDirectory.from_config(_alembic()).get_current_head()
        with self.begin() as connection:
            return MigrationContext.configure(connection).get_current_revision(), wanted or ""

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with self._breaker.call(lambda error: isinstance(error, Silent)), translated():
                yield
        except Refused as refused:
            raise StoreUnavailable("the database has just been silent", refused.seconds) from None


class Silent(StoreUnavailable):
    """The database neither did what it was asked nor refused."""


@contextmanager
def _as_of_sqlalchemy() -> Iterator[None]:
    """The driver's errors as SQLAlchemy raises them, which also knows what a lost connection looks like."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error


def new_owner() -> int:
    """A number for a worker, as large as an advisory lock takes."""
    return secrets.randbelow(2**63 - 1) + 1


def _note_idle(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _check_idle(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """See that a connection that lay idle still stands; one in steady use would fail either way."""
    if time.monotonic() - record.info.get("idle_since", math.inf) > TRUSTED_SECONDS:
        driver = cast("psycopg.Connection", connection)
        try:
            driver.execute("SELECT 1")
            driver.rollback()
        except psycopg.Error as error:
            raise DisconnectionError from error


def _look_elsewhere(context: ExceptionContext) -> None:
    """Let go of the connections to a database that became read-only: another one may have taken its place."""
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True


@contextmanager
def translated() -> Iterator[None]:
    """Say in our own words that the database is not there."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("no database connection came free in time") from error
    except (OperationalError, InterfaceError) as error:
        if isinstance(error.orig, TookTooLong | psycopg.errors.ConnectionTimeout):
            raise Silent(f"the database is silent: {_first_line(error)}") from error
        raise StoreUnavailable(f"the database does not answer: {_first_line(error)}") from error
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            raise StoreUnavailable("the database's schema is too old: run python -m bot migrate") from error
        raise
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction):
            raise StoreUnavailable("the database is read-only for now") from error
        if error.connection_invalidated:
            raise StoreUnavailable(f"the database went away: {_first_line(error)}") from error
        raise


def notify(connection: Connection, what: str) -> None:
    """Wake whoever waits for `what`, once this transaction is committed."""
    connection.execute(text("SELECT pg_notify(:channel, :what)"), {"channel": CHANNEL, "what": what})


def lock_key(*what: object) -> int:
    """The number of an advisory lock for a thing of that name."""
    digest = hashlib.sha256(":".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _is_in_passing(error: StoreUnavailable) -> bool:
    """Whether it is a deadlock, or another `migrate` has ended our connection (see migration 0002)."""
    cause = error.__cause__
    deadlock = isinstance(cause, DBAPIError) and isinstance(cause.orig, psycopg.errors.DeadlockDetected)
    return deadlock or _is_lost(error)


def _is_lost(error: StoreUnavailable) -> bool:
    """Whether the connection broke, so that nobody knows what became of what was sent."""
    return isinstance(error.__cause__, DBAPIError) and error.__cause__.connection_invalidated


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
