"""Up to when nothing was missed, and parts of deliveries too large for one message.

Only tables are added: the version before goes on working beside this one.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = (
    """
    CREATE TABLE marks (
        name text PRIMARY KEY,
        at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE delivery_parts (
        id text NOT NULL,
        part integer NOT NULL,
        parts integer NOT NULL,
        body bytea NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (id, part)
    )
    """,
)


def upgrade() -> None:
    """Add what is new."""
    for table in TABLES:
        op.execute(table)


def downgrade() -> None:
    """Forget what only this version knows."""
    for table in ("delivery_parts", "marks"):
        op.execute(f"DROP TABLE {table}")
