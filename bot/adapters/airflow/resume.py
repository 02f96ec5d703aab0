"""Let a DAG run that has ended go on where it failed.

Airflow's own "clear only failed" is not enough: it leaves out what a cancel or a timeout skipped, tasks that
judged the failure (all_done), and the setup and teardown around what runs again. So the steps that are to
run again are chosen here and cleared by name, whatever their state; Airflow adds what comes after them, and
their setups and teardowns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.task_instance_api import TaskInstanceApi
from airflow_client.client.api.x_com_api import XComApi
from airflow_client.client.models.clear_task_instances_body import ClearTaskInstancesBody
from airflow_client.client.models.clear_task_instances_body_task_ids_inner import (
    ClearTaskInstancesBodyTaskIdsInner,
)
from airflow_client.client.models.dag_run_mutable_states import DagRunMutableStates
from airflow_client.client.models.dag_run_patch_body import DAGRunPatchBody
from airflow_client.client.models.patch_task_instance_body import PatchTaskInstanceBody
from airflow_client.client.models.task_instance_state import TaskInstanceState

from bot.adapters.airflow.session import Refusal
from bot.models import StepState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bot.adapters.airflow.graph import Graph
    from bot.adapters.airflow.session import Session
    from bot.models import DagRun, RunRef, Step

SKIP_KEY = "skipmixin_key"
"""The XCom by which a branch or short circuit tells whom it skips."""

_CONFLICT = 409
_MAX_BRANCHES = 100


def is_resumed(run: DagRun, known: Sequence[Step]) -> bool:
    """Whether the run goes on, or has gone on since its steps were `known`."""
    tries = {step.key: step.try_number for step in known}
    return not run.state.finished or any(
        step.try_number > tries.get(step.key, step.try_number) for step in run.steps
    )


def passed_before(run: DagRun, known: Sequence[Step]) -> list[Step]:
    """The steps that had passed when the run was cancelled, although Airflow calls them failed.

    It does so with all mapped steps of a task of which one was still running.
    """
    passed = _passed(known)
    return [s for s in run.steps if s.state is StepState.FAILED and (s.key, s.try_number) in passed]


def to_run_again(
    run: DagRun, known: Sequence[Step], graph: Graph, told_to_skip: Collection[str]
) -> list[Step]:
    """The steps that did not succeed, without those that are rightly skipped.

    A skipped step is rightly skipped if a branch said so, or if the run went on behind it; one that a cancel
    or a timeout skipped has nothing behind it that succeeded, but for teardowns. A setup that waits because
    a resumption was cut off does not count: all that it serves would run again with it.
    """
    passed = _passed(known)
    succeeded = {step.task_id for step in run.steps if step.state is StepState.SUCCEEDED} - graph.teardowns

    def counts(step: Step) -> bool:
        if step.task_id not in graph.following or (step.key, step.try_number) in passed:
            return False  # (a task that the DAG has no more can't run again)
        if step.state is StepState.SKIPPED:
            return step.task_id not in told_to_skip and succeeded.isdisjoint(graph.after(step.task_id))
        return step.state not in (StepState.SUCCEEDED, StepState.REMOVED)

    return [step for step in run.steps if counts(step)]


def _passed(known: Sequence[Step]) -> set[tuple[tuple[str, int], int]]:
    return {(step.key, step.try_number) for step in known if step.state is StepState.SUCCEEDED}


class Resumption:
    """Resumes DAG runs through Airflow's REST API."""

    def __init__(self, session: Session, xcom: Callable[[RunRef, Step, str], object]) -> None:
        self._session = session
        self._xcom = xcom
        self._dag_runs = DagRunApi(session.api)
        self._task_instances = TaskInstanceApi(session.api)
        self._xcoms = XComApi(session.api)

    def resume(self, ref: RunRef, run: DagRun, known: Sequence[Step], graph: Graph) -> None:
        """Do it, unless it was done already. Raises Refusal.

        Only the last call lets the run go on: cut off before, all may be repeated.
        """
        if is_resumed(run, known):
            return
        passed = passed_before(run, known)
        again = to_run_again(run, known, graph, self._told_to_skip(ref, run, graph))
        if passed:
            # Calling a step successful makes Airflow clear what failed behind it and let the run go on; so
            # that is cleared beforehand, and the steps are taken last to first.
            self._clear(ref, again, go=False)
            for step in reversed(passed):
                self._call_successful(ref, step)
        if again:
            self._clear(ref, again, go=True)
        else:
            self._go(ref)

    def _told_to_skip(self, ref: RunRef, run: DagRun, graph: Graph) -> set[str]:
        if not any(step.state is StepState.SKIPPED for step in run.steps):
            return set()
        answer = self._session.call(
            lambda options: self._xcoms.get_xcom_entries(
                dag_id=ref.dag_id,
                dag_run_id=ref.dag_run_id,
                task_id="~",
                xcom_key=SKIP_KEY,
                map_index=-1,  # what a mapped branch says Airflow obeys by itself
                limit=_MAX_BRANCHES,
                **options,
            )
        )
        branches = {entry.task_id for entry in answer.xcom_entries}
        told: set[str] = set()
        for step in run.steps:
            if step.task_id in branches and step.map_index < 0 and step.state is StepState.SUCCEEDED:
                told |= skipped_by(self._xcom(ref, step, SKIP_KEY), graph.following.get(step.task_id, ()))
        return told

    def _clear(self, ref: RunRef, steps: Sequence[Step], *, go: bool) -> None:
        if not steps:
            return
        body = ClearTaskInstancesBody(
            dag_run_id=ref.dag_run_id,
            task_ids=[_named(step) for step in steps],
            include_downstream=True,
            only_failed=False,
            reset_dag_runs=go,
            dry_run=False,
        )
        self._session.call(
            lambda options: self._task_instances.post_clear_task_instances(ref.dag_id, body, **options)
        )

    def _call_successful(self, ref: RunRef, step: Step) -> None:
        body = PatchTaskInstanceBody(new_state=TaskInstanceState.SUCCESS)
        try:
            self._session.call(
                lambda options: self._task_instances.patch_task_instance(
                    ref.dag_id, ref.dag_run_id, step.task_id, body, map_index=step.map_index, **options
                )
            )
        except Refusal as refusal:
            if refusal.status != _CONFLICT:  # it is called so already
                raise

    def _go(self, ref: RunRef) -> None:
        """Let Airflow judge the run anew: every step of it has passed."""
        body = DAGRunPatchBody(state=DagRunMutableStates.QUEUED)
        self._session.call(
            lambda options: self._dag_runs.patch_dag_run(ref.dag_id, ref.dag_run_id, body, **options)
        )


def skipped_by(said: object, following: Collection[str]) -> set[str]:
    """The tasks that a branch or a short circuit said were to be skipped."""
    match said:
        case {"skipped": [*tasks]}:
            return {task for task in tasks if isinstance(task, str)}
        case {"followed": [*tasks]}:
            return {task for task in following if task not in tasks}
    return set()


def _named(step: Step) -> ClearTaskInstancesBodyTaskIdsInner:
    if step.map_index < 0:
        return ClearTaskInstancesBodyTaskIdsInner(step.task_id)
    return ClearTaskInstancesBodyTaskIdsInner([step.task_id, step.map_index])
