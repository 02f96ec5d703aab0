"""Connections that wait for the database for a bounded time, whatever it does.

A server that is slow cancels a statement by itself. One that is frozen, or behind a network that swallows
all, says nothing at all: then the connection is given up on our side.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.abc import PQGen
    from sqlalchemy import Engine

RV = TypeVar("RV")

SERVER_SHARE = 0.75
"""Of our patience, after which the server is to give up by itself: that keeps the connection."""

LOCK_SHARE = 0.5
IDLE_SECONDS = 60
"""A worker that is frozen in the middle of a transaction holds its locks for so long."""

# A network that swallows all is noticed where nothing is waited for, too. The server is told likewise.
ALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
SETTINGS = """
    SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),
        set_config('idle_in_transaction_session_timeout', %s, false),
        set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false)
"""


class TookTooLong(psycopg.OperationalError):
    """The database was silent for longer than we wait."""


class _Limit(threading.local):
    """Until when this thread waits, whatever it is that it waits for."""

    until = math.inf
    lifted = False


_limit = _Limit()


class BoundedConnection(psycopg.Connection[Any]):
    """One that waits for `patience` seconds at most for each answer."""

    patience: float = math.inf

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait until what was sent is answered; TookTooLong, and this connection is closed, if it is not."""
        if timeout is not None or _limit.lifted:
            return super().wait(gen, interval, timeout)
        until = min(_limit.until, time.monotonic() + self.patience)
        if until == math.inf:
            return super().wait(gen, interval)
        try:
            return super().wait(gen, interval, max(0.0, until - time.monotonic()))
        except psycopg.OperationalError as error:
            if time.monotonic() < until:
                raise
            self.pgconn.finish()  # what it may still say is an answer to nobody
            raise TookTooLong("it has been silent for too long") from error


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All that this thread waits for in the block, connecting as well, takes no longer than that."""
    before = _limit.until
    _limit.until = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _limit.until = before


@contextmanager
def without_limit() -> Iterator[None]:
    """Wait for as long as it takes: a migration rewrites tables."""
    _limit.lifted, before = True, _limit.lifted
    try:
        yield
    finally:
        _limit.lifted = before


def bound(engine: Engine, patience: float) -> None:
    """Have the engine make such connections; the server gives up somewhat earlier."""

    @event.listens_for(engine, "do_connect")
    def connect(_: object, __: object, arguments: list[Any], settings: dict[str, Any]) -> BoundedConnection:
        left = _limit.until - time.monotonic()
        if left <= 0:
            raise TookTooLong("there is no time left to connect")
        if math.isfinite(left):  # in whole seconds, two at least
            settings["connect_timeout"] = min(settings["connect_timeout"], max(2, int(left)))
        made = BoundedConnection.connect(*arguments, **settings)
        made.patience = patience
        made.autocommit = True
        made.execute(SETTINGS, [_ms(patience * SERVER_SHARE), _ms(patience * LOCK_SHARE), _ms(IDLE_SECONDS)])
        made.autocommit = False
        return made


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))
