"""DAGs whose runs fail, or are stopped, and are resumed: what breaks at its first try is well at the second.

`tests/adapters/airflow_resume_plays.py` tells the same stories to the fake.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import cast

from airflow.sdk import DAG, BaseOperator, XComArg, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

TAGS = ["preflight", "contract"]


def is_first_try() -> bool:
    return bool(get_current_context()["ti"].try_number == 1)


def passed() -> None:
    get_current_context()["ti"].xcom_push("preflight", {"exit_code": 0})


@task
def fine() -> None:
    passed()


@task
def flaky() -> None:
    if is_first_try():
        raise ValueError("not this time")
    passed()


@task
def slow() -> None:
    if is_first_try():
        time.sleep(120)
    passed()


def setup(of: XComArg) -> BaseOperator:
    """The task as a setup; Airflow's own annotation says less than what it returns."""
    return cast("BaseOperator", of.as_setup())


@task
def names() -> list[str]:
    passed()
    return ["good", "bad", "quick"]


with DAG("resume_linear", schedule=None, tags=TAGS):
    (
        fine.override(task_id="first")()
        >> flaky()
        >> fine.override(task_id="next")()
        >> fine.override(task_id="last")()
    )


with DAG("resume_mapped", schedule=None, tags=TAGS):

    @task(map_index_template="{{ name }}")
    def check(name: str) -> None:
        cast("dict[str, str]", get_current_context())["name"] = name
        if name == "bad" and is_first_try():
            raise ValueError(name)
        passed()

    check.expand(name=names()) >> fine.override(task_id="report")()


with DAG("resume_unmapped", schedule=None, tags=TAGS):

    @task
    def flaky_names() -> list[str]:
        if is_first_try():
            raise ValueError("so nothing can be mapped over it")
        return ["one", "two"]

    @task
    def one_of(name: str) -> None:
        passed()

    one_of.expand(name=flaky_names())


with DAG("resume_scoped", schedule=None, tags=TAGS):
    # An outer scope around an inner one, and a leaf that always runs and judges.
    outer = setup(fine.override(task_id="outer")())
    inner = setup(fine.override(task_id="inner")())
    beside = fine.override(task_id="beside")()
    broken = flaky()
    end_inner = fine.override(task_id="end_inner")().as_teardown(setups=inner)
    end_outer = fine.override(task_id="end_outer")().as_teardown(setups=outer)
    judge = fine.override(task_id="judge", trigger_rule="all_done")()
    outer >> inner >> broken >> end_inner >> end_outer
    outer >> beside >> end_outer
    [broken, beside] >> judge
    fine.override(task_id="apart")()


with DAG("resume_teardown", schedule=None, tags=TAGS):
    begin = setup(fine.override(task_id="begin")())
    begin >> fine.override(task_id="work")() >> flaky.override(task_id="end")().as_teardown(setups=begin)


with DAG("resume_setup", schedule=None, tags=TAGS):
    begin = setup(flaky.override(task_id="begin")())
    begin >> fine.override(task_id="work")() >> fine.override(task_id="end")().as_teardown(setups=begin)


with DAG("resume_branch", schedule=None, tags=TAGS):

    @task.branch
    def choose() -> str:
        return "left"

    @task.short_circuit
    def gate() -> bool:
        return False

    @task
    def excused() -> None:
        raise AirflowSkipException

    left, right = fine.override(task_id="left")(), fine.override(task_id="right")()
    choose() >> [left, right] >> fine.override(task_id="join", trigger_rule="none_failed")()
    (
        gate()
        >> fine.override(task_id="gated")()
        >> fine.override(task_id="gated_end", trigger_rule="all_done")()
    )
    excused() >> fine.override(task_id="excused_end", trigger_rule="none_failed")()
    flaky() >> fine.override(task_id="last")()


with DAG("resume_stopped", schedule=None, tags=TAGS):

    @task(map_index_template="{{ name }}")
    def part(name: str) -> None:
        cast("dict[str, str]", get_current_context())["name"] = name
        if name == "bad" and is_first_try():
            print("going to sleep", flush=True)  # noqa: T201 - what a step prints is its log
            time.sleep(120)
        passed()

    begin = setup(fine.override(task_id="begin")())
    end = fine.override(task_id="end")().as_teardown(setups=begin)
    begin >> part.expand(name=names()) >> fine.override(task_id="after")() >> end


with DAG("resume_group", schedule=None, tags=TAGS):
    # Cancelled while the second step of one pair runs: both steps of the other pair have passed.
    from airflow.sdk import task_group

    @task
    def opening(name: str) -> str:
        passed()
        return name

    @task
    def closing(name: str) -> None:
        if name == "bad" and is_first_try():
            time.sleep(120)
        passed()

    @task_group
    def pair(name: str) -> None:
        closing(cast("str", opening(name)))

    pair.expand(name=names())


with DAG("resume_timed_out", schedule=None, tags=TAGS, dagrun_timeout=timedelta(seconds=20)):
    fine.override(task_id="first")() >> slow() >> fine.override(task_id="last")()
