"""`/ok-to-test SHA`: an untrusted head, looked at and approved."""

from __future__ import annotations

import pytest

from bot.models import Status, StatusState, Verdict
from bot.policy.decision import Approve, DecisionKind
from tests.examples import HEAD, pull, run, sha
from tests.policy.deciding import Known, answer, comment, notice, opened, shown, started

MALLORYS = pull(author="mallory", head_repository="mallory/widgets")


def approved(known: Known, body: str, who: str = "rita") -> list[str]:
    return [one.sha for one in known.decide(comment(body, who)).actions if isinstance(one, Approve)]


@pytest.mark.parametrize("given", [HEAD[:12], HEAD[:12].upper(), HEAD[:20], HEAD])
def test_approves_and_runs_all_that_waited(given: str) -> None:
    known = Known(pull=MALLORYS, notice="It waits.")
    decision = known.decide(comment(f"/ok-to-test {given}", "rita"))
    assert approved(known, f"/ok-to-test {given}") == [HEAD]
    assert started(decision) == ["unit"]
    assert notice(decision) == ""
    assert answer(decision) == ""


@pytest.mark.parametrize(
    "given", ["", HEAD[:11], sha(7), "latest", HEAD[:12] + "zz", HEAD + "00", "1a2b3c4d5e6g"]
)
def test_anything_but_the_present_head_gets_the_line_to_copy(given: str) -> None:
    known = Known(pull=MALLORYS)
    decision = known.decide(comment(f"/ok-to-test {given}", "rita"))
    assert approved(known, f"/ok-to-test {given}") == started(decision) == []
    assert f"\n/ok-to-test {HEAD[:12]}\n" in str(answer(decision))


@pytest.mark.parametrize("who", ["mallory", "eve"])
def test_only_trusted_users_may(who: str) -> None:
    decision = Known(pull=MALLORYS).decide(comment(f"/ok-to-test {HEAD}", who))
    assert decision.kind is DecisionKind.DENY
    assert started(decision) == []
    assert "write access" in str(answer(decision))


def test_a_trusted_head_needs_none() -> None:
    decision = Known(runs=(run(),)).decide(comment(f"/ok-to-test {HEAD}", "rita"))
    assert started(decision) == []
    assert "Nothing waited" in str(answer(decision))


def test_a_head_that_became_trusted_otherwise_stops_waiting() -> None:
    waits = Verdict("preflight/unit", "unit", status=Status("preflight/unit", StatusState.PENDING, "waits"))
    known = Known(verdicts=(waits,))
    assert started(known.decide(comment(f"/ok-to-test {HEAD}", "rita"))) == ["unit"]


def test_together_with_a_test_runs_what_that_names() -> None:
    yaml = "pipelines: {unit: {dag: checks}, deploy: {dag: deploy, manual: true}}"
    decision = Known(pull=MALLORYS, yaml=yaml).decide(
        comment(f"/test deploy\n/ok-to-test {HEAD[:12]}", "rita")
    )
    assert sorted(started(decision)) == ["deploy", "unit"]


class TestAfterwards:
    def test_the_approved_head_is_trusted(self) -> None:
        known = Known(pull=MALLORYS, approved=frozenset({HEAD}))
        assert started(known.decide(opened(sender="mallory"))) == ["unit"]
        assert started(known.decide(comment("/test", "mallory"))) == ["unit"]

    def test_the_next_push_is_not(self) -> None:
        known = Known(pull=MALLORYS, approved=frozenset({sha(1)}))
        decision = known.decide(opened(sender="mallory"))
        assert started(decision) == []
        assert shown(decision) == {"preflight/unit": ("pending", "waiting for /ok-to-test")}

    def test_unless_the_repository_says_so(self) -> None:
        known = Known(
            pull=MALLORYS,
            yaml="{approve: pull_request, pipelines: {unit: {dag: checks}}}",
            approved=frozenset({sha(1)}),
        )
        assert started(known.decide(opened(sender="mallory"))) == ["unit"]


class TestTheNotice:
    def test_says_what_is_needed_and_by_whom(self) -> None:
        said = str(notice(Known(pull=MALLORYS).decide(opened(sender="mallory"))))
        assert "mallory, who opened it, is not trusted" in said
        assert "write access" in said
        assert f"\n/ok-to-test {HEAD[:12]}\n" in said
        assert "@" not in said

    def test_tells_whom_the_configuration_names(self) -> None:
        yaml = "{notify: ['@acme/maintainers', codeowners], pipelines: {unit: {dag: checks}}}"
        known = Known(pull=MALLORYS, yaml=yaml, codeowners="*.py @carol\n*.js @dave\n")
        said = str(notice(known.decide(opened(sender="mallory"))))
        assert "@acme/maintainers @carol:" in said
        assert "@dave" not in said

    def test_is_said_once(self) -> None:
        first = notice(Known(pull=MALLORYS).decide(opened(sender="mallory")))
        known = Known(pull=MALLORYS, notice=str(first))
        assert notice(known.decide(opened(sender="mallory"))) is None
