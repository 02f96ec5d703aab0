"""`make dryrun` prints what a pipeline would run, without a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from deploy.local.environment import AIRFLOW_PYTHON, ROOT
from tests.dags.e2e import plan
from tests.make import make

if TYPE_CHECKING:
    from pathlib import Path

OWN = """
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from step_operator import StepOperator, contract_params
from steps.contract import Command, Run, Skipped

def make(run: Run) -> Command:
    return Command(["make", run.params["what"]], foretells={"made": "a <thing>"}, returns=["a", "b"])

def use(run: Run) -> Command:
    return Command(["use", run.pull("make", "made"), run.item], environment={"HOW": "s3cret"})

def skip(run: Run) -> Command:
    raise Skipped("there is no need")

def judge(run: Run) -> Command:
    return Command(["judge", *sorted(f"{task}={state}" for task, state in run.states().items())])

with DAG("own", schedule=None, params={"what": "docs", **contract_params()}):
    made = StepOperator(task_id="make", command=make)
    used = StepOperator.partial(task_id="use", command=use).expand(item=made.output)
    skipped = StepOperator(task_id="skip", command=skip)
    made >> skipped >> StepOperator(task_id="after", command=make)
    [used, skipped, EmptyOperator(task_id="other")] >> StepOperator(
        task_id="judge", command=judge, trigger_rule="all_done"
    )
"""


def dryrun(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run it as `make dryrun` does; returns its exit code, and all that it printed."""
    done = subprocess.run(
        [AIRFLOW_PYTHON, "-m", "deploy.local.dryrun", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def commands(printed: str) -> dict[str, str]:
    """Return the command of each step, or why it has none."""
    found = re.findall(r"^(\S.*)\n  waits for: .*\n  (?:command: )?(.*)$", printed, flags=re.MULTILINE)
    return dict(found)


def test_the_plan_is_what_airflow_itself_shows_in_a_dry_run() -> None:
    code, printed = dryrun("tf_k8s_tests", "--conf", json.dumps({**plan.CONF, "image": "IMAGE"}))
    cluster = re.search(r"--cluster=(e2e-([0-9a-f]{12}))", printed)
    assert cluster is not None
    varying = {
        str(AIRFLOW_PYTHON): "python",
        cluster[1]: "CLUSTER",
        cluster[2]: "DIGITS",
        "-dryrun ": "-DAG_RUN ",
    }
    plan.assert_is_the_plan(commands(printed), varying)
    assert code == 0


def test_a_plan_tells_what_each_step_waits_for_and_what_it_sees() -> None:
    _, printed = dryrun("tf_k8s_tests", GOOGLE_APPLICATION_CREDENTIALS="/key.json")
    steps = dict(re.findall(r"^(\w+)\n((?:  .*\n?)+)", printed, flags=re.MULTILINE))
    assert "  waits for: build_images create_cluster pylint pytest\n" in steps["setup_cluster"]
    with_keys = {name for name, said in steps.items() if " GOOGLE_APPLICATION_CREDENTIALS " in said}
    assert with_keys == {"build_images", "create_cluster", "setup_cluster", "run_tests", "teardown_cluster"}
    assert "/key.json" not in printed


def test_the_default_branch_is_tested_without_conf_where_its_url_is_set() -> None:
    _, printed = dryrun("tf_k8s_tests", PREFLIGHT_CLONE_URL="https://localhost/o/r.git")
    assert " clone postsubmit --url=https://localhost/o/r.git " in commands(printed)["clone_repo"]


def test_a_pipeline_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    code, printed = dryrun("own", "--dags", str(tmp_path), "--conf", '{"what": "a b", "typo": 1}')
    assert code == 0
    assert printed.startswith("note: own declares no Param 'typo'")
    assert commands(printed) == {
        "make": "make 'a b'",
        "use [a]": "use 'a <thing>' a",
        "use [b]": "use 'a <thing>' b",
        "skip": "skipped: there is no need",
        "after": "skipped, as skip is",
        "other": "no step of ours, so not shown: EmptyOperator",
        "judge": "judge after=skipped make=success other=success skip=skipped "
        "use=success use_0=success use_1=success",
    }
    assert " HOW " in printed
    assert "s3cret" not in printed


def test_a_step_that_could_not_start_is_told_and_what_follows_it() -> None:
    conf = {"provider": "current", "preflight": {"trusted": False}}
    code, printed = dryrun("tf_k8s_tests", "--conf", json.dumps(conf))
    assert code == 1
    said = commands(printed)
    assert said["create_cluster"].startswith("fails: provider current shares")
    assert said["setup_cluster"] == "can't start: create_cluster could not"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "has no DAG nope. It has checks, "),
        (["checks", "--conf", "{"], "CONF is no JSON"),
        (["checks", "--conf", "[]"], "CONF must be a JSON object"),
        (["checks", "--conf", '{"timeout": "x"}'], "CONF is refused: Invalid input for param timeout"),
    ],
    ids=["no such DAG", "no JSON", "no object", "not what its Params take"],
)
def test_what_is_wrong_is_said(arguments: list[str], said: str) -> None:
    code, printed = dryrun(*arguments)
    assert code == 2
    assert said in printed


def test_make_hands_conf_on_as_it_is() -> None:
    conf = """{"steps": {"a": "echo 'it''s' $HOME \\"x\\""}}"""
    printed = make("dryrun", "DAG=checks", f"CONF={conf.replace('$', '$$')}")
    assert "echo '\"'\"'it'\"'\"''\"'\"'s'\"'\"' $HOME \"x\"" in printed
