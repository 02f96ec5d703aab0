"""What happens to a run when people change their minds in the middle of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, checks, until_there, written
from tests.stories.snapshots import assert_reads
from tests.stories.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_standin import Standin
    from tests.stories.conftest import MakeRepository

# Its first commit keeps it busy for a minute, any later one for no time at all.
PATIENT = {"unit": checks(test="if grep -q changed src/app.py; then sleep 60; fi")}
QUICKLY = {"src/app.py": "print('done')\n"}


def test_a_push_supersedes_what_runs(repository_with: MakeRepository) -> None:
    pull = repository_with(PATIENT).opened()
    old = pull.head_sha
    pull.expect_running("test")

    new = pull.push(DEVELOPER, QUICKLY)

    superseded = f"cancelled: superseded by {new[:7]}"
    pull.expect_status("preflight/unit", "error", superseded, sha=old)
    pull.expect_status("preflight/unit", "success", sha=new)
    pull.expect_comment("passed", new[:7])
    stopped, passed = pull.expect_dag_runs("failed", "success")
    assert (stopped.conf["PULL_PULL_SHA"], passed.conf["PULL_PULL_SHA"]) == (old, new)
    pull.expect_history("preflight/unit", "pending", "error", sha=old)
    pull.expect_history("preflight/unit", "pending", "success", sha=new)
    pull.expect_comment("passed", new[:7])


def test_cancel_stops_it_and_test_runs_it_again(repository_with: MakeRepository) -> None:
    repository = repository_with(PATIENT)
    pull = repository.opened()
    pull.expect_running("test")

    cancel = pull.says("Not now, its test is wrong.\n\n/cancel\n")
    pull.expect_reaction(cancel)
    pull.expect_status("preflight/unit", "error", f"cancelled: by {DEVELOPER}")
    assert_reads("cancelled.md", pull.expect_comment(f"cancelled: by {DEVELOPER}", "`/retest`"))
    pull.expect_dag_runs("failed")

    repository.configure(written({"unit": checks(test="true")}))
    test = pull.says("/test")
    pull.expect_reaction(test)
    pull.expect_status("preflight/unit", "success")
    pull.expect_history("preflight/unit", "pending", "error", "pending", "success")
    again = pull.expect_dag_runs("failed", "success")[1]
    assert again.conf["preflight"]["trigger"] == "command"
    assert again.conf["PULL_BASE_SHA"] == repository.tip()
    assert len(pull.comments(by=pull.bot.login)) == 1


def test_test_in_the_middle_takes_the_place_of_what_runs(repository_with: MakeRepository) -> None:
    repository = repository_with(PATIENT)
    pull = repository.opened()
    pull.expect_running("test")

    repository.configure(written({"unit": checks(test="sleep 3")}))
    pull.says("/test unit")

    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("failed", "success")
    pull.expect_history("preflight/unit", "pending", "success")
    pull.expect_comment("**`unit` passed**")


def test_closing_stops_it_and_reopening_runs_it_again(repository_with: MakeRepository) -> None:
    repository = repository_with(PATIENT)
    pull = repository.opened()
    pull.expect_running("test")

    pull.close(DEVELOPER)
    pull.expect_status("preflight/unit", "error", "cancelled: pull request closed")
    pull.expect_dag_runs("failed")

    repository.configure(written({"unit": checks(test="true")}))
    pull.reopen(DEVELOPER)
    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("failed", "success")
    pull.expect_history("preflight/unit", "pending", "error", "pending", "success")


def test_closed_is_heard_before_the_last_push(repository_with: MakeRepository, github: Standin) -> None:
    pull = repository_with(PATIENT).opened()
    old = pull.head_sha
    pull.expect_running("test")

    github.delivery_fault("reorder", event="pull_request", times=2)
    pull.push(DEVELOPER, QUICKLY)
    pull.close(DEVELOPER)

    heard = [
        each.action for each in sorted(github.settle(), key=lambda each: each.sent_at or 0) if each.action
    ]
    assert heard[-2:] == ["closed", "synchronize"]
    pull.expect_status("preflight/unit", "error", "cancelled: ", sha=old)
    pull.expect_dag_runs("failed")
    assert pull.statuses() == []


def test_a_pull_request_is_heard_of_before_it_is_shown(
    repository_with: MakeRepository, github: Standin
) -> None:
    repository = repository_with({"unit": checks(test="true")})
    github.fault(rf"/repos/{repository.full_name}/pulls/1$", method="GET", status=404, times=2)

    pull = repository.opened()

    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success")
    asked = github.requests(method="GET", path=rf"^/repos/{repository.full_name}/pulls/1$")
    assert [request.status for request in asked][:3] == [404, 404, 200]


def test_many_pushes_run_only_where_they_ended(repository_with: MakeRepository) -> None:
    pull = repository_with(PATIENT).opened()
    changes = [*({"src/app.py": f"print('changed {number}')\n"} for number in range(3)), QUICKLY]
    heads = [pull.head_sha, *(pull.push(DEVELOPER, change) for change in changes)]

    pull.expect_status("preflight/unit", "success")
    pull.bot.rest()
    pull.expect_history("preflight/unit", "pending", "success")
    for head in heads[:-1]:
        shown = pull.combined(sha=head)
        assert all(status.state == "error" for status in shown.values()), pull.so_far()
    until(lambda: all(run.state in ("failed", "success") for run in pull.dag_runs()), "an end of all runs")
    # What Airflow calls one that was stopped early depends on how far it was: only the last one counts.
    assert [run.state for run in pull.dag_runs() if run.conf["PULL_PULL_SHA"] == heads[-1]] == ["success"]


def test_what_is_not_superseded_runs_to_its_end(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(
        {
            "unit": checks(test=until_there(gate)),
            "soak": checks(test=until_there(gate)) | {"supersede": False},
        }
    )
    pull = repository.opened()
    old = pull.head_sha
    until(lambda: len(pull.dag_runs()) == 2, "both runs", pull.so_far)
    for run in (0, 1):
        pull.expect_running("test", run=run)

    new = pull.pushed()

    pull.expect_status("preflight/unit", "error", f"cancelled: superseded by {new[:7]}", sha=old)
    pull.expect_status("preflight/soak", "pending", sha=old)
    until(lambda: len(pull.dag_runs()) == 4, "both runs anew", pull.so_far)
    gate.touch()
    pull.expect_status("preflight/soak", "success", sha=old)
    for name in ("unit", "soak"):
        pull.expect_status(f"preflight/{name}", "success", sha=new)
    pull.expect_comment("**All 2 pipelines passed**", new[:7])
    pull.bot.rest()
    assert sorted(run.state for run in pull.dag_runs()) == ["failed", "success", "success", "success"]
