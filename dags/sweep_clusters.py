"""Removes clusters of ours whose time is over: what was left behind where even a teardown could not run.

Paused until somebody unpauses it; then hourly. `--conf '{"dryrun": true}'` prints the command.
"""

import os

from airflow.sdk import DAG, Param

from step_operator import PYTHON, STEP_DEFAULTS, StepOperator, contract_params
from steps.contract import Command, Run
from steps.environment import CLOUD


def sweep(run: Run) -> Command:
    """Remove them in all zones of the project."""
    provider = run.params["provider"]
    project = [f"--project={run.name('project')}"] if provider == "gke" else []
    return Command([PYTHON, "-m", "steps.deploy", "sweep", f"--provider={provider}", *project])


with DAG(
    "sweep_clusters",
    doc_md=__doc__,
    schedule="@hourly",
    catchup=False,
    max_active_runs=1,
    params={
        "provider": Param("gke", "Whose clusters.", type="string", enum=["gke", "kind", "current"]),
        "project": Param(
            os.environ.get("PREFLIGHT_GCP_PROJECT", ""), "Google Cloud project (gke).", type="string"
        ),
        **contract_params(),
    },
    default_args=STEP_DEFAULTS,
    is_paused_upon_creation=True,
):
    StepOperator(task_id="sweep", command=sweep, runs_their_code=False, inherit=CLOUD)
