"""A step, from what Airflow tells of a task instance; and the order of steps."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_client.client.models.task_instance_state import TaskInstanceState as Airflow

from bot.models import Step, StepState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_client.client.models.task_instance_response import TaskInstanceResponse

STEP_STATES: Mapping[Airflow | None, StepState] = {
    None: StepState.WAITING,  # planned; also a mapped task that is not expanded yet
    Airflow.SCHEDULED: StepState.WAITING,
    Airflow.QUEUED: StepState.WAITING,
    Airflow.AWAITING_INPUT: StepState.WAITING,
    Airflow.RUNNING: StepState.RUNNING,
    Airflow.DEFERRED: StepState.RUNNING,  # it has begun, and waits for an event in the triggerer
    Airflow.UP_FOR_RESCHEDULE: StepState.RUNNING,  # it has begun, and looks again later
    Airflow.UP_FOR_RETRY: StepState.RETRYING,
    Airflow.RESTARTING: StepState.RETRYING,
    Airflow.SUCCESS: StepState.SUCCEEDED,
    Airflow.FAILED: StepState.FAILED,
    Airflow.UPSTREAM_FAILED: StepState.BLOCKED,
    Airflow.SKIPPED: StepState.SKIPPED,
    Airflow.REMOVED: StepState.REMOVED,
}

_TO_BEGIN = (None, Airflow.SCHEDULED, Airflow.QUEUED)


def step_of(instance: TaskInstanceResponse) -> Step:
    """The step, without its result and excerpt."""
    # Airflow notes times for what it blocked or skipped, too, and keeps those of a try before.
    tried = instance.try_number > 0 and instance.state not in _TO_BEGIN
    return Step(
        task_id=instance.task_id,
        map_index=instance.map_index,
        name=_name(instance),
        state=_state(instance.state, instance.try_number),
        try_number=instance.try_number,
        started_at=utc(instance.start_date) if tried else None,
        ended_at=utc(instance.end_date) if tried else None,
    )


def place(ranks: Mapping[str, int], step: Step) -> tuple[float, datetime, str, int]:
    """Sorts steps: in the DAG's order, those that it does not know (any more) last, as they started."""
    never = datetime.max.replace(tzinfo=UTC)
    started = never if step.task_id in ranks else step.started_at or never
    return (ranks.get(step.task_id, math.inf), started, step.task_id, step.map_index)


def utc(time: datetime | None) -> datetime | None:
    """The time in UTC."""
    return None if time is None else time.astimezone(UTC)


def _state(state: Airflow | None, try_number: int) -> StepState:
    """What a person would call it: a step that waits for its second or a later try is retrying."""
    ours = STEP_STATES[state]
    return StepState.RETRYING if ours is StepState.WAITING and try_number > 1 else ours


def _name(instance: TaskInstanceResponse) -> str:
    """A mapped task's own name. Airflow knows it once the task has begun; before, it repeats the index."""
    if instance.map_index < 0:
        return instance.task_id
    if instance.rendered_map_index in (None, "", str(instance.map_index)):
        return f"{instance.task_id}[{instance.map_index}]"
    return str(instance.rendered_map_index)
