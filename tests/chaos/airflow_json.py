"""What Airflow's REST API says of what the fake Airflow holds, in the words of Airflow 3.3."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from bot.models import StepState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models import Dag, LogLine, Pool, RunRef, Step
    from tests.fakes.airflow import FakeRun, FakeTasks

Json = dict[str, Any]

STATES: Mapping[StepState, str | None] = {
    StepState.WAITING: None,
    StepState.RUNNING: "running",
    StepState.RETRYING: "up_for_retry",
    StepState.SUCCEEDED: "success",
    StepState.FAILED: "failed",
    StepState.BLOCKED: "upstream_failed",
    StepState.SKIPPED: "skipped",
    StepState.REMOVED: "removed",
}
_EPOCH = "2026-01-01T00:00:00Z"


def details(dag: Dag) -> Json:
    """`GET /dags/ID/details`."""
    return {
        "dag_id": dag.id,
        "dag_display_name": dag.id,
        "is_paused": dag.paused,
        "is_stale": False,
        "has_import_errors": dag.import_error,
        "tags": [{"name": tag, "dag_id": dag.id, "dag_display_name": dag.id} for tag in sorted(dag.tags)],
        "params": {name: {"schema": dict(schema)} for name, schema in dag.params.items()},
        "fileloc": f"/dags/{dag.id}.py",
        "file_token": "",
        "owners": [],
        "catchup": False,
        "concurrency": 64,
        "has_task_concurrency_limits": False,
        "is_backfillable": False,
        "max_active_tasks": 64,
        "max_consecutive_failed_dag_runs": 0,
        "render_template_as_native_obj": False,
        "timetable_partitioned": False,
        "timetable_periodic": False,
    }


def dag(known: Dag, tasks: FakeTasks) -> Json:
    """One entry of `GET /dags`."""
    return {**details(known), "max_active_runs": tasks.most_runs}


def pool(name: str, known: Pool) -> Json:
    """One entry of `GET /pools`."""
    counts = ("occupied", "running", "queued", "scheduled", "deferred")
    return {
        "name": name,
        "slots": known.slots,
        "open_slots": known.free,
        "include_deferred": False,
        **{f"{count}_slots": 0 for count in counts},
    }


def health(silent_since: datetime | None) -> Json:
    """`GET /monitor/health`."""
    status = "healthy" if silent_since is None else "unhealthy"
    heard = _EPOCH if silent_since is None else _time(silent_since)
    return {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": status, "latest_scheduler_heartbeat": heard},
        "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
    }


def task(tasks: FakeTasks, task_id: str) -> Json:
    """One entry of `GET /dags/ID/tasks`."""
    teardown = task_id in tasks.teardowns
    return {
        "task_id": task_id,
        "downstream_task_ids": sorted(tasks.after(task_id)),
        "trigger_rule": "all_done_setup_success" if teardown else "all_success",
        "pool": tasks.pools.get(task_id, "default_pool"),
        "depends_on_past": False,
        "extra_links": [],
        "retry_exponential_backoff": 0,
        "wait_for_downstream": False,
    }


def dag_run(ref: RunRef, run: FakeRun) -> Json:
    """A DAG run."""
    return {
        "dag_id": ref.dag_id,
        "dag_run_id": ref.dag_run_id,
        "dag_display_name": ref.dag_id,
        "dag_versions": [],
        "run_after": _EPOCH,
        "run_type": "manual",
        "state": run.state.value,
        "conf": run.conf,
        "note": run.note or None,
        "start_date": _time(run.started_at),
        "end_date": _time(run.ended_at),
    }


def instance(ref: RunRef, step: Step) -> Json:
    """A task instance. A mapped one has its own name once it has begun."""
    named = step.map_index >= 0 and step.try_number > 0
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{ref} {step.key}")),
        "dag_id": ref.dag_id,
        "dag_display_name": ref.dag_id,
        "dag_run_id": ref.dag_run_id,
        "task_id": step.task_id,
        "task_display_name": step.task_id,
        "map_index": step.map_index,
        "rendered_map_index": step.name if named else None,
        "state": STATES[step.state],
        "try_number": step.try_number,
        "max_tries": 2,
        "start_date": _time(step.started_at),
        "end_date": _time(step.ended_at),
        "run_after": _EPOCH,
        "executor_config": "{}",
        "pool": "default_pool",
        "pool_slots": 1,
    }


def xcom_entry(ref: RunRef, key: tuple[str, int, str]) -> Json:
    """One entry of `GET .../xcomEntries`, which does not tell the value."""
    task_id, map_index, name = key
    return {
        "dag_id": ref.dag_id,
        "dag_display_name": ref.dag_id,
        "run_id": ref.dag_run_id,
        "task_id": task_id,
        "task_display_name": task_id,
        "map_index": map_index,
        "key": name,
        "run_after": _EPOCH,
        "timestamp": _EPOCH,
    }


def log_line(line: LogLine) -> Json:
    """One line of a log in NDJSON."""
    return {"event": line.text, "logger": line.logger, "level": line.level}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
