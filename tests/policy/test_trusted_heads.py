"""`preflight.trusted`: whether a head may run by itself, or only because somebody approved it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.events.push import PushEvent
from bot.policy.decision import StartRun
from bot.policy.operator import Operator
from tests.examples import HEAD, branch, pull, sha
from tests.policy.deciding import Known, comment, opened, queued, started

if TYPE_CHECKING:
    from bot.events.types import Event
    from bot.models import PullRequest

APPROVED = frozenset({HEAD})
FROM_A_FORK = pull(author="mallory", head_repository="mallory/widgets")
ALICES_FORK = pull(head_repository="alice/widgets")
ONCE = "{approve: pull_request, pipelines: {unit: {dag: checks}}}"


def trusted(known: Known, *bodies: str, who: str = "rita") -> set[bool]:
    """What the runs say that start when the pull request is opened, or else by these comments."""
    events: list[Event] = [comment(body, who) for body in bodies]
    events = events or [opened()]
    actions = [action for event in events for action in known.decide(event).actions]
    return {action.trusted for action in actions if isinstance(action, StartRun)}


@pytest.mark.parametrize(
    ("who", "pushers", "approved", "expected"),
    [
        pytest.param(pull(), {}, frozenset(), True, id="an-author-who-may-write"),
        pytest.param(ALICES_FORK, {HEAD: "alice"}, frozenset(), True, id="from-the-authors-fork"),
        pytest.param(pull(), {}, APPROVED, True, id="who-did-not-need-the-approval"),
        pytest.param(FROM_A_FORK, {HEAD: "mallory"}, APPROVED, False, id="a-stranger"),
        pytest.param(pull(), {HEAD: "mallory"}, APPROVED, False, id="a-stranger-pushed-it"),
        pytest.param(ALICES_FORK, {}, APPROVED, False, id="nobody-knows-who-pushed-it"),
        pytest.param(pull(head_repository="eve/widgets"), {}, APPROVED, False, id="another-persons-fork"),
        pytest.param(pull(author="x[bot]"), {}, APPROVED, False, id="an-app-that-is-not-listed"),
    ],
)
def test_a_head_is_trusted_if_it_needs_nobodys_approval(
    who: PullRequest, pushers: dict[str, str], approved: frozenset[str], *, expected: bool
) -> None:
    known = Known(pull=who, pushers=pushers, approved=approved)
    assert trusted(known) == {expected}
    assert trusted(known, "/test", "/dryrun") == {expected}


@pytest.mark.parametrize("body", [f"/ok-to-test {HEAD}", f"/ok-to-test {HEAD}\n/test unit"])
def test_the_very_approval_trusts_nobody(body: str) -> None:
    assert trusted(Known(pull=FROM_A_FORK), body) == {False}


def test_nor_does_one_of_an_earlier_head_that_counts_for_all() -> None:
    assert trusted(Known(pull=FROM_A_FORK, yaml=ONCE, approved=frozenset({sha(1)}))) == {False}


def test_an_approved_author_of_a_listed_team_is_trusted() -> None:
    known = Known(
        pull=FROM_A_FORK,
        pushers={HEAD: "mallory"},
        approved=APPROVED,
        operator=Operator(trust=("acme/ci",)),
        members={"acme/ci": ["mallory"]},
    )
    assert trusted(known) == {True}


GROUP, PUSHED = branch(merge_group=True), branch()


@pytest.mark.parametrize(
    ("known", "event"),
    [
        pytest.param(Known(branch=GROUP), queued(GROUP), id="merge-group"),
        pytest.param(
            Known(branch=PUSHED, yaml="pipelines: {unit: {dag: checks, on: push}}", tip=HEAD),
            PushEvent(PUSHED, "mallory", changes_configuration=False),
            id="pushed-branch",
        ),
    ],
)
def test_what_no_pull_request_brought_is(known: Known, event: Event) -> None:
    decision = known.decide(event)
    assert started(decision) == ["unit"]
    assert {one.trusted for one in decision.actions if isinstance(one, StartRun)} == {True}


@pytest.mark.parametrize("event", [opened(), comment("/test", "rita")], ids=["opened", "/test"])
def test_of_a_trusted_author_nothing_more_is_asked(event: Event) -> None:
    """Who wrote it, and who pushed it; each once."""
    known = Known(pull=ALICES_FORK, pushers={HEAD: "alice"})
    known.decide(event)
    people = [asked for asked in known.asked if asked.startswith(("permission", "member"))]
    assert people == ["permission alice"]


def test_of_an_approved_head_nothing_is_asked_that_starts_no_run() -> None:
    known = Known(pull=FROM_A_FORK, approved=APPROVED, yaml="pipelines: {unit: {dag: checks, manual: true}}")
    known.decide(opened())
    assert not [asked for asked in known.asked if asked.startswith("permission")]
