"""Which tickets were used, by whom."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.rows import run_from
from bot.adapters.postgres.tables import runs, ticket_uses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.adapters.postgres.database import Database
    from bot.models import Run, TicketUse

PATIENCE_MS = 2000
"""How long a second exchange waits for the first one of the same try to end."""


class PostgresTickets:
    """The TicketStore port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        with self.database.once() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
        return None if row is None else run_from(row)

    @contextmanager
    def spend(self, use: TicketUse) -> Iterator[bool]:
        """Use the ticket up while the block goes on; see TicketStore.

        The row is the transaction's own until the block has ended: a crash, of ours or of the connection,
        takes it back.
        """
        used = {"run_id": use.run_id, "task_id": use.task_id, "try": use.try_number}
        statement = insert(ticket_uses).values(used).on_conflict_do_nothing().returning(ticket_uses.c.run_id)
        with self.database.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = {PATIENCE_MS}"))
            yield connection.execute(statement).one_or_none() is not None
