"""Databases, to which a story does what otherwise only time would do."""

from __future__ import annotations

from sqlalchemy import NullPool, create_engine, text


def changed(url: str, statement: str, **values: object) -> int:
    """Run one statement and return how many rows it changed."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        return connection.execute(text(statement), values).rowcount
