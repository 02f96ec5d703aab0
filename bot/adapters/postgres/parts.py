"""The PartStore port on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from bot.adapters.postgres.tables import delivery_parts

if TYPE_CHECKING:
    from bot.adapters.postgres.database import Database


class PostgresParts:
    """Parts of deliveries, each a row until all are there; old ones are pruned."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, whole: str, part: int, parts: int, data: bytes) -> bytes | None:
        """Keep a part; all of what is called `whole` once none is missing any more.

        Each is committed before the others are looked at: of two workers that bring the last two parts at
        once, one at least sees all.
        """
        row = {"id": whole, "part": part, "parts": parts, "body": data}
        of_it = delivery_parts.c.id == whole
        with self.database.once() as connection:
            connection.execute(insert(delivery_parts).values(row).on_conflict_do_nothing())
            # One statement sees one state: another worker may forget them all at any moment.
            there = select(func.count()).where(of_it).scalar_subquery()
            found = connection.execute(
                select(delivery_parts.c.body).where(of_it, there >= parts).order_by(delivery_parts.c.part)
            )
            bodies = found.scalars().all()
            return b"".join(bodies) if bodies else None

    def forget(self, whole: str) -> None:
        """It is stored as one now."""
        with self.database.once() as connection:
            connection.execute(delete(delivery_parts).where(delivery_parts.c.id == whole))
