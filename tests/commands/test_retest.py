"""`/retest`: what runs again, and what goes on where it failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.models import CancelKind, Outcome, Phase, Status, StatusState, Step, StepState, Verdict
from bot.policy.decision import DecisionKind
from tests.examples import NOON, run, sha
from tests.policy.deciding import Known, answer, comment, resumed, started, stopped

if TYPE_CHECKING:
    from bot.models import Run

TWO = "pipelines: {unit: {dag: checks}, docs: {dag: docs}}"


def ended(pipeline: str = "unit", outcome: Outcome = Outcome.FAILURE, **fields: object) -> Run:
    """A run that ended in Airflow an hour ago."""
    one = replace(
        run(pipeline, dag_id="docs" if pipeline == "docs" else "checks"),
        phase=Phase.FINISHED,
        outcome=outcome,
        dag_run_id="preflight~1",
        steps=(Step("test", -1, "test", StepState.FAILED),),
        finished_at=NOON - timedelta(hours=1),
    )
    return replace(one, **fields)  # type: ignore[arg-type]  # the names are the test's


@pytest.mark.parametrize(
    "outcome",
    [Outcome.FAILURE, Outcome.ERROR, Outcome.CANCELLED, Outcome.TIMED_OUT],
    ids=lambda outcome: outcome.value,
)
def test_what_did_not_pass_goes_on_where_it_failed(outcome: Outcome) -> None:
    known = Known(yaml=TWO, runs=(ended("unit", outcome), ended("docs", Outcome.SUCCESS)))
    decision = known.decide(comment("/retest"))
    assert resumed(decision) == ["unit"]
    assert started(decision) == []
    assert decision.kind is DecisionKind.RUN


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dag_run_id": None}, "it never reached Airflow"),
        ({"steps": ()}, "it has no steps"),
        ({"conf": {"PULL_BASE_SHA": sha(9)}}, "the base moved"),
        ({"dag_id": "older"}, "it was another DAG"),
        ({"finished_at": NOON - timedelta(days=8)}, "its tree is gone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_otherwise_it_runs_anew(fields: dict[str, object], why: str) -> None:
    decision = Known(runs=(stopped(ended(), **fields),)).decide(comment("/retest"))
    assert resumed(decision) == [], why
    assert started(decision) == ["unit"]


def test_with_other_params_it_runs_anew() -> None:
    yaml = "pipelines: {unit: {dag: checks, params: {steps: {a: b}}}}"
    assert started(Known(yaml=yaml, runs=(ended(),)).decide(comment("/retest"))) == ["unit"]


def test_what_has_no_status_yet_starts() -> None:
    decision = Known(yaml=TWO, runs=(ended("unit", Outcome.SUCCESS),)).decide(comment("/retest"))
    assert started(decision) == ["docs"]


def test_what_runs_is_left_alone() -> None:
    decision = Known(yaml=TWO, runs=(run("unit"), ended("docs", Outcome.SUCCESS))).decide(comment("/retest"))
    assert started(decision) == resumed(decision) == []
    assert "Nothing failed" in str(answer(decision))


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, None], ids=["passed", "running"])
def test_a_named_one_that_did_not_fail_is_left_alone_and_told(outcome: Outcome | None) -> None:
    one = run() if outcome is None else ended("unit", outcome)
    decision = Known(runs=(one,)).decide(comment("/retest unit"))
    assert started(decision) == resumed(decision) == []
    assert "`/test unit`" in str(answer(decision))


def test_a_named_one_that_failed() -> None:
    known = Known(yaml=TWO, runs=(ended("unit"), ended("docs")))
    assert resumed(known.decide(comment("/retest docs"))) == ["docs"]


def test_a_run_for_an_older_head_does_not_count() -> None:
    known = Known(runs=(ended(head_sha=sha(1)),))
    assert started(known.decide(comment("/retest"))) == ["unit"]


@pytest.mark.parametrize(("who", "may"), [("rita", True), ("mallory", False)])
def test_a_run_with_inputs_is_for_those_who_may_give_them(who: str, *, may: bool) -> None:
    yaml = "pipelines: {unit: {dag: checks, inputs: {fast: {type: boolean}}}}"
    one = ended(inputs={"fast": True}, conf={**run().conf, "fast": True})
    known = Known(yaml=yaml, runs=(one, ended(outcome=Outcome.SUCCESS)))
    assert resumed(known.decide(comment("/retest", who))) == (["unit"] if may else [])


def test_what_was_overridden_passed() -> None:
    overridden = Verdict(
        "preflight/unit",
        "unit",
        status=Status("preflight/unit", StatusState.SUCCESS, "overridden"),
        override=True,
    )
    decision = Known(runs=(ended(),), verdicts=(overridden,)).decide(comment("/retest"))
    assert started(decision) == resumed(decision) == []


def test_beside_a_test_of_the_same_pipeline_the_test_counts() -> None:
    decision = Known(runs=(ended(),)).decide(comment("/retest\n/test unit"))
    assert started(decision) == ["unit"]
    assert resumed(decision) == []


def test_what_somebody_cancelled_goes_on() -> None:
    one = ended("unit", Outcome.CANCELLED, cancel="by rita", cancel_kind=CancelKind.COMMAND)
    assert resumed(Known(runs=(one,)).decide(comment("/retest"))) == ["unit"]
