"""The E2E pipeline in a real Airflow, against a cloud of stand-ins: whatever happens, no cluster is left."""

import pytest

from bot.models import DagRunState, Outcome
from bot.runs.outcome import derive
from deploy.local.airflow import LocalAirflow
from deploy.local.environment import AIRFLOW_PYTHON
from tests.dags.e2e.conftest import CANCELLED, FAILING, RESUMED
from tests.dags.e2e.pipeline import Play
from tests.dags.e2e.plan import assert_is_the_plan

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(480)]  # all runs are made before the first test
ASKED_TO_STOP = (Outcome.CANCELLED, "cancelled by somebody")
Plays = dict[str, Play]


def test_a_run_in_which_all_is_well_is_green(plays: Plays) -> None:
    play = plays["green"]
    ended = play.ended[0]
    assert {*ended.states.values()} == {"succeeded"}
    assert derive(ended.run, None) == (Outcome.SUCCESS, "")
    assert ended.left == []


def test_the_chart_gets_the_image_that_was_built(plays: Plays) -> None:
    [upgrade] = plays["green"].commands("helm upgrade")
    assert f"--set-string=image=registry.example/e2e/image-{plays['green'].cluster}@sha256:" in upgrade


def test_the_default_branch_needs_neither_pull_request_nor_accelerators(plays: Plays) -> None:
    ended = plays["default branch"].ended[0]
    assert derive(ended.run, None) == (Outcome.SUCCESS, "")
    assert ended.states == {**dict.fromkeys(ended.states, "succeeded"), "run_gpu_test": "skipped"}
    assert " postsubmit " in ended.argv("clone_repo")
    assert ended.left == []


def test_every_step_leaves_junit(plays: Plays) -> None:
    tests = {step.task_id: step.result and step.result.tests for step in plays["green"].ended[0].run.steps}
    assert [task for task, results in tests.items() if results is None] == []


def test_a_dry_run_shows_every_command_and_runs_none(plays: Plays, real_airflow: LocalAirflow) -> None:
    play = plays["dry run"]
    ended = play.ended[0]
    assert {*ended.states.values()} == {"succeeded"}
    shown = {step.task_id: ended.argv(step.task_id) for step in ended.run.steps}
    assert_is_the_plan(
        shown,
        {
            str(AIRFLOW_PYTHON): "python",
            str(real_airflow.settings.artifacts_folder): "/artifacts",
            f"image-{play.cluster}": "IMAGE",
            play.cluster: "CLUSTER",
            play.cluster.removeprefix("e2e-"): "DIGITS",
            play.ref.dag_run_id: "DAG_RUN",
        },
    )
    assert play.commands("") == []


@pytest.mark.parametrize("task", FAILING)
def test_where_a_step_fails_the_run_is_red_and_the_cluster_gone(plays: Plays, task: str) -> None:
    ended = plays[f"{task} fails"].ended[0]
    outcome, reason = derive(ended.run, None) or (None, "")
    assert (ended.run.state, outcome) == (DagRunState.FAILED, Outcome.FAILURE)
    assert reason.startswith(f"{task} failed: ")
    assert ended.states["create_cluster"] in {"succeeded", "failed"}
    if task == "teardown_cluster":
        assert ended.left == [f"cluster {plays[f'{task} fails'].cluster}"]
        assert ended.reason("done").startswith("teardown_cluster failed")
    else:
        assert (ended.states["teardown_cluster"], ended.states["done"]) == ("succeeded", "succeeded")
        assert ended.left == []


def test_where_there_is_nothing_to_test_no_cluster_is_made(plays: Plays) -> None:
    play = plays["clone_repo fails"]
    assert play.ended[0].states["clone_repo"] == "failed"
    assert play.ended[0].run.state is DagRunState.FAILED
    assert play.commands("gcloud") == []


@pytest.mark.parametrize("tasks", CANCELLED, ids=lambda tasks: tasks[0])
def test_a_cancel_leaves_no_cluster_and_is_never_green(plays: Plays, tasks: tuple[str, ...]) -> None:
    play = plays[f"cancelled at {tasks[0]}"]
    ended = play.ended[0]
    assert ended.left == [], (play.commands("gcloud"), ended.run)
    if tasks == ("teardown_cluster",):  # it had passed completely, and what cleans up is not stopped
        assert derive(ended.run, ASKED_TO_STOP) == (Outcome.SUCCESS, "")
        return
    assert [ended.states[task] for task in tasks] == ["failed"] * len(tasks)
    assert ended.run.state is DagRunState.FAILED
    assert derive(ended.run, ASKED_TO_STOP) == ASKED_TO_STOP
    if tasks != ("clone_repo",):
        assert ended.states["teardown_cluster"] == "succeeded"


def test_a_stop_between_two_steps_is_told_by_the_last_one(plays: Plays) -> None:
    assert (
        plays["cancelled at setup_cluster"]
        .ended[0]
        .reason("done")
        .startswith("the run was stopped before run_")
    )


def test_a_try_that_was_killed_is_followed_by_one_that_goes_on_with_its_cluster(plays: Plays) -> None:
    play = plays["killed"]
    ended = play.ended[0]
    assert derive(ended.run, None) == (Outcome.SUCCESS, "")
    assert ended.tries["create_cluster"] == 2
    assert len(play.commands("clusters create")) == 1
    assert ended.left == [], play.commands("gcloud")


def test_a_run_whose_time_is_over_is_cleaned_up_and_says_so(plays: Plays) -> None:
    ended = plays["out of time"].ended[0]
    late = [
        step.task_id
        for step in ended.run.steps
        if "the run timed out after 30s" in ended.reason(step.task_id)
    ]
    assert late
    assert ended.run.state is DagRunState.FAILED
    assert ended.states["teardown_cluster"] == "succeeded"
    assert ended.left == []


@pytest.mark.parametrize("task", RESUMED)
def test_a_resumed_run_makes_its_cluster_again_and_passes(plays: Plays, task: str) -> None:
    play = plays[f"{task} fails"]
    first, again = play.ended
    assert derive(again.run, None) == (Outcome.SUCCESS, "")
    passed = {name for name, state in first.states.items() if state == "succeeded"}
    setups = {"clone_repo", "create_cluster", "setup_cluster", "teardown_cluster", "done"}
    assert {name for name in passed - setups if again.tries[name] != first.tries[name]} == set()
    assert again.tries["create_cluster"] == (1 if task == "teardown_cluster" else 2)
    assert again.left == []
