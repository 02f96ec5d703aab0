"""How repositories want to be told, check runs, test history, budgets, archives, and lists of a long history.

Only tables, columns with defaults and indexes are added: the version before goes on working beside this one.

Revision ID: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
ALTER TABLE pull_requests
    ADD COLUMN report_statuses text NOT NULL DEFAULT 'pipeline',
    ADD COLUMN report_as text NOT NULL DEFAULT 'statuses',
    ADD COLUMN comment_failing jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN comment_posted_for text NOT NULL DEFAULT '',
    ADD COLUMN comment_old_id bigint;
CREATE INDEX pull_requests_private ON pull_requests (repository_id, private);

ALTER TABLE shown_statuses
    ADD COLUMN times integer NOT NULL DEFAULT 1;

CREATE TABLE shown_checks (
    repository_id bigint NOT NULL,
    sha text NOT NULL,
    name text NOT NULL,
    external_id text NOT NULL,
    check_id bigint,
    digest text NOT NULL,
    sent_at timestamptz NOT NULL,
    annotated integer NOT NULL,
    annotating boolean NOT NULL,
    completed boolean NOT NULL,
    PRIMARY KEY (repository_id, sha, name)
);

-- A version before may have missed that a repository became private.
UPDATE runs SET private = true
WHERE NOT private AND repository_id IN (
    SELECT repository_id FROM runs WHERE private UNION SELECT repository_id FROM pull_requests WHERE private
);
"""

# Lists filter by what follows from the other columns, whichever version wrote those.
LISTS = """
ALTER TABLE runs
    ADD COLUMN archive_due_at timestamptz,
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN state text GENERATED ALWAYS AS (coalesce(outcome, 'unfinished')) STORED,
    ADD COLUMN kind text GENERATED ALWAYS AS (
        CASE WHEN number > 0 THEN 'pull' WHEN branch = base_ref THEN 'push' ELSE 'group' END
    ) STORED,
    ADD COLUMN audience bigint GENERATED ALWAYS AS (CASE WHEN private THEN repository_id ELSE 0 END) STORED,
    ADD COLUMN repository_key text GENERATED ALWAYS AS (lower(full_name)) STORED,
    ADD COLUMN author text GENERATED ALWAYS AS (
        left(coalesce(nullif(conf #>> '{preflight,untrusted,author}', ''), actor), 100)
    ) STORED;
CREATE INDEX runs_to_archive ON runs (archive_due_at) WHERE archive_due_at IS NOT NULL;
CREATE UNIQUE INDEX runs_by_seq ON runs (seq);
CREATE INDEX runs_of_subject ON runs (repository_id, number, seq, pipeline);
CREATE INDEX runs_like_it ON runs (repository_id, pipeline, base_ref, kind, seq)
    WHERE outcome = 'success' AND NOT dryrun AND inputs::text = '{}'
    AND resumed_at IS NULL AND started_at IS NOT NULL AND finished_at IS NOT NULL;
CREATE INDEX runs_on_branches ON runs (repository_key, base_ref, pipeline, kind, seq)
    WHERE kind <> 'pull' AND outcome IS NOT NULL AND outcome <> 'cancelled'
    AND NOT dryrun AND inputs::text = '{}';
-- What stands behind `seq` lets a list with more than one filter skip runs without reading them.
CREATE INDEX runs_listed ON runs (audience, seq);
CREATE INDEX runs_of_repository ON runs (repository_key, audience, seq, pipeline, state, lower(author));
CREATE INDEX runs_of_number ON runs (number, audience, seq, repository_key, pipeline, state);
CREATE INDEX runs_of_pipeline ON runs (audience, pipeline, seq, state, lower(author));
CREATE INDEX runs_of_state ON runs (audience, state, seq, lower(author));
CREATE INDEX runs_of_author ON runs (audience, lower(author), seq);
-- They are counted for the metrics.
CREATE INDEX deliveries_finished ON deliveries (state) WHERE state IN ('done', 'ignored');
"""

HISTORY = """
CREATE TABLE test_suites (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL,
    context text NOT NULL,
    step text NOT NULL,
    run_id text NOT NULL,
    try integer NOT NULL,
    head_sha text NOT NULL,
    total integer NOT NULL,
    complete boolean NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (run_id, step, try)
);
CREATE INDEX test_suites_of_step ON test_suites (repository_id, context, step, id);
CREATE INDEX test_suites_of_head ON test_suites (repository_id, head_sha, context);

CREATE TABLE test_failures (
    suite_id bigint NOT NULL REFERENCES test_suites (id) ON DELETE CASCADE,
    name text NOT NULL,
    recovered boolean NOT NULL
);
CREATE INDEX test_failures_of_suite ON test_failures (suite_id);

CREATE TABLE github_spending (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    name text NOT NULL,
    at timestamptz NOT NULL,
    cost double precision NOT NULL
);
CREATE INDEX github_spending_of_late ON github_spending (account, name, at) INCLUDE (cost);
"""

NO_MORE = """
DROP TABLE github_spending, test_failures, test_suites, shown_checks;
DROP INDEX deliveries_finished, runs_to_archive, runs_by_seq, runs_of_subject, runs_like_it, runs_on_branches,
    runs_listed, runs_of_repository, runs_of_number, runs_of_pipeline, runs_of_state, runs_of_author,
    pull_requests_private;
ALTER TABLE runs
    DROP COLUMN archive_due_at, DROP COLUMN archived_at, DROP COLUMN state, DROP COLUMN kind,
    DROP COLUMN audience, DROP COLUMN repository_key, DROP COLUMN author;
ALTER TABLE shown_statuses DROP COLUMN times;
ALTER TABLE pull_requests
    DROP COLUMN report_statuses, DROP COLUMN report_as, DROP COLUMN comment_failing,
    DROP COLUMN comment_posted_for, DROP COLUMN comment_old_id;
"""


def upgrade() -> None:
    """Add what is new."""
    op.execute(TABLES)
    op.execute(LISTS)
    op.execute(HISTORY)


def downgrade() -> None:
    """Forget what only this version knows."""
    op.execute(NO_MORE)
