"""Something in Airflow keeps a run from going on: the pull request says what, and what to do about it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.stories.pulls import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.airflow_view import AirflowView
    from tests.stories.conftest import MakeRepository
    from tests.stories.pulls import StoryRepository

SCHEDULER_STARTS_SECONDS = 180.0
MINUTE = timedelta(minutes=1)

UNIT, DOCS = "preflight/unit", "preflight/docs"
POOL = "nobody made this pool"


@contextmanager
def with_pool(airflow: AirflowView, name: str) -> Iterator[None]:
    airflow.make_pool(name, slots=1)
    try:
        yield
    finally:
        airflow.delete_pool(name)


@contextmanager
def without_scheduler(airflow: AirflowView) -> Iterator[None]:
    airflow.local.kill_scheduler()
    try:
        yield
    finally:
        airflow.local.start_scheduler()


@contextmanager
def paused(airflow: AirflowView, dag_id: str) -> Iterator[None]:
    airflow.pause(dag_id, paused=True)
    try:
        yield
    finally:
        airflow.pause(dag_id, paused=False)


def go_by(repository: StoryRepository, time: timedelta) -> None:
    """So much time goes by without progress: all that its runs did so far was so much earlier."""
    for run in repository.dag_runs():
        repository.airflow.age(run, time)
    repository.bot.change(
        "UPDATE runs SET created_at = created_at - :by, due_at = due_at - :by WHERE phase <> 'finished'",
        by=time,
    )


def test_a_pool_is_missing(repository_with: MakeRepository, airflow: AirflowView) -> None:
    repository = repository_with({"unit": {"dag": "contract_stuck"}})
    pull = repository.opened()
    pull.expect_status(UNIT, "pending", "1/2 steps passed", hurried=True)
    go_by(repository, MINUTE)
    said = f"waits: step 'stuck' needs pool '{POOL}', which does not exist: create it in Airflow"
    pull.expect_status(UNIT, "pending", said, hurried=True)
    pull.expect_comment("needs pool", "which does not exist")
    with with_pool(airflow, POOL):
        pull.expect_status(UNIT, "success", "2 steps passed")
    pull.expect_history(UNIT, "pending", "success")
    assert "does not exist" not in pull.expect_comment("2 steps passed")


def test_the_scheduler_is_down_and_a_dag_is_paused_in_the_middle(
    repository_with: MakeRepository, airflow: AirflowView
) -> None:
    pipelines = {
        "unit": checks(test="echo done"),
        "docs": {"dag": "contract_quick", "timeout": "10m30s"},
    }
    repository = repository_with(pipelines)
    with without_scheduler(airflow):
        pull = repository.opened()
        pull.expect_status(DOCS, "pending", "0/3 steps passed", hurried=True)
        with paused(airflow, "contract_quick"):
            airflow.age_scheduler(MINUTE)
            pull.bot.crash("worker")  # which may remember for a minute that the scheduler was well
            go_by(repository, MINUTE)
            heard = "waits: Airflow's scheduler has not been heard of since"
            pull.expect_status(UNIT, "pending", heard, hurried=True)
            why = "DAG 'contract_quick' is paused: unpause it in Airflow"
            pull.expect_status(DOCS, "pending", f"waits: {why}", hurried=True)
            go_by(repository, 10 * MINUTE)
            pull.expect_status(DOCS, "failure", f"timed out after 10m30s: {why}")
    pull.expect_status(UNIT, "success", seconds=SCHEDULER_STARTS_SECONDS)
    pull.expect_comment("timed out after 10m30s", "is paused")
    pull.says("/retest")
    pull.expect_status(DOCS, "success", "3 steps passed")


def test_somebody_clears_a_step_after_the_end(repository_with: MakeRepository, airflow: AirflowView) -> None:
    repository = repository_with({"unit": checks(test="echo done")})
    pull = repository.opened()
    pull.expect_status(UNIT, "success")
    (run,) = repository.dag_runs()
    airflow.clear(run)
    pull.expect_status(UNIT, "pending")
    pull.expect_status(UNIT, "success")
    pull.expect_history(UNIT, "pending", "success", "pending", "success")
    assert set(airflow.tries(run).values()) == {2}
