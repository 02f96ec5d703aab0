"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE deliveries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    event text NOT NULL,
    lane text NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'working', 'done', 'ignored', 'parked')),
    tries integer NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_owner bigint,
    lease_until timestamptz,
    token text
);
-- One delivery of a lane at a time is the database's own promise, whatever the workers do.
CREATE UNIQUE INDEX deliveries_one_per_lane ON deliveries (lane) WHERE state = 'working';
CREATE INDEX deliveries_queued ON deliveries (seq) WHERE state = 'queued';
CREATE INDEX deliveries_parked ON deliveries (seq) WHERE state = 'parked';

CREATE TABLE pull_requests (
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    full_name text NOT NULL,
    private boolean NOT NULL,
    open boolean NOT NULL,
    head_sha text NOT NULL,
    notice text NOT NULL DEFAULT '',
    comment_id bigint,
    comment_digest text NOT NULL DEFAULT '',
    comment_search boolean NOT NULL,
    comment_sent_at timestamptz,
    version bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    due_at timestamptz,
    lease_owner bigint,
    lease_until timestamptz,
    PRIMARY KEY (repository_id, number)
);
CREATE INDEX pull_requests_by_head ON pull_requests (repository_id, head_sha);
CREATE INDEX pull_requests_due ON pull_requests (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pull_requests_leased ON pull_requests (lease_owner) WHERE lease_owner IS NOT NULL;

CREATE TABLE heads (
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    sha text NOT NULL,
    pusher text,
    settled boolean NOT NULL DEFAULT true,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, number, sha)
);
CREATE INDEX heads_unsettled ON heads (repository_id, number) WHERE NOT settled;

CREATE TABLE runs (
    id text PRIMARY KEY,
    repository_id bigint NOT NULL,
    full_name text NOT NULL,
    private boolean NOT NULL,
    clone_url text NOT NULL,
    number integer NOT NULL,
    pipeline text NOT NULL,
    dag_id text NOT NULL,
    dag_run_id text UNIQUE,
    head_sha text NOT NULL,
    base_ref text NOT NULL,
    attempt integer NOT NULL,
    actor text NOT NULL,
    dryrun boolean NOT NULL,
    conf jsonb NOT NULL,
    phase text NOT NULL CHECK (phase IN ('wanted', 'active', 'finished')),
    cancel text,
    cancel_kind text,
    cancel_sent boolean NOT NULL DEFAULT false,
    note text NOT NULL DEFAULT '',
    outcome text,
    reason text NOT NULL DEFAULT '',
    steps jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    nudged_at timestamptz,
    version bigint NOT NULL DEFAULT 0,
    due_at timestamptz,
    lease_owner bigint,
    lease_until timestamptz,
    UNIQUE (repository_id, number, pipeline, head_sha, attempt),
    CHECK ((phase = 'finished') = (outcome IS NOT NULL))
);
CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX runs_leased ON runs (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX runs_unfinished ON runs (repository_id, number) WHERE phase <> 'finished';

CREATE TABLE verdicts (
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    head_sha text NOT NULL,
    context text NOT NULL,
    pipeline text NOT NULL,
    run_id text REFERENCES runs (id),
    state text,
    description text,
    PRIMARY KEY (repository_id, number, head_sha, context),
    CHECK ((run_id IS NULL) = (state IS NOT NULL AND description IS NOT NULL))
);
CREATE INDEX verdicts_by_head ON verdicts (repository_id, head_sha);

CREATE TABLE shown_statuses (
    repository_id bigint NOT NULL,
    sha text NOT NULL,
    context text NOT NULL,
    state text NOT NULL,
    description text NOT NULL,
    target_url text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, sha, context)
);

CREATE TABLE replies (
    repository_id bigint NOT NULL,
    comment_id bigint NOT NULL,
    number integer NOT NULL,
    delivery_id text NOT NULL,
    text text NOT NULL,
    reacted boolean NOT NULL DEFAULT false,
    attempted boolean NOT NULL DEFAULT false,
    done boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, comment_id)
);
CREATE INDEX replies_pending ON replies (repository_id, number) WHERE NOT done;

CREATE TABLE decisions (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL,
    number integer NOT NULL,
    delivery_id text NOT NULL,
    actor text NOT NULL,
    head_sha text NOT NULL,
    reason text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX decisions_by_pull_request ON decisions (repository_id, number, seq);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """There is nothing older."""
    op.execute(
        "DROP TABLE decisions, replies, shown_statuses, verdicts, runs, heads, pull_requests, deliveries"
    )
