"""Branches beside pull requests, rules that runs carry, approvals, overrides, dry runs.

Defaults suit what the version before writes while it still runs: its runs know no limits, so they are
admitted from the start.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
-- A branch's number is below zero and has 56 bits.
ALTER TABLE decisions
    ALTER COLUMN number TYPE bigint,
    ADD COLUMN kind text NOT NULL DEFAULT '',
    ADD COLUMN what text NOT NULL DEFAULT '';

ALTER TABLE replies
    ALTER COLUMN number TYPE bigint,
    ADD COLUMN posted_id bigint,
    ADD COLUMN digest text NOT NULL DEFAULT '';

ALTER TABLE runs
    ALTER COLUMN number TYPE bigint,
    ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN branch text NOT NULL DEFAULT '',
    ADD COLUMN comment_id bigint,
    ADD COLUMN inputs json NOT NULL DEFAULT '{}',
    ADD COLUMN rules jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN admitted boolean NOT NULL DEFAULT true,
    ADD COLUMN resumed_at timestamptz,
    DROP CONSTRAINT runs_phase_check,
    ADD CONSTRAINT runs_phase_check CHECK (phase IN ('wanted', 'resuming', 'active', 'finished'));
CREATE INDEX runs_waiting ON runs (seq) WHERE phase <> 'finished' AND NOT admitted AND cancel IS NULL;
CREATE INDEX runs_by_comment ON runs (repository_id, comment_id) WHERE comment_id IS NOT NULL;

-- An empty base: the version before did not remember it.
ALTER TABLE pull_requests
    ALTER COLUMN number TYPE bigint,
    ADD COLUMN base_ref text NOT NULL DEFAULT '',
    ADD COLUMN comment_policy text NOT NULL DEFAULT 'always';

ALTER TABLE verdicts
    ALTER COLUMN number TYPE bigint,
    ADD COLUMN override boolean NOT NULL DEFAULT false;
CREATE INDEX verdicts_broken ON verdicts (repository_id)
    WHERE context = 'preflight/config' AND state <> 'success';

ALTER TABLE heads
    ALTER COLUMN number TYPE bigint;

CREATE TABLE approvals (
    repository_id bigint NOT NULL,
    number bigint NOT NULL,
    sha text NOT NULL,
    actor text NOT NULL,
    approved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, number, sha)
);
"""

# Statements that a process of the version before has prepared break with their columns' types, on each
# connection for as long as it stands. So these connections end; that is survived at any time. 1886545254 is
# the lock of another `migrate` that waits for us.
NEW_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'preflight' AND datname = current_database() AND usename = current_user
  AND pid <> pg_backend_pid()
  AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 1886545254)
"""

NO_MORE = """
DROP TABLE approvals;
DELETE FROM verdicts WHERE number < 0;
DELETE FROM runs WHERE number < 0;
DELETE FROM heads WHERE number < 0;
DELETE FROM pull_requests WHERE number < 0;
DELETE FROM decisions WHERE number < 0;
UPDATE runs SET phase = 'active' WHERE phase = 'resuming';
UPDATE runs SET outcome = 'cancelled' WHERE outcome = 'timed_out';
UPDATE runs SET cancel_kind = 'push' WHERE cancel_kind IN ('draft', 'timeout');
DROP INDEX verdicts_broken, runs_by_comment, runs_waiting;
ALTER TABLE heads ALTER COLUMN number TYPE integer;
ALTER TABLE verdicts ALTER COLUMN number TYPE integer, DROP COLUMN override;
ALTER TABLE pull_requests ALTER COLUMN number TYPE integer, DROP COLUMN base_ref, DROP COLUMN comment_policy;
ALTER TABLE runs
    ALTER COLUMN number TYPE integer,
    DROP COLUMN seq, DROP COLUMN branch, DROP COLUMN comment_id, DROP COLUMN inputs, DROP COLUMN rules,
    DROP COLUMN admitted, DROP COLUMN resumed_at,
    DROP CONSTRAINT runs_phase_check,
    ADD CONSTRAINT runs_phase_check CHECK (phase IN ('wanted', 'active', 'finished'));
ALTER TABLE replies ALTER COLUMN number TYPE integer, DROP COLUMN posted_id, DROP COLUMN digest;
ALTER TABLE decisions ALTER COLUMN number TYPE integer, DROP COLUMN kind, DROP COLUMN what;
"""


def upgrade() -> None:
    """Widen the tables; all connections of before end."""
    op.execute(TABLES)
    op.execute(NEW_CONNECTIONS)


def downgrade() -> None:
    """Forget branches and what only this version knows."""
    op.execute(NO_MORE)
    op.execute(NEW_CONNECTIONS)
