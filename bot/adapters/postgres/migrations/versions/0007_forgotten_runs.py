"""Finds what shows a run, so that forgetting runs does not read all verdicts for each.

Only an index is added: the version before goes on working beside this one.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what is new."""
    op.execute("CREATE INDEX verdicts_of_run ON verdicts (run_id) WHERE run_id IS NOT NULL")


def downgrade() -> None:
    """Forget what only this version knows."""
    op.execute("DROP INDEX verdicts_of_run")
