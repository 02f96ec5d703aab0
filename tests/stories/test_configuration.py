"""What a pull request shows when its pipelines can't be run as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github_standin import wait_for
from tests.stories.pulls import checks, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.stories.conftest import MakeRepository

BROKEN = """\
pipelines:
  unit:
    dag: checks
    parms:
      steps: {test: "true"}
"""


def test_a_broken_configuration_is_shown_and_mended(repository_with: MakeRepository) -> None:
    repository = repository_with(BROKEN)
    pull = repository.opened()

    pull.expect_status("preflight/config", "error", "preflight.yaml can't be used: see the comment")
    assert_reads("broken.md", pull.expect_comment(".github/preflight.yaml:4: unknown key"))
    pull.expect_dag_runs()

    repository.configure(BROKEN.replace("parms", "params"))
    pull.says("/test")

    pull.expect_status("preflight/config", "success", "preflight.yaml is fine again")
    pull.expect_status("preflight/unit", "success")
    assert "can't be used" not in pull.expect_comment("**`unit` passed**")
    pull.expect_dag_runs("success")


def test_a_pull_request_cannot_change_its_own_pipelines(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")})

    pull = repository.opened(
        files={".github/preflight.yaml": written({"unit": checks(test="false"), "mine": checks(test="true")})}
    )

    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success")
    assert list(pull.combined()) == ["preflight/unit"]


def test_a_dag_that_does_not_exist(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "cheks"}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'cheks' not found")
    assert_reads("no-dag.md", pull.expect_comment("DAG 'cheks' not found"))
    pull.expect_dag_runs()


def test_a_dag_that_is_paused(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "contract_paused"}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'contract_paused' is paused")
    pull.expect_dag_runs()


def test_a_param_that_the_dag_does_not_know(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "checks", "params": {"stepz": {"test": "true"}}}}).opened()

    wanted = "error: DAG 'checks' has no param 'stepz', did you mean 'steps'?"
    pull.expect_status("preflight/unit", "error", wanted)
    pull.expect_dag_runs()


def test_a_param_that_the_dag_refuses(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "checks", "params": {"timeout": "an hour"}}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'checks' refuses its params: ")
    pull.expect_dag_runs()


def test_a_repository_without_pipelines_is_left_alone(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")})
    repository.push("developer", {".github/preflight.yaml": None})

    pull = repository.opened()
    asked = pull.says("/test")

    assert pull.expect_reply(asked).startswith("There is no `.github/preflight.yaml` on `main`")
    wait_for(lambda: pull.comments(by=pull.bot.login))
    assert pull.statuses() == []
    pull.expect_dag_runs()


def test_steps_keep_their_order(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(zebra="true", monkey="true", ant="true")}).opened()

    comment = pull.expect_comment("4 steps passed")

    assert comment.index("`zebra`") < comment.index("`monkey`") < comment.index("`ant`")
