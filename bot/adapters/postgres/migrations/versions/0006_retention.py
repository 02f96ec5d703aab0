"""Finds finished runs by their age, for what is no longer kept.

Only an index is added: the version before goes on working beside this one.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what is new."""
    op.execute("CREATE INDEX runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL")


def downgrade() -> None:
    """Forget what only this version knows."""
    op.execute("DROP INDEX runs_finished")
