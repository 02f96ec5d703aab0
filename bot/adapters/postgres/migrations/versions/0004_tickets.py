"""Which tickets of private repositories were used.

Only a table is added: the version before goes on working beside this one.

Revision ID: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = """
CREATE TABLE ticket_uses (
    run_id text NOT NULL,
    task_id text NOT NULL,
    try integer NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, task_id, try)
)
"""


def upgrade() -> None:
    """Add what is new."""
    op.execute(TABLE)


def downgrade() -> None:
    """Forget what only this version knows."""
    op.execute("DROP TABLE ticket_uses")
