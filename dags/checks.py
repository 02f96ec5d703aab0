"""The repository's own commands, on the pull request merged into its base; or on a branch's own commit.

`clone` fetches base and head, merges them and packs the result; a conflict fails it and names the files. A
head that holds its base already, as pushed branches and merge groups do, is tested as it is.
Then every entry of `steps` runs in parallel, each in a fresh copy of that tree:
`bash -euo pipefail -c -- COMMAND`. What a command writes to `$ARTIFACTS` is kept with the run.

Exit code 0 passes, 75 asks for another try (two more), anything else fails.

Try it by hand, without running anything: `airflow dags trigger checks --conf '{"dryrun": true}'`
"""

from airflow.sdk import DAG, Param

from step_operator import PYTHON, STEP_DEFAULTS, StepOperator, contract_params
from steps.contract import STEP_NAME, Command, ContractError, Run, checked_step_name, in_order, options
from steps.environment import PROXIES

STEPS = Param(
    {"hello": "echo Hello from Preflight"},
    "Commands by name of their step. They run in parallel.",
    type="object",
    minProperties=1,
    maxProperties=64,
    propertyNames={"pattern": STEP_NAME},
    additionalProperties={"type": "string", "minLength": 1, "maxLength": 16_000},
)
TIMEOUT = Param(
    3600, "Seconds until a step is stopped and failed.", type="integer", minimum=1, maximum=86_400
)


def clone(run: Run) -> Command:
    """Make the merged tree; what it returns are the names of the steps that follow."""
    return Command(
        argv=[PYTHON, "-m", "steps.release", "clone", *run.clone_options()],
        reproduce=run.checkout,
        returns=[checked_step_name(name) for name in _steps(run)],
        environment=run.ticket_environment(),
    )


def step(run: Run) -> Command:
    """Run one of the repository's commands."""
    name = checked_step_name(str(run.item))
    command = _steps(run).get(name)
    if command is None:
        raise ContractError(f"conf has no step {name!r} any more: start the pipeline anew")
    given = {"name": name, "archive": run.archive, "artifacts": run.artifacts(name)}
    return Command(
        argv=[
            PYTHON,
            "-m",
            "steps.checks",
            "run",
            *options(given),
            "--",
            command,
        ],
        name=name,
        reproduce=command,
        timeout=run.params["timeout"],
    )


def _steps(run: Run) -> dict[str, str]:
    return in_order(run.params["steps"], run.params.get("preflight") or {}, "steps")


with DAG(
    "checks",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["preflight"],
    params={"steps": STEPS, "timeout": TIMEOUT, **contract_params()},
    default_args=STEP_DEFAULTS,
    max_active_runs=64,
    max_active_tasks=64,
    is_paused_upon_creation=False,
):
    tree = StepOperator(task_id="clone", command=clone, timeout=900, runs_their_code=False, inherit=PROXIES)
    StepOperator.partial(task_id="step", command=step, map_index_template="{{ task.item }}").expand(
        item=tree.output
    )
