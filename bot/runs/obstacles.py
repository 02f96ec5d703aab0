"""Why a run in Airflow does not go on, in words that say what to do."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused, AirflowUnavailable
from bot.metrics import LOOP_ERRORS
from bot.models import DagRunState, StepState
from bot.runs.words import WAITS, at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.models import Conditions, DagCondition, DagRun, Pool, Run, Step
    from bot.ports import ConditionReader

PATIENCE = timedelta(minutes=1)
"""Without progress, before anybody looks why."""

log = logging.getLogger(__name__)


class Obstacles:
    """Why runs stand still, asked of Airflow only where some do."""

    def __init__(self, reader: ConditionReader) -> None:
        self._reader = reader

    def look(self, runs: Iterable[tuple[Run, DagRun | None]], now: datetime) -> Mapping[str, str]:
        """What keeps each run that stands still from going on, by its id; empty if Airflow does not say."""
        try:
            return self._said(runs, now)
        except (AirflowUnavailable, AirflowRefused) as error:
            log.info("why runs stand still can't be said for now: %s", error)
        except Exception:  # to say why is a kindness, and following the runs is not
            log.exception("why runs stand still can't be said: an error that nobody expected")
            LOOP_ERRORS.labels("run").inc()
        return {}

    def _said(self, runs: Iterable[tuple[Run, DagRun | None]], now: datetime) -> Mapping[str, str]:
        still = [(run, there) for run, there in runs if there is not None and stands_still(run, there, now)]
        if not still:
            return {}
        conditions = self._reader.conditions({run.dag_id for run, _ in still})
        return {run.id: obstacle(run, there, conditions, now) for run, there in still}


def stands_still(run: Run, there: DagRun, now: datetime) -> bool:
    """Whether nothing has happened in the run for about a minute, and nothing is at work in it."""
    if there.state.finished or any(map(_works, there.steps)):
        return False
    times = [run.asked_at, there.started_at]
    times += [time for step in there.steps for time in (step.started_at, step.ended_at)]
    return now - max(time for time in times if time is not None) >= PATIENCE


def obstacle(run: Run, there: DagRun, conditions: Conditions, now: datetime) -> str:
    """What keeps a run that stands still from going on, empty where nothing is known."""
    dag = conditions.dags.get(run.dag_id)
    if dag is not None and (said := _of_dag(run.dag_id, dag)):
        return WAITS + said
    if conditions.scheduler_silent_since is not None:
        heard = at(conditions.scheduler_silent_since, now)
        return f"{WAITS}Airflow's scheduler has not been heard of since {heard}: start it"
    if there.state is DagRunState.QUEUED:
        return _of_queue(run.dag_id, dag)
    return next(_of_steps(_next(there.steps, dag), dag, conditions.pools), "") if dag is not None else ""


def _works(step: Step) -> bool:
    """Whether a process is at work in the step; one that looks again later has ended for now."""
    return step.state is StepState.RUNNING and step.ended_at is None


def _of_dag(dag_id: str, dag: DagCondition) -> str:
    if dag.import_error:
        return f"DAG '{dag_id}' can't be imported any more: see Airflow's import errors"
    if dag.gone:
        return f"DAG '{dag_id}' is gone from Airflow: deploy its file again"
    return f"DAG '{dag_id}' is paused: unpause it in Airflow" if dag.paused else ""


def _of_queue(dag_id: str, dag: DagCondition | None) -> str:
    """A scheduler that is well leaves a run queued for one reason."""
    if dag is None or dag.most_runs is None:
        return ""
    return f"waits for its turn in Airflow, which runs {dag.most_runs} of DAG '{dag_id}' at once"


def _next(steps: Sequence[Step], dag: DagCondition) -> list[Step]:
    """The steps that could start: all before them has ended."""
    going = {step.task_id for step in steps if not step.state.finished}
    return [
        step
        for step in steps
        if step.state is StepState.WAITING and going.isdisjoint(dag.before.get(step.task_id, ()))
    ]


def _of_steps(waiting: Sequence[Step], dag: DagCondition, pools: Mapping[str, Pool]) -> Iterator[str]:
    """What they wait for, what has to be mended first."""
    wanted = [(step, dag.pools.get(step.task_id, "")) for step in waiting]
    for step, name in wanted:
        if pools and name and name not in pools:
            yield f"{WAITS}step '{step.name}' needs pool '{name}', which does not exist: create it in Airflow"
    for _, name in wanted:
        pool = pools.get(name)
        if pool is not None and pool.slots == 0:
            yield f"waits for pool '{name}', which has no slots: give it some in Airflow"
        elif pool is not None and pool.slots > 0 >= pool.free:
            yield f"waits for a place in pool '{name}' ({pool.slots - pool.free} of {pool.slots} taken)"
    for step, _ in wanted:
        yield f"waits for a worker of Airflow to start step '{step.name}'"
