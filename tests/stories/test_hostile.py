"""What strangers write is carried as it is: never rendered, expanded, or taken for an option."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.stories.pulls import DEVELOPER, StoryPull, checks, written

if TYPE_CHECKING:
    from tests.stories.airflow_view import AirflowView
    from tests.stories.conftest import MakeRepository

TEMPLATE, SUBSTITUTION, OPTION = "{{ var.value.x }}", "$(id)", "--upload-pack=x"
RENDERED = "this is what the template would have been rendered to"
SHOW_ENVIRONMENT = {"unit": checks(show="env | sort; git log -1 --format=%s; git branch --all")}


@pytest.fixture(scope="module", autouse=True)
def _what_a_template_would_show(airflow: AirflowView) -> None:
    airflow.set_variable("x", RENDERED)


def everything_shown(pull: StoryPull) -> str:
    """Statuses, comments, and the logs of all steps of all runs."""
    logs = [pull.airflow.log(run, step) for run in pull.dag_runs() for step in pull.airflow.steps(run)]
    statuses = [f"{status.description}" for status in pull.statuses()]
    return "\n".join([*statuses, *pull.sticky_comments(), *logs])


def test_titles_branches_and_labels(repository_with: MakeRepository, airflow: AirflowView) -> None:
    repository = repository_with(SHOW_ENVIRONMENT)
    repository.push(DEVELOPER, {"README.md": "# Another base\n"}, branch="-q")
    hostile = ["-q", "$(touch${IFS}pwned)", OPTION, "`id`", "a;id", "{{var.value.x}}"]

    pulls = [
        repository.opened(
            branch=branch, base="main" if branch == "-q" else "-q", title=f"{TEMPLATE} {SUBSTITUTION}"
        )
        for branch in hostile
    ]

    for pull, branch in zip(pulls, hostile, strict=True):
        pull.expect_status("preflight/unit", "success")
        (run,) = pull.expect_dag_runs("success")
        untrusted = run.conf["preflight"].pop("untrusted")
        assert (untrusted["head_ref"], untrusted["title"]) == (branch, f"{TEMPLATE} {SUBSTITUTION}")
        rest = json.dumps(run.conf)
        assert branch == "-q" or branch not in rest
        assert TEMPLATE not in rest
        assert SUBSTITUTION not in rest

        shown = everything_shown(pull)
        assert f"PULL_BASE_REF={pull.show().base_ref}" in shown
        for trace in (RENDERED, "uid=", "pwned"):
            assert trace not in shown
    assert not list(airflow.local.settings.home.rglob("pwned"))


def test_a_step_s_environment_holds_no_secret(repository_with: MakeRepository, airflow: AirflowView) -> None:
    pull = repository_with(SHOW_ENVIRONMENT).opened()

    pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")

    log = airflow.log(run, "show")
    assert f"PULL_PULL_SHA={pull.head_sha}" in log
    assert "AIRFLOW_" not in log
    assert "PREFLIGHT_" not in log
    for name, secret in vars(airflow.local.settings.secrets).items():
        assert secret not in log, name


def test_commands_run_as_they_are_written(repository_with: MakeRepository, airflow: AirflowView) -> None:
    repository = repository_with(
        {
            "unit": checks(
                template=f"printf '<%s>\\n' '{TEMPLATE}'",
                substitution=f"printf '<%s>\\n' '{SUBSTITUTION}' \"$(echo expanded)\"",
                option=OPTION,
            )
        }
    )

    pull = repository.opened()

    pull.expect_status("preflight/unit", "failure", "option failed: exit 127")
    pull.expect_comment(f"{OPTION}: command not found", f"```sh\n{OPTION}\n```")
    (run,) = pull.expect_dag_runs("failed")
    assert airflow.steps(run) == {
        "clone": "success", "template": "success", "substitution": "success", "option": "failed",
    }  # fmt: skip
    lines = {step: airflow.log(run, step).splitlines() for step in airflow.steps(run)}
    assert f"<{TEMPLATE}>" in lines["template"]
    assert f"<{SUBSTITUTION}>" in lines["substitution"]
    assert "<expanded>" in lines["substitution"]
    assert RENDERED not in everything_shown(pull)


def test_params_are_not_rendered(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")})
    for hostile in (TEMPLATE, SUBSTITUTION, OPTION):
        repository.configure(written({"unit": {"dag": "checks", "params": {"steps": {hostile: "true"}}}}))
        pull = repository.opened(branch=f"change-{len(hostile)}")

        pull.expect_status("preflight/unit", "error", "error: DAG 'checks' refuses its params: ")
        pull.expect_dag_runs()
        assert RENDERED not in everything_shown(pull)


def test_files_of_the_pull_request_are_only_files(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(show="ls -A; cat ./-q")})
    files = {"-q": "a file\n", ".gitattributes": "* filter=x\n", ".git-hooks/post-checkout": "exit 1\n"}

    pull = repository.opened(files=files)

    pull.expect_status("preflight/unit", "success")
    assert "a file" in everything_shown(pull)


def test_a_comment_cannot_be_broken_out_of(repository_with: MakeRepository) -> None:
    evil = "error: ```</details> @developer #1 <img src=x> \x1b[31m [link](http://evil.example)"
    repository = repository_with(
        {"unit": checks(test="cat evil.txt; exit 1")}, files={"evil.txt": f"{evil}\n~~~\n````\n"}
    )

    pull = repository.opened()

    comment = pull.expect_comment("test failed: exit 1", "@developer")
    fence = next(line for line in comment.splitlines() if line.startswith("`````"))
    assert comment.count(fence) == 2
    assert comment.index(fence) < comment.index("@developer") < comment.rindex(fence)
    assert "\x1b" not in comment
