"""Run by Airflow's Python: parse the DAGs; print import errors, and what each DAG is, as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag  # type: ignore[import-not-found] # in Airflow's environment only
from airflow.serialization.serialized_objects import DagSerialization  # type: ignore[import-not-found] # likewise


def described(dag: Any) -> dict[str, Any]:  # noqa: ANN401 - the bot's environment has no types of it
    """Return what there is to know of a DAG."""
    return {
        "serialized": len(json.dumps(DagSerialization.to_dict(dag))) > 0,
        "tags": sorted(dag.tags),
        "paused": dag.is_paused_upon_creation,
        "schedule": dag.schedule,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "page": dag.doc_md,
        "downstream": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "setups": sorted(task.task_id for task in dag.tasks if task.is_setup),
        "teardowns": sorted(task.task_id for task in dag.tasks if task.is_teardown),
        "template_fields": {task.task_id: list(task.template_fields) for task in dag.tasks},
        "retries": {task.task_id: task.retries for task in dag.tasks},
        "inherit": {
            task.task_id: sorted(getattr(task, "inherit", ()))
            for task in dag.tasks
            if not getattr(task, "runs_their_code", True)
        },
        "params": {
            name: {"schema": param.schema, "default": param.value, "description": param.description}
            for name, param in dag.params.items()
        },
    }


folder = Path(sys.argv[1])
bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags")
errors = {str(file): str(error) for file, error in bag.import_errors.items()}
print(json.dumps({"errors": errors, "dags": {name: described(dag) for name, dag in bag.dags.items()}}))  # noqa: T201 - read by the test
