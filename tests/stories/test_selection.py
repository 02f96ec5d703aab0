"""Which pipelines a pull request gets: drafts, labels, base branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, checks, until_there, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository

DRAFT = "waits until ready for review"


def test_pipelines_without_matching_files_are_skipped(repository_with: MakeRepository) -> None:
    repository = repository_with(
        {
            "unit": checks(test="true") | {"paths": ["src/**"]},
            "docs": checks(links="true") | {"paths": ["docs/**", "*.md"]},
        }
    )

    pull = repository.opened(files={"src/app.py": "print('changed')\n"})

    pull.expect_status("preflight/docs", "success", "skipped: no matching files")
    pull.expect_history("preflight/docs", "success")
    pull.expect_status("preflight/unit", "success")
    assert_reads("skipped.md", pull.expect_comment("docs", "skipped", "unit", "2 steps passed"))
    (run,) = pull.expect_dag_runs("success")
    assert run.conf["JOB_NAME"] == "unit"


def test_a_draft_waits_until_it_is_ready(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(
        {"unit": checks(test=until_there(gate)), "lint": checks(test="true") | {"drafts": True}}
    )

    pull = repository.opened(draft=True)
    pull.expect_status("preflight/unit", "pending", DRAFT)
    pull.expect_status("preflight/lint", "success")
    (lint,) = pull.expect_dag_runs("success")
    assert lint.conf["preflight"]["draft"] is True

    pull.ready(DEVELOPER)
    pull.expect_running("test")
    pull.draft(DEVELOPER)
    pull.expect_status("preflight/unit", "pending", DRAFT, hurried=True)
    pull.expect_dag_runs("success", "failed")

    gate.touch()
    pull.ready(DEVELOPER)
    pull.expect_status("preflight/unit", "success")
    pull.expect_history("preflight/unit", "pending", "success")
    *_, unit = pull.expect_dag_runs("success", "failed", "success")
    assert unit.conf["preflight"]["draft"] is False
    pull.expect_comment("**All 2 pipelines passed**")


def test_labels_ask_for_pipelines(repository_with: MakeRepository) -> None:
    repository = repository_with({"e2e": checks(test="true") | {"labels": ["e2e", "release"]}})
    pull = repository.opened()
    pull.expect_status("preflight/e2e", "success", "skipped: no label e2e or release")
    pull.label(DEVELOPER, "documentation")
    pull.expect_dag_runs()

    pull.label(DEVELOPER, "E2E")
    pull.expect_status("preflight/e2e", "success", "2 steps passed")
    pull.label(DEVELOPER, "release")
    pull.unlabel(DEVELOPER, "E2E")
    pull.unlabel(DEVELOPER, "release")

    (run,) = pull.expect_dag_runs("success")
    assert run.conf["preflight"]["untrusted"]["labels"] == ["documentation", "E2E"]
    pull.expect_status("preflight/e2e", "success", "2 steps passed")


def test_another_base_is_another_question(repository_with: MakeRepository) -> None:
    main = {"unit": checks(test="sleep 100"), "docs": checks(test="true") | {"branches": ["main", "v*"]}}
    repository = repository_with(written(main))
    stable = {
        "unit": checks(test="true"),
        "docs": checks(test="true") | {"branches": ["main", "v*"]},
        "site": checks(test="true") | {"branches_ignore": ["main"]},
    }
    repository.configure(written(stable), branch="stable")
    pull = repository.opened()
    pull.expect_status("preflight/docs", "success", "2 steps passed")
    pull.expect_running("test", run=[run.conf["JOB_NAME"] for run in pull.dag_runs()].index("unit"))

    pull.edit(DEVELOPER, base="stable", title="For stable")

    pull.expect_status("preflight/unit", "success", "2 steps passed")
    pull.expect_status("preflight/docs", "success", "skipped: not for branch stable")
    pull.expect_status("preflight/site", "success", "2 steps passed")
    pull.bot.rest()
    ran = {(run.conf["JOB_NAME"], run.conf["PULL_BASE_REF"]): run.state for run in pull.dag_runs()}
    assert ran == {
        ("unit", "main"): "failed",
        ("docs", "main"): "success",
        ("unit", "stable"): "success",
        ("site", "stable"): "success",
    }

    pull.edit(DEVELOPER, title="Another title is nothing to us")
    pull.bot.rest()
    assert len(pull.dag_runs()) == len(ran)
