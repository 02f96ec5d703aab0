"""What is tested that is no pull request: merge groups and pushed branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.pulls import DEVELOPER, checks, until_there, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stories.conftest import MakeRepository

UNIT = {"unit": checks(test="true")}


def test_a_merge_group_is_tested_and_merged(repository_with: MakeRepository) -> None:
    repository = repository_with(
        {
            "unit": checks(test="test $(git rev-parse HEAD) = $PULL_PULL_SHA"),
            "docs": checks(test="true") | {"paths": ["docs/**"]},
            "review": checks(test="true") | {"on": ["pull_request"]},
            "queue": checks(test="true") | {"on": ["merge_group"]},
        }
    )
    first = repository.opened(branch="first", files={"src/one.py": "print(1)\n"})
    second = repository.opened(branch="second", files={"docs/two.md": "# Two\n"})
    second.expect_status("preflight/unit", "success")

    one, two = first.enqueue(DEVELOPER), second.enqueue(DEVELOPER)

    for group in (one, two):
        for name in ("unit", "queue"):
            repository.expect_status(group.head_sha, f"preflight/{name}", "success", "2 steps passed")
    repository.expect_status(one.head_sha, "preflight/docs", "success", "skipped: no matching files")
    repository.expect_status(two.head_sha, "preflight/docs", "success", "2 steps passed")
    assert sorted(one.combined()) == ["preflight/docs", "preflight/queue", "preflight/unit"]
    (unit,) = [run for run in repository.dag_runs(two.head_sha) if run.conf["JOB_NAME"] == "unit"]
    expected = {
        "PULL_PULL_SHA": two.head_sha,
        "PULL_BASE_SHA": one.head_sha,
        "PULL_BASE_REF": "main",
        "PULL_REFS": f"main:{one.head_sha},{two.head_sha}",
        "PULL_NUMBER": "",
        "JOB_TYPE": "batch",
    }
    assert {key: unit.conf[key] for key in expected} == expected
    assert unit.conf["preflight"]["trigger"] == "merge_group"

    assert one.merge() == repository.tip()
    assert two.merge() == repository.tip()
    first.bot.rest()
    assert {run.state for run in repository.dag_runs(one.head_sha)} == {"success"}
    assert not [run for pull in (first, second) for run in pull.dag_runs() if run.conf["JOB_TYPE"] == "batch"]


def test_a_group_that_is_taken_apart_is_stopped(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with({"unit": checks(test=until_there(gate)) | {"on": "merge_group"}})
    pulls = [repository.opened(branch=name, files={f"src/{name}.py": "print()\n"}) for name in ("one", "two")]
    one, two = (pull.enqueue(DEVELOPER) for pull in pulls)
    until(lambda: len(repository.dag_runs()) == 2, "a run of each group", repository.bot.told)

    one.dequeue(DEVELOPER)

    for group in (one, two):  # the second was made on top of the first
        repository.expect_status(
            group.head_sha, "preflight/unit", "error", "cancelled: merge group taken apart"
        )
    (again,) = repository.queue()
    assert again.head_sha != two.head_sha
    until(lambda: repository.dag_runs(again.head_sha), "a run of the group anew", repository.bot.told)
    gate.touch()
    repository.expect_status(again.head_sha, "preflight/unit", "success")
    repository.bot.rest()
    assert [run.state for run in repository.dag_runs(again.head_sha)] == ["success"]
    assert len(repository.dag_runs()) == 3
    assert [pull.comments() for pull in pulls] == [[], []]


def test_pushes_are_tested_where_a_pipeline_listens(repository_with: MakeRepository) -> None:
    repository = repository_with(
        {
            "deploy": checks(show="git log -1 --format=%H") | {"on": "push", "branches": ["main", "v*"]},
            "docs": checks(test="true") | {"on": "push", "paths": ["docs/**"]},
            "unit": checks(test="true"),
        }
    )

    pushed = repository.push(DEVELOPER, {"src/app.py": "print('more')\n"})
    repository.expect_status(pushed, "preflight/deploy", "success", "2 steps passed")
    repository.expect_status(pushed, "preflight/docs", "success", "skipped: no matching files")
    (run,) = repository.dag_runs(pushed)
    assert f"{pushed}" in repository.airflow.log(run, "show")
    expected = {
        "PULL_BASE_SHA": pushed,
        "PULL_BASE_REF": "main",
        "PULL_NUMBER": "",
        "JOB_TYPE": "postsubmit",
    }
    assert {key: run.conf[key] for key in expected} == expected

    branched = repository.push(DEVELOPER, {"docs/index.md": "# Docs\n"}, branch="v1")
    repository.expect_status(branched, "preflight/docs", "success", "2 steps passed")
    repository.expect_status(branched, "preflight/deploy", "success", "2 steps passed")

    repository.tag(DEVELOPER, "v1.0", pushed)
    repository.tag(DEVELOPER, "v1.0", None)
    repository.delete_branch(DEVELOPER, "v1")
    elsewhere = repository.push(DEVELOPER, {"src/more.py": "print()\n"}, branch="else")
    repository.expect_status(elsewhere, "preflight/deploy", "success", "skipped: not for branch else")
    repository.expect_status(elsewhere, "preflight/docs", "success", "2 steps passed")  # all there is new
    repository.bot.rest()
    assert len(repository.dag_runs()) == 4


def test_a_branch_is_tested_where_it_ended(repository_with: MakeRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with(written({"deploy": checks(test=until_there(gate)) | {"on": "push"}}))
    first = repository.push(DEVELOPER, {"src/app.py": "print(1)\n"})
    until(lambda: repository.dag_runs(first), "its run", repository.bot.told)

    second = repository.push(DEVELOPER, {"src/app.py": "print(2)\n"})

    repository.expect_status(first, "preflight/deploy", "error", f"cancelled: superseded by {second[:7]}")
    gate.touch()
    repository.expect_status(second, "preflight/deploy", "success")
