"""What commands do that a person types."""

from __future__ import annotations

from bot.adapters.postgres import (
    Database,
)


def migrate(database_url: str) -> None:
    """Bring the database's schema up to date."""
    Database(database_url, pool_size=1).migrate()
