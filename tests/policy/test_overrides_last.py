"""A maintainer's override outlives everything at its head but `/test NAME`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.events.pull_request import PullAction
from bot.models import Outcome, Phase, Run, Status, StatusState, Step, StepState, Verdict
from tests.examples import NOON, pull, run
from tests.policy.deciding import Known, comment, opened, resumed, shown, started

TWO = "pipelines: {unit: {dag: checks}, lint: {dag: checks}}"
SAID = Status("preflight/unit", StatusState.SUCCESS, "overridden by @rita: flaky")
OVERRIDE = Verdict("preflight/unit", "unit", status=SAID, override=True)


def failed(pipeline: str) -> Run:
    """A run that can go on where it failed."""
    step = Step("test", -1, "test", StepState.FAILED)
    ended = replace(run(pipeline), phase=Phase.FINISHED, outcome=Outcome.FAILURE, finished_at=NOON)
    return replace(ended, dag_run_id=f"preflight~{pipeline}", steps=(step,))


def test_it_outlives_that_the_pull_request_becomes_a_draft() -> None:
    going = replace(run("unit"), phase=Phase.ACTIVE)
    known = Known(pull=pull(draft=True), runs=(going,), verdicts=(OVERRIDE,))
    assert shown(known.decide(opened(PullAction.DRAFTED))) == {}


@pytest.mark.parametrize("command", ["/retest", "/retest all"])
def test_what_the_same_comment_overrides_is_not_tried_again(command: str) -> None:
    known = Known(yaml=TWO, runs=(failed("unit"), failed("lint")))
    decision = known.decide(comment(f"/override unit flaky\n{command}", "rita"))
    assert resumed(decision) == ["lint"]
    assert shown(decision) == {"preflight/unit": ("success", "overridden by @rita: flaky")}


def test_what_the_same_comment_overrides_does_not_run_with_the_rest() -> None:
    decision = Known(yaml=TWO).decide(comment("/override unit flaky\n/test", "rita"))
    assert started(decision) == ["lint"]
    assert shown(decision) == {"preflight/unit": ("success", "overridden by @rita: flaky")}


def test_naming_it_runs_it() -> None:
    decision = Known(yaml=TWO).decide(comment("/override unit flaky\n/test unit", "rita"))
    assert started(decision) == ["unit"]
    assert shown(decision) == {}
