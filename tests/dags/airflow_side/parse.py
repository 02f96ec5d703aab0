"""Run by Airflow's Python: parse the DAGs; print import errors, and what the DAG `checks` is, as JSON."""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag  # type: ignore[import-not-found] # in Airflow's environment only
from airflow.serialization.serialized_objects import DagSerialization  # type: ignore[import-not-found] # likewise

folder = Path(sys.argv[1])
bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags")
dag = bag.dags["checks"]
print(  # noqa: T201 - read by the test
    json.dumps(
        {
            "errors": {str(file): str(error) for file, error in bag.import_errors.items()},
            "dags": sorted(bag.dags),
            "serialized": len(json.dumps(DagSerialization.to_dict(dag))) > 0,
            "tags": sorted(dag.tags),
            "paused": dag.is_paused_upon_creation,
            "schedule": dag.schedule,
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "page": dag.doc_md,
            "downstream": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
            "template_fields": {task.task_id: list(task.template_fields) for task in dag.tasks},
            "retries": {task.task_id: task.retries for task in dag.tasks},
            "params": {
                name: {"schema": param.schema, "default": param.value, "description": param.description}
                for name, param in dag.params.items()
            },
        }
    )
)
