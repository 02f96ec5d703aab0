"""How a pull request learns what its pipelines found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.stories.pages import page_at
from tests.stories.pulls import DEVELOPER, STRANGER, checks, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from tests.stories.bots import Bot
    from tests.stories.conftest import MakeRepository


def test_opened_then_green(repository_with: MakeRepository, bot: Bot) -> None:
    repository = repository_with({"unit": checks(lint="echo no complaints", test="echo 12 passed")})

    pull = repository.opened()

    status = pull.expect_status("preflight/unit", "success", "3 steps passed in")
    pull.expect_history("preflight/unit", "pending", "success")
    assert_reads("green.md", pull.expect_comment("unit", "passed"))
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["PULL_PULL_SHA"] == pull.head_sha
    assert run.conf["PULL_BASE_SHA"] == repository.tip()
    assert bot.figures()['preflight_nudges_total{result="known"}'] > 0

    page = page_at(status.target_url)
    assert page.status_code == 200
    for shown in ("unit", "clone", "lint", "test", "no complaints", "12 passed", "succeeded"):
        assert shown in page.text
    assert re.findall(r"<script[^>]*>([^<]*)", page.text) == [""]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_private_repository_s_page_is_not_shown(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": {"dag": "cheks"}}, private=True).opened()

    status = pull.expect_status("preflight/unit", "error", "error: DAG 'cheks' not found")

    page = page_at(status.target_url)
    assert page.status_code == 404
    assert pull.repository.full_name not in page.text


def test_a_failing_step_turns_it_red(repository_with: MakeRepository) -> None:
    repository = repository_with(
        {
            "unit": checks(
                lint="true",
                test="echo collecting; echo 'E   AssertionError: 41 is not 42'; echo '1 failed'; exit 3",
            )
        }
    )

    pull = repository.opened()

    pull.expect_status("preflight/unit", "failure", "test failed: exit 3 after")
    pull.expect_history("preflight/unit", "pending", "failure")
    comment = pull.expect_comment("AssertionError: 41 is not 42", "`/retest`")
    assert_reads("red.md", comment)
    for remark in ("Traceback", "AirflowFailException", "airflow", "python", "/artifacts/"):
        assert remark not in comment
    pull.expect_dag_runs("failed")


def test_a_merge_conflict_names_the_files(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="true")}, files={"shared.txt": "one\n"})
    repository.push(DEVELOPER, {"shared.txt": "mine\n"}, branch="change")
    repository.push(DEVELOPER, {"shared.txt": "theirs\n"})

    pull = repository.opened(files=None)

    pull.expect_status("preflight/unit", "failure", "clone failed: merge conflict in shared.txt")
    assert_reads("conflict.md", pull.expect_comment("**`unit` failed**", "merge conflict in shared.txt"))
    pull.expect_dag_runs("failed")


def test_two_pull_requests_share_one_head(repository_with: MakeRepository) -> None:
    repository = repository_with({"unit": checks(test="sleep 2")})
    repository.configure(written({"unit": checks(test="sleep 4; exit 1")}), branch="stable")

    first = repository.opened()
    second = repository.opened(files=None, base="stable")

    assert first.head_sha == second.head_sha
    shown = first.expect_status("preflight/unit", "failure")
    assert shown.description is not None
    assert f"#{first.number}: 2 steps passed" in shown.description
    assert f"#{second.number}: test failed: exit 1" in shown.description
    first.expect_history("preflight/unit", "pending", "failure")
    first.expect_comment("passed", "2 steps passed")
    second.expect_comment("test failed: exit 1")
    first.expect_dag_runs("success")
    second.expect_dag_runs("failed")


def test_a_repository_says_when_to_comment(repository_with: MakeRepository) -> None:
    """`report.comment`: only about failures, or never; a stranger's head is about more than results."""
    pipelines = {"unit": checks(test="test -e src/well.py")}
    repository = repository_with(written(pipelines, report={"comment": "failures"}))
    repository.configure(written(pipelines, report={"comment": "off"}), branch="quiet")
    well, ill = {"src/well.py": "print()\n"}, {"src/ill.py": "print()\n"}
    green = repository.opened(branch="green", files=well)
    red = repository.opened(branch="red", files=ill)
    quiet = repository.opened(branch="red-and-quiet", files=ill, base="quiet")
    strange = repository.opened(by=STRANGER, fork=True, branch="strange", files=well, base="quiet")

    green.expect_status("preflight/unit", "success")
    red.expect_comment("**`unit` failed**")
    quiet.expect_status("preflight/unit", "failure")
    strange.expect_comment("/ok-to-test")
    red.push(DEVELOPER, well)
    strange.says(f"/ok-to-test {strange.head_sha[:12]}")
    red.expect_comment("**`unit` passed**")
    strange.expect_status("preflight/unit", "success")

    red.bot.rest()
    assert [pull.sticky_comments() for pull in (green, quiet, strange)] == [[], [], []]
