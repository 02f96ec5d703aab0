"""The history of tests: which failed in which try of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.adapters.postgres.storable import StorableText
from bot.adapters.postgres.tables import test_failures, test_suites
from bot.models import StepState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from bot.models import Run, Step, TestResults

MOST_FAILURES = 100  # remembered of one try
JUDGED = (StepState.SUCCEEDED, StepState.FAILED)  # the others were cut short

# By the index on a step's suites: 200 entries are stepped over, and most times none is deleted.
FORGET = text(
    """
    DELETE FROM test_suites WHERE repository_id = :repository_id AND context = :context AND step = :step
    AND id <= (
        SELECT id FROM test_suites
        WHERE repository_id = :repository_id AND context = :context AND step = :step
        ORDER BY id DESC OFFSET 200 LIMIT 1
    )
    """
).bindparams(bindparam("step", type_=StorableText), bindparam("context", type_=StorableText))


def record_tests(connection: Connection, before: Run, run: Run) -> None:
    """Remember, once, the tests of each step's try that ended since `before`; not those of a dry run."""
    if run.dryrun:
        return
    known = {(step.key, step.try_number) for step, _ in _tested(before)}
    for step, tests in _tested(run):
        if (step.key, step.try_number) not in known:
            _record(connection, run, step, tests)


def _tested(run: Run) -> Iterator[tuple[Step, TestResults]]:
    for step in run.steps:
        if step.result is not None and step.result.tests is not None:
            yield step, step.result.tests


def _record(connection: Connection, run: Run, step: Step, tests: TestResults) -> None:
    of_step = {"repository_id": run.repository.id, "context": run.context, "step": step.name}
    suite = {
        "run_id": run.id,
        "try": step.try_number,
        "head_sha": run.head_sha,
        "total": tests.total,
        "complete": tests.complete and tests.total > 0 and step.state in JUDGED,
    }
    put = upsert(test_suites).values(of_step | suite).on_conflict_do_nothing().returning(test_suites.c.id)
    suite_id = connection.execute(put).scalar()
    if suite_id is None:
        return  # another step of that name was first
    recovered = dict.fromkeys(tests.flaky, True) | {failure.name: False for failure in tests.failures}
    failures = [
        {"suite_id": suite_id, "name": name, "recovered": recovered[name]}
        for name in sorted(recovered, key=recovered.__getitem__)[:MOST_FAILURES]
    ]
    if failures:
        connection.execute(insert(test_failures), failures)
    connection.execute(FORGET, of_step)
