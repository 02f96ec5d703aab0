"""Run by Airflow's Python: run the DAG `checks` with each conf on standard input; print all tasks as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager  # type: ignore[import-not-found] # in Airflow's environment only
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db  # type: ignore[import-not-found] # likewise
from airflow.models.xcom import XComModel  # type: ignore[import-not-found] # likewise
from airflow.utils.session import create_session  # type: ignore[import-not-found] # likewise
from sqlalchemy import select

FOLDER = Path(sys.argv[1])


def run(conf: dict[str, Any]) -> dict[str, Any]:
    """Run the DAG once, parsed anew because a DAG object remembers the conf of its last run."""
    bag = BundleDagBag(FOLDER, bundle_path=FOLDER, bundle_name="dags-folder")
    sync_bag_to_db(bag, "dags-folder", None)
    dag_run = bag.dags["checks"].test(run_conf=conf)
    with create_session() as session:
        entries = list(session.scalars(select(XComModel).filter_by(run_id=dag_run.run_id, key="preflight")))
        reports = {(xcom.task_id, xcom.map_index): XComModel.deserialize_value(xcom) for xcom in entries}
        tasks = [
            {
                "task": ti.task_id,
                "label": ti.rendered_map_index,
                "state": ti.state,
                "preflight": reports.get((ti.task_id, ti.map_index)),
            }
            for ti in dag_run.get_task_instances(session=session)
        ]
    return {"state": dag_run.state, "tasks": tasks}


DagBundlesManager().sync_bundles_to_db()
print("\n" + json.dumps({name: run(conf) for name, conf in json.load(sys.stdin).items()}))  # noqa: T201 - read by the test
