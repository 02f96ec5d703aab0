"""What all workers together sent to GitHub of late: windows that slide, counted exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.adapters.postgres.database import lock_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bot.adapters.postgres.database import Database
    from bot.claims import Window

KEPT_SECONDS = 3600.0  # no window may be longer
PRUNED_EVERY = 100  # rows

# A crash of the database may forget the last moments' spending; nobody waits for the disk.
LOCK = text("SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(:key)")
# The clock is read once the lock is ours: a transaction's own time is that of its begin.
ROOM = text(
    """
    WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
    SELECT clock.now, asked.number, asked.most - coalesce((
        SELECT sum(cost) FROM github_spending AS spent
        WHERE spent.account = :account AND spent.name = asked.name
        AND spent.at > clock.now - make_interval(secs => asked.seconds)
    ), 0) AS room
    FROM clock, unnest(CAST(:names AS text[]), CAST(:seconds AS float8[]), CAST(:most AS float8[]))
        WITH ORDINALITY AS asked (name, seconds, most, number)
    """
)
# The newest row that has to leave the window before what is left of it fits into `left`.
WAIT = text(
    """
    SELECT extract(epoch FROM max(at) - CAST(:now AS timestamptz)) + :seconds FROM (
        SELECT at, sum(cost) OVER (ORDER BY at DESC, id DESC) AS since FROM github_spending
        WHERE account = :account AND name = :name AND at > :now - make_interval(secs => :seconds)
    ) AS spent WHERE since > :left
    """
)
SPEND = text(
    "INSERT INTO github_spending (account, name, at, cost) "
    "VALUES (:account, :name, coalesce(CAST(:now AS timestamptz), clock_timestamp()), :cost) RETURNING id"
)
PRUNE = text(
    "DELETE FROM github_spending "
    "WHERE account = :account AND name = :name AND at < clock_timestamp() - make_interval(secs => :kept)"
)


class PostgresBudget:
    """The BudgetStore port on PostgreSQL, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Spend the costs if every window has room for them, and return 0; else the seconds to wait.

        ValueError for a window of more than an hour.
        """
        if any(window.seconds > KEPT_SECONDS for window in windows):
            raise ValueError("spending is remembered for an hour: no window can be longer")
        with self.database.begin() as connection:
            connection.execute(LOCK, {"key": lock_key("budget", account)})
            wait, now = _look(connection, account, costs, windows)
            if wait == 0:
                _spend(connection, account, costs, now)
            return wait

    def wait(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """The seconds until every window has room for the costs, 0 if it has."""
        with self.database.once() as connection:
            return _look(connection, account, costs, windows)[0]

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        """Something was sent without asking."""
        with self.database.begin() as connection:
            _spend(connection, account, costs, None)


def _look(
    connection: Connection, account: str, costs: Mapping[str, float], windows: Sequence[Window]
) -> tuple[float, datetime | None]:
    """The seconds until all windows have room, 0 if they do; and the time at which that was seen."""
    asked = {
        "account": account,
        "names": [window.name for window in windows],
        "seconds": [window.seconds for window in windows],
        "most": [window.most for window in windows],
    }
    wait, now = 0.0, None
    for row in connection.execute(ROOM, asked).all():
        window, now = windows[row.number - 1], row.now
        cost = costs.get(window.name, 0.0)
        if cost > 0 and row.room < cost:
            wait = max(wait, _wait(connection, account, window, cost, now))
    return wait, now


def _wait(connection: Connection, account: str, window: Window, cost: float, now: datetime) -> float:
    """The seconds until that window has room for the cost; its whole length if it never will."""
    window_now = {"account": account, "name": window.name, "seconds": window.seconds, "now": now}
    seconds = connection.execute(WAIT, window_now | {"left": window.most - cost}).scalar()
    if seconds is None or cost > window.most:
        return window.seconds
    return max(float(seconds), 0.001)


def _spend(connection: Connection, account: str, costs: Mapping[str, float], now: datetime | None) -> None:
    for name, cost in costs.items():
        if cost:
            what = {"account": account, "name": name}
            number = connection.execute(SPEND, what | {"now": now, "cost": cost}).scalar_one()
            if number % PRUNED_EVERY == 0:
                connection.execute(PRUNE, what | {"kept": KEPT_SECONDS})
