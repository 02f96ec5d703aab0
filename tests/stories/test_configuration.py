"""What a pull request shows when its pipelines can't be run as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.stories.pulls import DEVELOPER, STRANGER, checks, make_repository, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.github_standin import Standin
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot
    from tests.stories.conftest import MakeRepository

BROKEN = """\
pipelines:
  unit:
    dag: checks
    parms:
      steps: {test: "true"}
"""
OWN_VERSION = "preflight/config (proposed)"
CANNOT = "preflight.yaml can't be used: see the comment"


def test_a_broken_configuration_is_shown_and_mended(repository_with: MakeRepository) -> None:
    repository = repository_with(BROKEN)
    pull, draft = repository.opened(), repository.opened(branch="draft", draft=True)
    strange = repository.opened(branch="strange", by=STRANGER, fork=True)

    for each in (pull, draft, strange):
        each.expect_status("preflight/config", "failure", CANNOT)
        each.expect_comment(".github/preflight.yaml:4: unknown key")
    assert_reads("broken.md", pull.expect_comment(".github/preflight.yaml:4: unknown key"))
    asked = pull.says("/test")
    pull.expect_reply(asked, ".github/preflight.yaml:4: unknown key")
    pull.expect_dag_runs()

    repository.push(DEVELOPER, {"README.md": "# Not yet\n"})
    repository.configure(BROKEN.replace("parms", "params"))

    for each in (pull, draft, strange):
        each.expect_status("preflight/config", "success", "preflight.yaml is fine again")
    pull.expect_status("preflight/unit", "success")
    assert "can't be used" not in pull.expect_comment("**`unit` passed**")
    draft.expect_status("preflight/unit", "pending", "waits until ready for review")
    assert "can't be used" not in draft.expect_comment("waits until ready for review")
    strange.expect_status("preflight/unit", "pending", "waiting for /ok-to-test")
    assert "can't be used" not in strange.expect_comment("/ok-to-test")
    pull.expect_dag_runs("success")
    assert len(repository.dag_runs()) == 1


def test_a_pull_request_s_own_version_is_checked_and_not_used(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")})
    proposed = written({"unit": checks(test="false"), "mine": checks(test="true")})

    pull = repository.opened(files={".github/preflight.yaml": proposed})

    pull.expect_status("preflight/unit", "success")
    pull.expect_status(OWN_VERSION, "success", "this pull request's preflight.yaml can be used")
    pull.expect_dag_runs("success")
    assert "mine" not in pull.expect_comment("**`unit` passed**")

    pull.push(DEVELOPER, {".github/preflight.yaml": BROKEN})
    pull.expect_status(OWN_VERSION, "failure", "line 4: unknown key")
    comment = pull.expect_comment(".github/preflight.yaml:4: unknown key", "2 steps passed")
    assert_reads("proposed.md", comment)
    pull.expect_status("preflight/unit", "success")

    pull.push(DEVELOPER, {".github/preflight.yaml": proposed})
    pull.expect_status(OWN_VERSION, "success")
    assert "can't be used" not in pull.expect_comment("2 steps passed", pull.head_sha[:7])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a param that the DAG does not know": (
        {"dag": "checks", "params": {"stepz": {"test": "true"}}},
        ":5: 'pipelines.unit.params.stepz': DAG 'checks' has no param 'stepz': did you mean 'steps'?",
    ),
    "a param of the wrong type": (
        {"dag": "checks", "params": {"timeout": "an hour"}},
        ":5: 'pipelines.unit.params.timeout': must be integer, as the DAG's param is, not string",
    ),
    "a DAG that is not allowed": (
        {"dag": "contract_slow"},
        ":3: 'pipelines.unit.dag': DAG 'contract_slow' is not allowed here: the operator does not list it",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_airflow_would_not_do_is_a_wrong_configuration(
    repository_with: MakeRepository, name: str
) -> None:
    pipeline, problem = WRONG[name]
    pull = repository_with({"unit": pipeline}).opened()

    pull.expect_status("preflight/config", "failure", CANNOT)
    pull.expect_comment(f"    .github/preflight.yaml{problem}\n")
    assert list(pull.combined()) == ["preflight/config"]
    pull.expect_dag_runs()


def test_a_dag_that_does_not_exist(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "cheks"}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'cheks' not found")
    assert_reads("no-dag.md", pull.expect_comment("DAG 'cheks' not found"))
    pull.expect_dag_runs()


def test_a_dag_that_is_paused(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "contract_paused"}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'contract_paused' is paused")
    pull.expect_dag_runs()


def test_a_param_that_the_dag_refuses(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "checks", "params": {"timeout": 0}}}).opened()

    pull.expect_status("preflight/unit", "error", "error: DAG 'checks' refuses its params: ")
    pull.expect_dag_runs()


def test_a_repository_without_pipelines_is_left_alone(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")})
    repository.push(DEVELOPER, {".github/preflight.yaml": None})

    pull = repository.opened()
    strange = repository.opened(by=STRANGER, fork=True, branch="strange")
    asked = pull.says("/test"), pull.says("/tset"), pull.says("/help", by=STRANGER)

    for comment in asked:
        pull.expect_silence(comment)
    for each in (pull, strange):
        assert each.statuses() == []
        assert not each.comments(by=each.bot.login)
        each.expect_dag_runs()


def test_a_repository_that_loses_its_pipelines_is_left_alone(repository_with: MakeRepository) -> None:
    repository = repository_with(BROKEN)
    pull = repository.opened()
    pull.expect_comment(".github/preflight.yaml:4: unknown key")

    repository.push(DEVELOPER, {".github/preflight.yaml": None})

    pull.expect_status("preflight/config", "success", "preflight.yaml is fine again")
    pull.bot.rest()
    assert pull.sticky_comments() == []


def test_the_owner_s_configuration_is_for_whoever_has_none(
    bot: Bot, airflow: AirflowView, github: Standin
) -> None:
    shared = make_repository(
        github,
        "acme/.github",
        bot,
        airflow,
        configuration=written({"own": checks(test="true")}),
    )
    shared.push(DEVELOPER, {"preflight.yaml": BROKEN})
    bot.rest()
    without = make_repository(github, "acme/without", bot, airflow, configuration=BROKEN)
    without.push(DEVELOPER, {".github/preflight.yaml": None})
    pull = without.opened()
    pull.expect_status("preflight/config", "failure", CANNOT)
    pull.expect_comment("acme/.github:preflight.yaml:4: unknown key")

    shared.push(DEVELOPER, {"preflight.yaml": written({"everywhere": checks(test="true")})})

    pull.expect_status("preflight/config", "success")
    pull.expect_status("preflight/everywhere", "success")
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["PULL_BASE_SHA"] == without.tip()

    shared.push(DEVELOPER, {"preflight.yaml": None})
    bot.rest()


def test_steps_keep_their_order(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(zebra="true", monkey="true", ant="true")}).opened()

    comment = pull.expect_comment("4 steps passed")

    assert comment.index("`zebra`") < comment.index("`monkey`") < comment.index("`ant`")
