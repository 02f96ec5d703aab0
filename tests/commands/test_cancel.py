"""`/cancel`: who may, and what stops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import CancelKind, Permission, Phase
from bot.policy.decision import Answer, CancelRuns, DecisionKind
from tests.examples import pull, run
from tests.policy.deciding import Known, answer, cancelled, comment, kinds, started

TWO = "pipelines: {unit: {dag: checks}, docs: {dag: docs}}"


def test_stops_all_and_says_who() -> None:
    runs = (run("unit"), run("docs"))
    decision = Known(runs=runs).decide(comment("/cancel", "rita"))
    assert cancelled(decision) == dict.fromkeys((one.id for one in runs), "by rita")
    assert [a.kind for a in decision.actions if isinstance(a, CancelRuns)] == [CancelKind.COMMAND]


def test_stops_those_that_are_named_with_inputs_and_without() -> None:
    runs = (run("unit"), run("docs"), replace(run("docs"), inputs={"fast": True}))
    decision = Known(yaml=TWO, runs=runs).decide(comment("/cancel docs"))
    assert set(cancelled(decision)) == {runs[1].id, runs[2].id}


@pytest.mark.parametrize(
    ("who", "may"),
    [
        pytest.param("rita", True, id="a-trusted-user"),
        pytest.param("mallory", True, id="the-author"),
        pytest.param("Mallory", True, id="the-author-in-other-letters"),
        pytest.param("eve", False, id="anybody-else"),
    ],
)
def test_trusted_users_and_the_author_may(who: str, *, may: bool) -> None:
    known = Known(pull=pull(author="mallory", head_repository="mallory/widgets"), runs=(run(),))
    decision = known.decide(comment("/cancel", who))
    assert bool(cancelled(decision)) is may
    if not may:
        assert kinds(decision) == [Answer]
        assert decision.kind is DecisionKind.DENY
        assert "the pull request's author" in str(answer(decision))


@pytest.mark.parametrize("role", Permission, ids=lambda role: role.value)
def test_write_access_is_needed(role: Permission) -> None:
    known = Known(roles={"alice": Permission.WRITE, "rita": role}, runs=(run(),))
    assert bool(cancelled(known.decide(comment("/cancel", "rita")))) is role.can_write


def test_works_with_a_broken_configuration() -> None:
    one = run()
    assert list(cancelled(Known(yaml="pipelines: 3", runs=(one,)).decide(comment("/cancel")))) == [one.id]


@pytest.mark.parametrize("body", ["/cancel", "/cancel docs", "/cancel unti"])
def test_says_when_there_is_nothing_to_cancel(body: str) -> None:
    decision = Known(yaml=TWO, runs=(replace(run(), phase=Phase.FINISHED),)).decide(comment(body))
    assert cancelled(decision) == {}
    assert answer(decision)


@pytest.mark.parametrize("body", ["/cancel\n/test", "/test\n/cancel"])
def test_beside_a_test_the_old_run_stops_and_the_new_one_runs(body: str) -> None:
    old = run()
    decision = Known(runs=(old,)).decide(comment(body))
    assert cancelled(decision)[old.id] == "by alice"
    assert started(decision) == ["unit"]
