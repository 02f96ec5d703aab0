"""`/override NAME REASON`: a maintainer's word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import Outcome, Permission, Phase, Status, StatusState, Verdict
from bot.policy.decision import DecisionKind, ShowStatus
from tests.examples import HEAD, NOON, at, branch, run
from tests.policy.deciding import Known, answer, comment, opened, queued, shown, started

OVERRIDDEN = Verdict(
    "preflight/unit",
    "unit",
    status=Status("preflight/unit", StatusState.SUCCESS, "overridden by @rita: flaky"),
    override=True,
)
FAILED = replace(run(), phase=Phase.FINISHED, outcome=Outcome.FAILURE)


@pytest.mark.parametrize("role", Permission, ids=lambda role: role.value)
def test_takes_the_maintain_or_admin_role(role: Permission) -> None:
    known = Known(roles={"alice": Permission.WRITE, "rita": role}, runs=(FAILED,))
    decision = known.decide(comment("/override unit known to be flaky", "rita"))
    may = role in (Permission.MAINTAIN, Permission.ADMIN)
    assert (decision.kind is DecisionKind.RUN) is may
    if may:
        assert shown(decision) == {"preflight/unit": ("success", "overridden by @rita: known to be flaky")}
        assert all(one.override for one in decision.actions if isinstance(one, ShowStatus))
    else:
        assert shown(decision) == {}
        assert "maintain or admin" in str(answer(decision))


@pytest.mark.parametrize("body", ["/override", "/override unit"])
def test_needs_a_name_and_a_reason(body: str) -> None:
    decision = Known().decide(comment(body, "rita"))
    assert shown(decision) == {}
    assert "/override NAME REASON" in str(answer(decision))


def test_of_an_unknown_pipeline_suggests_one() -> None:
    decision = Known().decide(comment("/override unti because", "rita"))
    assert shown(decision) == {}
    assert "Did you mean `unit`?" in str(answer(decision))


@pytest.mark.parametrize("name", ["unit", "preflight/unit"])
def test_takes_the_name_or_the_context(name: str) -> None:
    assert shown(Known().decide(comment(f"/override {name} why not", "rita")))


def test_outlives_pushes_of_the_same_head() -> None:
    known = Known(runs=(FAILED,), verdicts=(OVERRIDDEN,))
    assert known.decide(opened()).actions == ()


def test_does_not_carry_over_to_a_merge_group() -> None:
    group = branch("gh-readonly-queue/main/pr-12", head_sha=HEAD, merge_group=True)
    known = Known(branch=group)
    assert started(known.decide(queued(group))) == ["unit"]


@pytest.mark.parametrize(("seconds", "overridden"), [(-60, True), (60, False)])
def test_is_about_the_head_that_was_there_when_it_was_said(seconds: float, *, overridden: bool) -> None:
    """What is pushed a moment later, nobody has looked at."""
    known = Known(head_seen_at=at(seconds))
    decision = known.decide(replace(comment("/override unit flaky", "rita"), created_at=NOON))
    assert bool(shown(decision)) is overridden
    if not overridden:
        assert "say it again" in str(answer(decision))
