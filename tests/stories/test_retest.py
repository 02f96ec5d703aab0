"""`/retest`: what failed goes on in the same DAG run, and what passed is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, STRANGER, checks, until_there
from tests.stories.snapshots import assert_reads
from tests.stories.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository


def test_only_the_step_that_failed_runs_again(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended, counted = tmp_path / "mended", tmp_path / "counted"
    repository = repository_with(
        {"unit": checks(lint=f"echo once >> {counted}", test=f"test -e {mended} || exit 3")}
    )
    pull = repository.opened()
    failed = pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    pull.expect_comment("test failed: exit 3", "`/retest`")
    (before,) = pull.expect_dag_runs("failed")
    mended.touch()

    asked = pull.says("/retest", by=STRANGER)

    passed = pull.expect_status("preflight/unit", "success", "3 steps passed")
    pull.expect_comment("**`unit` passed**", "3 steps passed")
    (after,) = pull.expect_dag_runs("success")
    assert after.id == before.id
    assert pull.airflow.tries(after) == {"clone": 1, "lint": 1, "test": 2}
    assert counted.read_text() == "once\n"
    assert passed.target_url == failed.target_url
    pull.expect_history("preflight/unit", "pending", "failure", "pending", "success")
    pull.expect_no_reply(asked)

    pointless = pull.says("/retest"), pull.says("/retest unit")
    assert "Nothing failed" in pull.expect_reply(pointless[0])
    assert "`unit` did not fail (passed)" in pull.expect_reply(pointless[1])
    pull.expect_dag_runs("success")


def test_it_may_fail_again_and_again(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    pull = repository_with({"unit": checks(lint="true", test=f"test -e {mended}")}).opened()
    pull.expect_status("preflight/unit", "failure")
    for number in (2, 3):
        pull.says("/retest")
        pull.bot.rest()
        (run,) = pull.expect_dag_runs("failed")
        assert pull.airflow.tries(run) == {"clone": 1, "lint": 1, "test": number}
    mended.touch()
    pull.says("/retest unit")
    pull.expect_status("preflight/unit", "success")
    (run,) = pull.expect_dag_runs("success")
    assert pull.airflow.tries(run) == {"clone": 1, "lint": 1, "test": 4}


def test_after_cancel_all_goes_on_that_had_not_passed(repository_with: MakeRepository) -> None:
    """The DAG: a setup, three parts of which one sleeps at its first try, what comes after, a teardown."""
    pull = repository_with({"unit": {"dag": "resume_stopped"}}).opened()
    run = pull.expect_running("part[1]")
    until(lambda: pull.airflow.steps(run).get("good") == "success", "another part's end", pull.so_far)
    pull.says("/cancel")
    cancelled = pull.expect_status("preflight/unit", "error", f"cancelled: by {DEVELOPER}")
    pull.expect_comment(f"cancelled: by {DEVELOPER}", "`/retest`")
    pull.bot.rest()
    assert pull.airflow.steps(run)["after"] == "skipped"

    pull.says("/retest")

    passed = pull.expect_status("preflight/unit", "success")
    (resumed,) = pull.expect_dag_runs("success")
    assert resumed.id == run.id
    assert set(pull.airflow.steps(resumed).values()) == {"success"}
    tries = pull.airflow.tries(resumed)
    assert (tries["good"], tries["bad"]) == (1, 2)
    assert passed.target_url == cancelled.target_url
    pull.expect_history("preflight/unit", "pending", "error", "pending", "success")


def test_minds_change_in_the_middle_of_it(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended, gate = tmp_path / "mended", tmp_path / "gate"
    repository = repository_with({"unit": checks(test=f"test -e {mended} || exit 3; {until_there(gate)}")})
    names = ("twice", "cancelled", "pushed", "closed")
    twice, cancelled, pushed, closed = pulls = [repository.opened(branch=name) for name in names]
    for pull in pulls:
        pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    old = pushed.head_sha
    mended.touch()

    for pull in (*pulls, twice):
        pull.says("/retest")
    for pull in pulls:
        pull.expect_running("test")
    cancelled.says("/cancel")
    pushed.pushed()
    closed.close(DEVELOPER)
    cancelled.expect_status("preflight/unit", "error", f"cancelled: by {DEVELOPER}")
    pushed.expect_status("preflight/unit", "error", f"superseded by {pushed.head_sha[:7]}", sha=old)
    closed.expect_status("preflight/unit", "error", "cancelled: pull request closed")
    cancelled.says("/retest")
    cancelled.expect_running("test")
    closed.reopen(DEVELOPER)
    gate.touch()

    for pull in pulls:
        pull.expect_status("preflight/unit", "success")
        pull.expect_comment("**`unit` passed**", pull.head_sha[:7])
    repository.bot.rest()
    tries = {
        name: [pull.airflow.tries(run)["test"] for run in pull.dag_runs()]
        for name, pull in zip(names, pulls, strict=True)
    }
    assert tries == {"twice": [2], "cancelled": [3], "pushed": [2, 1], "closed": [2, 1]}


def test_what_airflow_has_no_more_begins_anew(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    pull = repository_with({"unit": checks(test=f"test -e {mended}")}).opened()
    failed = pull.expect_status("preflight/unit", "failure")
    (run,) = pull.expect_dag_runs("failed")
    pull.airflow.delete(run)
    mended.touch()

    pull.says("/retest")

    passed = pull.expect_status("preflight/unit", "success", "2 steps passed")
    (anew,) = pull.expect_dag_runs("success")
    assert anew.conf["preflight"]["run_id"] == run.conf["preflight"]["run_id"]
    assert passed.target_url == failed.target_url


def test_a_new_base_is_a_new_run(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    repository = repository_with({"unit": checks(lint="true", test=f"test -e {mended}")})
    pull = repository.opened()
    pull.expect_status("preflight/unit", "failure")
    repository.push(DEVELOPER, {"README.md": "# The base goes on\n"})
    mended.touch()

    pull.says("/retest")

    pull.expect_status("preflight/unit", "success")
    first, second = pull.expect_dag_runs("failed", "success")
    assert first.conf["PULL_BASE_SHA"] != second.conf["PULL_BASE_SHA"] == repository.tip()
    assert pull.airflow.tries(second) == {"clone": 1, "lint": 1, "test": 1}


def test_what_needs_it_comes_with_it(repository_with: MakeRepository, tmp_path: Path) -> None:
    mended, gate = tmp_path / "mended", tmp_path / "gate"
    repository = repository_with(
        {
            "e2e": checks(test="true") | {"needs": ["unit"]},
            "unit": checks(wait=until_there(gate), test=f"test -e {mended}"),
        }
    )
    pull = repository.opened()
    pull.expect_running("wait")
    pull.expect_status("preflight/e2e", "pending", "waits for unit")
    gate.touch()

    pull.expect_status("preflight/unit", "failure", "test failed: exit 1")
    pull.expect_status("preflight/e2e", "error", "not run: it needs unit, which failed")
    comment = pull.expect_comment("not run: it needs unit, which failed")
    assert_reads("needs.md", comment.replace(str(tmp_path), "STORY"))
    pull.expect_dag_runs("failed")

    mended.touch()
    pull.says("/retest")
    pull.expect_status("preflight/unit", "success")
    pull.expect_status("preflight/e2e", "success")
    pull.expect_comment("**All 2 pipelines passed**")
    unit, e2e = sorted(pull.expect_dag_runs("success", "success"), key=lambda run: str(run.started_at))
    assert (unit.conf["JOB_NAME"], e2e.conf["JOB_NAME"]) == ("unit", "e2e")
    assert pull.airflow.tries(unit)["test"] == 2
    assert unit.ended_at is not None
    assert e2e.started_at is not None
    assert unit.ended_at <= e2e.started_at
