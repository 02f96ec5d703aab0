"""Check runs of a GitHub App: how they end, what they say beside the changed lines, and their buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.github_standin.client import StandinError
from tests.stories.apps import OWNER
from tests.stories.check_runs import expect_check, press
from tests.stories.pages import page_at
from tests.stories.pulls import DEVELOPER, STRANGER, checks, until_there, written
from tests.stories.suites import as_pytest, leave
from tests.stories.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_standin.records import CheckAnnotation, Comment
    from tests.stories.apps import Installed

UNIT = "preflight/unit"
CHECKS, BOTH = {"report": {"as": "checks"}}, {"report": {"as": "both"}}


def test_they_end_as_their_runs_do(installed: Installed, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    pipelines = {
        "unit": checks(test=until_there(gate)),
        "bad": checks(test="echo 'error: it broke'; exit 3"),
        "soft": checks(test="exit 1") | {"optional": True},
        "docs": checks(test="true") | {"paths": ["docs/**"]},
        "late": checks(test=until_there(gate)) | {"timeout": "5s"},
        "gone": checks(test=until_there(gate)),
    }
    repository = installed.repository(f"{OWNER}/checks", written(pipelines, **CHECKS))
    repository.require("preflight/unit", "preflight/soft", "preflight/docs")

    pull = repository.opened()

    expect_check(pull, "preflight/docs", "skipped")
    expect_check(pull, "preflight/gone", None, "running", status="in_progress", hurried=True)
    press(pull, "preflight/gone", "Cancel")
    bad = expect_check(pull, "preflight/bad", "failure", "test failed: exit 3")
    assert "error: it broke" in (bad.text or "")
    assert page_at(bad.details_url).status_code == 200
    expect_check(pull, "preflight/soft", "neutral", "test failed: exit 1")
    expect_check(pull, "preflight/late", "timed_out", "timed out after 5s")
    expect_check(pull, "preflight/gone", "cancelled", f"cancelled: by {DEVELOPER}")
    expect_check(pull, UNIT, None, "running", status="in_progress", hurried=True)
    assert pull.unmet() != []
    gate.touch()
    done = expect_check(pull, UNIT, "success", "2 steps passed in")
    assert pull.unmet() == []

    assert [action.label for action in bad.actions] == ["Retry failed", "Dry run"]
    assert [action.label for action in done.actions] == ["Dry run"]
    assert pull.statuses() == []
    installed.bot.rest()
    created = [
        each.payload["check_run"]["status"]
        for each in installed.github.deliveries(event="check_run")
        if each.action == "created" and each.payload["check_run"]["head_sha"] == pull.head_sha
    ]
    assert len(created) == len(pull.check_runs(every=True)) == len(pipelines)
    assert created.count("queued") >= len(pipelines) - 2  # those that wait; one is skipped at once


def test_buttons_do_what_comments_do(installed: Installed, tmp_path: Path) -> None:
    """On a fork's pull request, of which GitHub tells nothing where a button is pressed."""
    gate, mended = tmp_path / "gate", tmp_path / "mended"
    steps = {"lint": "true", "test": f"( {until_there(gate)} ); test -e {mended}"}
    repository = installed.repository(f"{OWNER}/buttons", written({"unit": checks(**steps)}, **BOTH))
    pull = repository.opened(fork=True)
    pull.expect_running("test")
    with pytest.raises(StandinError):
        pull.click(STRANGER, UNIT, "cancel")

    press(pull, UNIT, "Cancel")
    expect_check(pull, UNIT, "cancelled", f"cancelled: by {DEVELOPER}")
    pull.expect_status(UNIT, "error", f"cancelled: by {DEVELOPER}")
    gate.touch()
    press(pull, UNIT, "Retry failed")
    expect_check(pull, UNIT, "failure", "test failed: exit 1")
    mended.touch()
    press(pull, UNIT, "Dry run")
    until(lambda: _dry_runs(pull.comments(by=pull.bot.login)), "the commands", pull.so_far)
    press(pull, UNIT, "Retry failed")
    expect_check(pull, UNIT, "success", "3 steps passed")
    pull.expect_status(UNIT, "success", "3 steps passed")

    real = [run for run in pull.dag_runs() if not run.conf.get("dryrun")]
    assert len(real) == 1
    assert installed.airflow.tries(real[0])["test"] == 3
    assert {check.conclusion for check in pull.check_runs(every=True)} == {"cancelled", "failure", "success"}
    assert len(pull.sticky_comments()) == 1


def _dry_runs(comments: list[Comment]) -> bool:
    return any("Dry run of `unit`" in said.body and "true" in said.body for said in comments)


def test_what_passed_runs_again_if_somebody_wants_so(installed: Installed) -> None:
    pipelines = {"unit": checks(test="true"), "lint": checks(test="true")}
    repository = installed.repository(f"{OWNER}/again", written(pipelines, **CHECKS))
    pull = repository.opened(by=STRANGER, fork=True)
    expect_check(pull, UNIT, None, "waiting for /ok-to-test")
    pull.says(f"/ok-to-test {pull.head_sha[:12]}")
    first = expect_check(pull, UNIT, "success")
    expect_check(pull, "preflight/lint", "success")
    installed.bot.rest()

    pull.rerequest(DEVELOPER, UNIT)

    until(lambda: len(pull.dag_runs()) == 3, "another run", pull.so_far)
    installed.bot.rest()
    second = expect_check(pull, UNIT, "success")
    assert second.id != first.id
    assert second.details_url != first.details_url

    pull.rerequest_suite(DEVELOPER)

    until(lambda: len(pull.dag_runs()) == 5, "both again", pull.so_far)
    pull.expect_dag_runs(*["success"] * 5)
    ended = [check.conclusion for check in pull.check_runs(every=True)]
    assert ended == ["cancelled"] * 2 + ["success"] * 5  # the first two waited for approval


def test_the_worker_dies_between_annotations(installed: Installed) -> None:
    """240 tests fail in changed files: 200 remarks, in batches of 50, none of them twice."""
    github = installed.github
    pipelines = {"unit": checks(one=leave("one.xml"), two=leave("two.xml"))}
    repository = installed.repository(f"{OWNER}/annotated", written(pipelines, **CHECKS))
    files = {}
    for name in ("one", "two"):
        failing = {f"test_{number}": f"assert {number} == 0" for number in range(1, 121)}
        files[f"{name}.xml"] = as_pytest(f"tests/test_{name}.py", failing)
        files[f"tests/test_{name}.py"] = "assert False\n" * 120
    pull = repository.opened(files=files)
    expect_check(pull, UNIT, None)
    github.fault(r"/check-runs/\d+$", method="PATCH", times=None, delay=0.7)

    def annotations() -> list[CheckAnnotation]:
        check = pull.check(UNIT)
        return check.annotations if check else []

    until(lambda: len(annotations()) >= 50, "the first batch", pull.so_far)
    assert len(annotations()) < 200
    installed.bot.crash("worker")
    until(lambda: len(annotations()) == 200, "all batches", pull.so_far)

    installed.bot.rest()
    shown = [(each.path, each.start_line, each.message) for each in annotations()]
    assert len(shown) == len(set(shown)) == 200
    assert shown[0] == ("tests/test_one.py", 1, "assert 1 == 0")
    assert {path for path, _, _ in shown} == {"tests/test_one.py", "tests/test_two.py"}
    assert {each.level for each in annotations()} == {"failure"}
    (check,) = pull.check_runs(every=True)
    assert check.conclusion == "failure"
    assert "120 of 120 tests failed" in (check.text or "")
