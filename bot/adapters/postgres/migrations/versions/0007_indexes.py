"""Indexes: of what shows a run, else forgetting one reads all verdicts; and of the deliveries of a lane.

Only indexes are added: the version before goes on working beside this one.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what is new."""
    op.execute("CREATE INDEX verdicts_of_run ON verdicts (run_id) WHERE run_id IS NOT NULL")
    op.execute("CREATE INDEX deliveries_of_lane ON deliveries (lane, seq) WHERE state = 'queued'")


def downgrade() -> None:
    """Forget what only this version knows."""
    op.execute("DROP INDEX deliveries_of_lane")
    op.execute("DROP INDEX verdicts_of_run")
