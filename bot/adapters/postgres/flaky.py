"""Which tests failed and passed at the same commit."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.models import FlakyTest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from bot.models import Run

# `tried` are all tries of the runs' steps at their commits, `own` the run's last one of the step. A test that
# `failed` by then is flaky if it did not fail `again` in each complete try after its first failure of as many
# tests: one that stopped early may not have come to it. `of_late` are the step's newest tries by then at any
# commit, so that what is said about a run does not change with every run of others.
FLAKY = text(
    """
    WITH asked AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:repositories AS bigint[]), CAST(:contexts AS text[]),
            CAST(:heads AS text[])
        ) AS asked (of_run, repository_id, context, head_sha)
    ),
    tried AS MATERIALIZED (
        SELECT of_run, repository_id, context, step, id, total, complete,
            max(id) FILTER (WHERE run_id = of_run) OVER (PARTITION BY of_run, step) AS own
        FROM asked JOIN test_suites USING (repository_id, context, head_sha)
    ),
    failed AS MATERIALIZED (
        SELECT tried.*, name, recovered FROM tried JOIN test_failures ON suite_id = id
    ),
    first AS MATERIALIZED (
        SELECT of_run, repository_id, context, step, own, name, min(id) AS id,
            (array_agg(total ORDER BY id))[1] AS total, bool_or(recovered) AS recovered
        FROM failed WHERE id <= own GROUP BY of_run, repository_id, context, step, own, name
    ),
    again AS (
        SELECT of_run, step, name, count(*) AS times
        FROM failed JOIN first USING (of_run, step, name)
        WHERE failed.id > first.id AND failed.total >= first.total AND failed.complete
        AND NOT failed.recovered
        GROUP BY of_run, step, name
    ),
    flaky AS MATERIALIZED (
        SELECT first.* FROM first LEFT JOIN again USING (of_run, step, name)
        WHERE recovered OR coalesce(times, 0) < (
            SELECT count(*) FROM tried
            WHERE tried.of_run = first.of_run AND tried.step = first.step
            AND tried.id > first.id AND tried.total >= first.total AND tried.complete
        )
    ),
    of_late AS MATERIALIZED (
        SELECT of_run, step, newest.id
        FROM (SELECT DISTINCT of_run, repository_id, context, step, own FROM flaky) AS steps
        CROSS JOIN LATERAL (
            SELECT id FROM test_suites AS suite
            WHERE suite.repository_id = steps.repository_id AND suite.context = steps.context
            AND suite.step = steps.step AND suite.id <= steps.own
            ORDER BY id DESC LIMIT 50
        ) AS newest
    ),
    runs AS (
        SELECT of_run, step, count(*) AS runs FROM of_late GROUP BY 1, 2
    ),
    failures AS (
        SELECT of_run, step, name, count(*) AS failed
        FROM of_late JOIN test_failures ON suite_id = id GROUP BY 1, 2, 3
    )
    SELECT of_run, step, name, coalesce(failed, 0) AS failed, runs
    FROM flaky JOIN runs USING (of_run, step)
    LEFT JOIN failures USING (of_run, step, name)
    ORDER BY step, name
    """
)


def flaky_tests(connection: Connection, runs: Sequence[Run]) -> Mapping[str, Sequence[FlakyTest]]:
    """By the run's id: tests that failed by its end, and did not in a later complete try at its commit.

    Alike are tries of one step of one context. Tests that passed in the end of a try are among them.
    """
    alike = {run.id: run for run in runs}
    asked = {
        "ids": list(alike),
        "repositories": [run.repository.id for run in alike.values()],
        "contexts": [run.context for run in alike.values()],
        "heads": [run.head_sha for run in alike.values()],
    }
    found: dict[str, list[FlakyTest]] = defaultdict(list)
    for row in connection.execute(FLAKY, asked):
        found[row.of_run].append(FlakyTest(row.step, row.name, row.failed, row.runs))
    return found
