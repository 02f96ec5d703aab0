"""A long history, made in the database itself: as many runs as a busy organisation has in a year, in seconds.

Skewed as life is: of 50 repositories every fifth is private, half of the runs are of one, another is asleep,
and errors are rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.examples import branch

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

MAIN = branch("main").number

RUNS = """
INSERT INTO runs (id, repository_id, full_name, private, clone_url, number, branch, pipeline, dag_id,
    head_sha, base_ref, attempt, actor, dryrun, conf, rules, phase, outcome, steps,
    created_at, started_at, finished_at)
SELECT md5(n::text), repo, 'acme/App-' || repo, repo % 5 = 0, 'https://github.example/acme/App.git',
    CASE WHEN n % 10 = 0 THEN :main ELSE 1 + n % 20000 END, CASE WHEN n % 10 = 0 THEN 'main' ELSE '' END,
    'pipeline-' || n % 19, 'checks', lpad(to_hex(n / 19), 40, '0'), 'main', n, 'actor-' || n % 7, false,
    jsonb_build_object('PULL_BASE_SHA', md5(n::text), 'preflight', jsonb_build_object(
        'untrusted', jsonb_build_object('author', 'Author-' || n % 200, 'title', repeat('title ', 40)))),
    '{}', 'finished', CASE WHEN n % 500 = 8 THEN 'error' ELSE (ARRAY['success', 'success', 'success',
        'success', 'success', 'success', 'failure', 'failure', 'cancelled', 'timed_out'])[1 + n / 7 % 10] END,
    jsonb_build_array(jsonb_build_object('task_id', 'run', 'map_index', -1, 'name', 'lint', 'state', 'failed',
        'try_number', 1, 'started_at', null, 'ended_at', null, 'result', null,
        'excerpt', jsonb_build_array(repeat('a line of a log ', 20)))),
    '2026-01-01'::timestamptz + n * interval '1 s', '2026-01-01'::timestamptz + n * interval '1 s',
    '2026-01-01'::timestamptz + n * interval '1 s' + (100 + n % 50) * interval '1 s'
FROM (
    SELECT n, CASE
        WHEN n % 2 = 0 THEN 1 WHEN n < :many / 10 THEN 1 + n / 2 % 50 ELSE 1 + n / 2 % 49
    END AS repo FROM generate_series(1, :many) AS n
) AS numbered
"""
PULLS = """
INSERT INTO pull_requests (repository_id, number, full_name, private, open, head_sha, comment_search)
SELECT DISTINCT ON (repository_id, number) repository_id, number, full_name, private, true, head_sha, false
FROM runs ORDER BY repository_id, number, seq DESC
"""


def fill(database: Database, many: int) -> None:
    """So many finished runs, and the pull requests and branches that they belong to."""
    with database.begin() as connection:
        connection.execute(text(RUNS), {"many": many, "main": MAIN})
        connection.execute(text(PULLS))
    with database.once() as connection:
        connection.execute(text("VACUUM ANALYZE"))
