"""Whose turn it is: limits, what waits for what, and how long."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, checks, until_there, written
from tests.stories.snapshots import assert_reads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.airflow_view import AirflowRun
    from tests.stories.conftest import MakeRepository


def assert_one_after_the_other(runs: list[AirflowRun]) -> None:
    """No two of them were in Airflow at once, and they began in this order."""
    for before, after in pairwise(runs):
        assert before.ended_at is not None
        assert after.started_at is not None
        assert before.ended_at <= after.started_at


def test_five_pull_requests_and_one_place(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with({"unit": checks(test=until_there(gate)) | {"max_concurrency": 1}})

    pulls = []
    for number in range(5):
        pulls.append(repository.opened(branch=f"change-{number}"))
        pulls[-1].expect_status("preflight/unit", "pending")  # so that their order is known
    for number in (1, 2, 3, 4):
        pulls[number].expect_status("preflight/unit", "pending", f"queued: {number} ahead")
    pulls[0].expect_running("test")
    pulls[3].expect_comment("| queued |")
    assert len(repository.dag_runs()) == 1

    pulls[1].says("/cancel")
    pulls[3].close(DEVELOPER)
    pulls[1].expect_status("preflight/unit", "error", f"cancelled: by {DEVELOPER}")
    pulls[3].expect_status("preflight/unit", "error", "cancelled: pull request closed")
    pulls[1].says("/retest")
    for number, ahead in ((2, 1), (4, 2), (1, 3)):
        pulls[number].expect_status("preflight/unit", "pending", f"queued: {ahead} ahead", hurried=True)
    gate.touch()

    for number in (0, 2, 4, 1):
        pulls[number].expect_status("preflight/unit", "success")
    repository.bot.rest()
    runs = [run for number in (0, 2, 4, 1) for run in pulls[number].dag_runs()]
    assert [run.state for run in runs] == ["success"] * 4
    assert_one_after_the_other(runs)
    assert pulls[3].dag_runs() == []


def test_what_ends_gives_its_place_on(repository_with: MakeRepository, tmp_path: Path) -> None:
    """A push, a draft and a cancellation of what runs, not of what waits."""
    gate = tmp_path / "gate"
    repository = repository_with(
        written(
            {
                "unit": checks(test=f"grep -q done src/app.py || {{ {until_there(gate)}; }}"),
                "lint": checks(test="true"),
            },
            max_concurrency=1,
        )
    )
    first = repository.opened(branch="first")
    first.expect_running("test")
    first.expect_status("preflight/lint", "pending", "queued: 1 ahead")
    second = repository.opened(branch="second", files={"src/app.py": "print('done')\n"})
    second.expect_status("preflight/lint", "pending", "queued: 3 ahead")

    first.says("/cancel unit")

    first.expect_status("preflight/unit", "error", f"cancelled: by {DEVELOPER}")
    first.expect_status("preflight/lint", "success")
    for name in ("unit", "lint"):
        second.expect_status(f"preflight/{name}", "success")
    first.bot.rest()
    runs = sorted(repository.dag_runs(), key=lambda run: str(run.started_at))
    assert [run.conf["JOB_NAME"] for run in runs] == ["unit", "lint", "unit", "lint"]
    assert_one_after_the_other(runs)


def test_a_pipeline_waits_for_what_it_needs(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(
        {
            "e2e": checks(test="true") | {"needs": ["unit", "lint"]},
            "unit": checks(test=until_there(gate)),
            "lint": checks(test="true"),
            "docs": checks(test="true") | {"paths": ["docs/**"]},
            "site": checks(test="true") | {"needs": ["docs"]},
        }
    )
    pull = repository.opened()
    pull.expect_status("preflight/lint", "success")
    pull.expect_status("preflight/e2e", "pending", "waits for unit")
    pull.expect_comment("waits for unit")
    pull.expect_status("preflight/site", "success", "2 steps passed")  # what was skipped is no obstacle
    gate.touch()

    pull.expect_status("preflight/e2e", "success")
    pull.expect_comment("**All 4 pipelines passed**")
    runs = {run.conf["JOB_NAME"]: run for run in pull.expect_dag_runs(*["success"] * 4)}
    assert_one_after_the_other([runs["unit"], runs["e2e"]])


def test_time_runs_out_at_work_and_in_the_queue(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(
        written(
            {
                "long": checks(test=until_there(gate)),
                "short": checks(test=f"test -e {gate} || sleep 100") | {"timeout": "5s"},
            },
            max_concurrency=1,
        )
    )
    pull = repository.opened()
    pull.expect_running("test")

    pull.expect_status("preflight/short", "failure", "timed out after 5s")
    pull.expect_comment("timed out after 5s")
    (long,) = pull.dag_runs()
    assert long.conf["JOB_NAME"] == "long"
    pull.says("/cancel")
    pull.expect_status("preflight/long", "error", f"cancelled: by {DEVELOPER}")

    pull.says("/test short")
    pull.expect_running("test")
    timed_out = pull.expect_status("preflight/short", "failure", "timed out after 5s")
    comment = pull.expect_comment("⏱️ [`short`]", "timed out after 5s", "Steps of <code>short</code>")
    assert_reads("timed-out.md", comment)
    pull.expect_dag_runs("failed", "failed")

    gate.touch()
    pull.says("/retest short")
    passed = pull.expect_status("preflight/short", "success", "2 steps passed")
    pull.expect_dag_runs("failed", "success")
    assert passed.target_url == timed_out.target_url
