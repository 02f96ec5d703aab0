"""End to end: the pull request's image and Helm chart, tested in a cluster of its own. An example to copy.

    clone_repo → build_images, pylint, pytest, create_cluster → setup_cluster → run_tests, run_gpu_test
               → teardown_cluster → done

Every step is a binary (`python -m steps.NAME COMMAND --help`), which anyone can run by hand with the command
line that the step's log shows. `airflow dags trigger tf_k8s_tests --conf '{"dryrun": true}'` prints them all
and runs none; so does `make dryrun`, without a server. With `--conf '{}'` the newest commit of the default
branch is tested.

No cluster is left behind. `teardown_cluster` runs however the others ended, when the run is cancelled, and
when its time is over. The cluster's name follows from the run and is known before the cluster is made, so
that another try, or the same run resumed, makes the same one.

Green means that all steps passed; only `run_gpu_test` is skipped where no accelerators are asked for.
"""

import os
import re
from pathlib import PurePosixPath
from typing import Any

from airflow.sdk import DAG, Param

from step_operator import PYTHON, STEP_DEFAULTS, StepOperator, contract_params
from steps.contract import Command, ContractError, Run, Skipped, options
from steps.environment import CLOUD, PROXIES
from steps.sandbox import is_trusted

SETTLE_SECONDS = 15
"""How long a request to make a cluster may be on its way, after create_cluster was stopped or failed."""


def _text(default: str, description: str, pattern: str = r"^([A-Za-z0-9_][A-Za-z0-9._:/@-]*)?$") -> Param:
    return Param(default, description, type="string", pattern=pattern, maxLength=256)


PARAMS = {
    "provider": Param(
        "gke",
        "Whose cluster: gke and kind make one for the run, current makes a namespace where kubectl points.",
        type="string",
        enum=["gke", "kind", "current"],
    ),
    "project": _text(
        os.environ.get("PREFLIGHT_GCP_PROJECT", ""), "Google Cloud project of the cluster (gke)."
    ),
    "zone": _text("us-central1-a", "Zone of the cluster (gke)."),
    "region": _text("", "Region of the cluster (gke), in place of a zone."),
    "machine_type": _text("", "Type of its nodes (gke), such as n1-standard-4; empty: GKE's default."),
    "node_account": _text(
        os.environ.get("PREFLIGHT_GCP_NODE_ACCOUNT", ""),
        "Service account of its nodes (gke); empty: preflight-nodes of the project.",
    ),
    "accelerators": _text(
        "",
        "Accelerators of each node (gke), such as nvidia-tesla-t4:1; empty: none, and no GPU test.",
        r"^([a-z0-9-]+(:[1-9][0-9]?)?)?$",
    ),
    "registry": _text(
        os.environ.get("PREFLIGHT_REGISTRY", ""),
        "Where the image goes, such as us-docker.pkg.dev/PROJECT/e2e.",
    ),
    "builder": Param(
        "auto",
        "What builds the image; auto: the first that is there.",
        type="string",
        enum=["auto", "docker", "podman", "buildah", "cloudbuild"],
    ),
    "image": _text("", "Name of the image, without registry and tag; empty: the repository's."),
    "chart": _text("chart", "Folder of the Helm chart in the repository.", r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$"),
    "image_value": _text("image", "The chart's value that takes the image."),
    "spec": _text(
        "", "File of a Job or custom resource that run_tests applies; empty: the chart's own tests."
    ),
    "gpu_spec": _text("e2e/gpu.yaml", "File of the Job or custom resource that run_gpu_test applies."),
    "exclude": Param(
        [],
        "What pylint and pytest leave out, such as vendor or *_pb2.py.",
        type="array",
        items={"type": "string", "maxLength": 256},
    ),
    "run_timeout": Param(
        10_800,
        "Seconds after which the run is over: steps are stopped and failed, then the cluster is removed.",
        type="integer",
        minimum=1,
        maximum=86_400,
    ),
}


def clone_repo(run: Run) -> Command:
    """Fetch what is tested, merged into its base, and pack it for the others."""
    commit = run.params["PULL_PULL_SHA"] if not run.params["PULL_NUMBER"] else ""
    return Command(
        _argv(run, "release", "clone", *run.clone_options()),
        reproduce=run.checkout,
        environment=run.ticket_environment(),
        foretells={"commit": commit or "<commit>", "tree": "<tree>"},
    )


def build_images(run: Run) -> Command:
    """Build the image and pack the chart; the image is pushed where there is a registry."""
    local = run.params["provider"] == "kind"  # its nodes are given the image, all others pull it
    registry = run.params["registry"] if local else run.name("registry")
    name = run.params["image"] or _image_name(run.name("CLONE_URL"))
    commit = run.pull("clone_repo", "commit")
    given = {
        "archive": run.archive,
        "image": name,
        "registry": registry,
        "builder": run.params["builder"],
        "project": run.params["project"],
        "chart": run.params["chart"],
        "charts": run.folder / "charts",
    }
    return Command(
        _argv(run, "release", "build", *options(given), *(["--push"] if registry else [])),
        reproduce=f"docker build --tag={name} .",
        foretells={
            "image": f"{registry}/{name}:{str(commit)[:12]}".lstrip("/"),
            "chart": f"{given['charts']}/<chart>.tgz",
            "commit": commit,
        },
    )


def pylint(run: Run) -> Command:
    """Lint the Python files, by the linter that the repository has set up."""
    return Command(_argv(run, "checks", "lint", *_source(run)), reproduce="pylint .")


def pytest(run: Run) -> Command:
    """Run the unit tests."""
    return Command(_argv(run, "checks", "test", *_source(run)), reproduce="pytest")


def create_cluster(run: Run) -> Command:
    """Make the cluster, or find the one that an earlier try made."""
    if run.params["provider"] != "gke" and not is_trusted(run.params):
        raise ContractError(
            f"provider {run.params['provider']} shares a machine or a cluster with others, and this pull "
            "request runs only because somebody approved it: use provider gke for it"
        )
    given = {
        **_target(run),
        "owner": run.params["preflight"].get("actor"),
        "run": _whose(run),
        "lifetime": f"{run.params['run_timeout'] // 60 + 60}m",
        "machine-type": run.params["machine_type"],
        "accelerator": run.params["accelerators"],
        "node-account": run.params["node_account"],
    }
    return Command(
        _argv(run, "deploy", "create-cluster", *options(given)), announces={"cluster": given["cluster"]}
    )


def setup_cluster(run: Run) -> Command:
    """Install the chart, with the image that was built, and wait until it runs."""
    image, target = run.pull("build_images", "image"), _target(run)
    in_no_registry = run.params["provider"] == "kind" and not run.params["registry"]
    given = {
        **target,
        "chart": run.pull("build_images", "chart"),
        "set-string": f"{run.params['image_value']}={image}",
        "image": image if in_no_registry else "",
        "gpus": run.params["accelerators"] and (run.params["accelerators"].partition(":")[2] or 1),
    }
    return Command(
        _argv(run, "deploy", "setup", *options(given)),
        reproduce=f"helm upgrade --install {target['cluster']} {run.params['chart']} --wait",
        foretells={"namespace": target["cluster"], "release": target["cluster"]},
    )


def run_tests(run: Run) -> Command:
    """Run the chart's own tests, or what `spec` describes."""
    if run.params["spec"]:
        return _spec(run, run.params["spec"])
    given = _deployed(run)
    return Command(_argv(run, "deploy", "test", *options(given)), reproduce=f"helm test {given['release']}")


def run_gpu_test(run: Run) -> Command:
    """Run what `gpu_spec` describes, where there are accelerators."""
    if not run.params["accelerators"]:
        raise Skipped("no accelerators are asked for")
    return _spec(run, run.params["gpu_spec"])


def teardown_cluster(run: Run) -> Command:
    """Remove the cluster, whatever became of it, and see that it is gone."""
    if (run.pull("create_cluster", "preflight") or {}).get("argv") == "":  # conf was refused, in every try
        raise Skipped("no cluster was begun")
    passed = run.dryrun or run.states().get("create_cluster") == "success"
    given = {**_target(run), "run": _whose(run), "settle": "" if passed else SETTLE_SECONDS}
    return Command(_argv(run, "deploy", "teardown", *options(given)))


def done(run: Run) -> Command:
    """Fail where no other step tells it: the run was stopped, or the cluster may be there still."""
    states = [
        f"--state={task}={state}" for task, state in sorted(run.states().items()) if task != run.task_id
    ]
    cleanup = ["--cleanup=teardown_cluster", "--may-skip=teardown_cluster"]
    may_skip = [] if run.params["accelerators"] else ["--may-skip=run_gpu_test"]
    return Command(_argv(run, "judge", "run", *states, *cleanup, *may_skip))


def _argv(run: Run, program: str, command: str, *words: str) -> list[str]:
    """Return the command line of one of our binaries, which tells what it checked as JUnit XML."""
    junit = run.artifacts(run.task_id) / f"junit_{run.task_id}.xml"
    return [PYTHON, "-m", f"steps.{program}", command, *words, f"--junit_path={junit}"]


def _source(run: Run) -> list[str]:
    return [f"--archive={run.archive}", *(f"--exclude={each}" for each in run.params["exclude"])]


def _whose(run: Run) -> str:
    """Return a label's value: whose the cluster is. What is unique comes first, since labels are cut."""
    return f"{run.digits}-{run.dag_run_id}"


def _image_name(url: str) -> str:
    """Return the repository's name as that of an image, which may hold less."""
    name = PurePosixPath(url).name.removesuffix(".git").lower()
    return re.sub("[^a-z0-9]+", "-", name).strip("-") or "image"


def _target(run: Run) -> dict[str, object]:
    """Return which cluster a step works on; create_cluster itself names it."""
    cluster = run.pull("create_cluster", "cluster") or run.named("e2e")
    target = {"provider": run.params["provider"], "cluster": cluster}
    if target["provider"] != "gke":
        return target
    where = "region" if run.params["region"] else "zone"
    return {**target, "project": run.name("project"), where: run.name(where)}


def _deployed(run: Run) -> dict[str, object]:
    """Return where setup_cluster put the release."""
    return _target(run) | {name: run.pull("setup_cluster", name) for name in ("namespace", "release")}


def _spec(run: Run, spec: str) -> Command:
    given = {
        **_deployed(run),
        "archive": run.archive,
        "spec": spec,
        "set": f"image={run.pull('build_images', 'image')}",
    }
    return Command(
        _argv(run, "test_runner", "test", *options(given)), reproduce=f"kubectl apply --filename={spec}"
    )


with DAG(
    "tf_k8s_tests",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["preflight"],
    params={**PARAMS, **contract_params()},
    default_args=STEP_DEFAULTS,
    max_active_runs=64,
    max_active_tasks=64,
    is_paused_upon_creation=False,
) as dag:
    ours: dict[str, Any] = {"runs_their_code": False, "inherit": CLOUD}
    clone = StepOperator(
        task_id="clone_repo", command=clone_repo, timeout=900, runs_their_code=False, inherit=PROXIES
    )
    build = StepOperator(task_id="build_images", command=build_images, **ours)
    lint = StepOperator(task_id="pylint", command=pylint)
    test = StepOperator(task_id="pytest", command=pytest)
    create = StepOperator(task_id="create_cluster", command=create_cluster, timeout=4500, **ours)
    setup = StepOperator(task_id="setup_cluster", command=setup_cluster, **ours)
    tests = [
        StepOperator(task_id="run_tests", command=run_tests, **ours),
        StepOperator(task_id="run_gpu_test", command=run_gpu_test, **ours),
    ]
    teardown = StepOperator(task_id="teardown_cluster", command=teardown_cluster, always=True, **ours)
    end = StepOperator(task_id="done", command=done, timeout=300, always=True, runs_their_code=False)

    clone >> [build, lint, test, create] >> setup >> tests >> teardown >> end
    [build, lint, test] >> end

    # A teardown of Airflow's runs whenever one of its setups succeeded, after a cancel too, which skips all
    # else. So it needs clone_repo as its setup. create_cluster and setup_cluster are setups because a resumed
    # run, which runs what failed, must run them again: the cluster is gone by then.
    teardown.as_teardown(setups=[clone, create, setup])
    # Airflow leaves teardowns out when it judges a run: run_tests and run_gpu_test make it red when anything
    # before them failed. What they can't tell, a stop between two steps and a failed teardown, `done` does.
    end.as_teardown(setups=clone, on_failure_fail_dagrun=True)
