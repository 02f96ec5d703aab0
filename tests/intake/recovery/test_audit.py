"""Pull requests that changed while nobody listened and no log tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.adapters.postgres.inbox import AUDIT, BY_AND_BY
from bot.errors import GitHubAway, GitHubNotFound, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from bot.events.recheck import parse
from bot.intake.recovery import audit
from bot.intake.recovery.audit import Audit
from bot.models import KnownPull, Repository
from bot.policy.operator import Operator, Serve
from tests.examples import HEAD, NOON, REPOSITORY, sha
from tests.fakes.recovery import FakePullLists, FakeRecoveryStore
from tests.intake.recovery.making_good import DAY, HOUR, MINUTE, listed

if TYPE_CHECKING:
    from datetime import datetime

    from bot.errors import PreflightError

OTHER = Repository(43, "acme/other")
SINCE = NOON - HOUR


class Audited:
    """An audit of the last hour."""

    def __init__(self) -> None:
        self.github, self.store = FakePullLists(), FakeRecoveryStore()
        operator = Operator((Serve(("acme/*",)),))
        self.audit = Audit(self.github, self.store, lambda: operator, lambda: "preflight[bot]")

    def know(self, number: int, *, head_sha: str = HEAD, is_open: bool = True) -> None:
        """We heard of that pull request."""
        known = KnownPull(
            number, is_open, head_sha, "main", heads=frozenset({head_sha}), told=frozenset({head_sha})
        )
        self.store.known_pulls.setdefault(REPOSITORY.id, {})[number] = known

    def again(self) -> list[int]:
        """The numbers of those that are looked at again, by and by."""
        return [json.loads(one.body)["pull_request"]["number"] for one in self.store.later]


@pytest.fixture
def audited() -> Audited:
    return Audited()


def test_what_changed_unheard_is_looked_at_again(audited: Audited) -> None:
    audited.know(1)
    audited.know(2)
    audited.know(3)
    audited.github.pulls[REPOSITORY.id] = [
        listed(1, head_sha=sha(2)),
        listed(2),
        listed(3, is_open=False),
        listed(4),
        listed(5, is_open=False),
        listed(6, updated_at=SINCE - HOUR),
    ]

    assert audited.audit.of([REPOSITORY], SINCE) == 3
    assert audited.again() == [1, 3, 4]


def test_it_is_our_own_event_in_the_pull_request_s_lane(audited: Audited) -> None:
    audited.github.pulls[REPOSITORY.id] = [listed(12)]
    audited.audit.of([REPOSITORY], SINCE)

    (again,) = audited.store.later
    assert (again.event, again.lane) == ("recheck", "42#12")
    event = parse(json.loads(again.body))
    assert (event.repository, event.number, event.sender) == (REPOSITORY, 12, "preflight[bot]")


def test_the_inbox_knows_it_by_its_id_and_keeps_its_pace(audited: Audited) -> None:
    audited.github.pulls[REPOSITORY.id] = [listed(12)]
    audited.audit.of([REPOSITORY], SINCE)
    assert audited.store.later[0].id.startswith(AUDIT)
    assert BY_AND_BY.total_seconds() == audit.SECONDS_BETWEEN


def test_one_that_changed_just_before_the_gap_is_looked_at_too(audited: Audited) -> None:
    audited.github.pulls[REPOSITORY.id] = [listed(12, updated_at=SINCE - MINUTE)]
    assert audited.audit.of([REPOSITORY], SINCE) == 1


def test_the_same_gap_audited_twice_doubles_nothing(audited: Audited) -> None:
    audited.github.pulls[REPOSITORY.id] = [listed(12)]
    for _ in range(2):
        audited.audit.of([REPOSITORY], SINCE)
    assert audited.again() == [12]

    audited.audit.of([REPOSITORY], SINCE + MINUTE)
    assert audited.again() == [12, 12], "another gap is another matter"


def test_what_is_not_served_is_not_looked_at(audited: Audited) -> None:
    audited.audit.of([Repository(44, "initech/app")], SINCE)
    assert audited.github.asked == []


@pytest.mark.parametrize(
    "error", [GitHubNotFound("it was deleted"), GitHubRefused("it is not installed there")]
)
def test_one_that_can_not_be_seen_holds_no_other_up(audited: Audited, error: PreflightError) -> None:
    audited.github.faults = [error]
    audited.github.pulls[OTHER.id] = [listed(12)]
    assert audited.audit.of([REPOSITORY, OTHER], SINCE) == 1


@pytest.mark.parametrize(
    "error", [GitHubRateLimited("slow down", 9.0), GitHubAway("nothing was sent", 9.0)], ids=repr
)
def test_where_github_wants_a_pause_it_ends_at_once(audited: Audited, error: PreflightError) -> None:
    audited.github.faults = [error]
    with pytest.raises(type(error)):
        audited.audit.of([REPOSITORY, OTHER], SINCE)
    assert audited.github.asked == []


def test_one_that_github_does_not_answer_holds_no_other_up_and_is_told_at_the_end(audited: Audited) -> None:
    audited.github.faults = [GitHubUnavailable("502"), GitHubUnavailable("503")]
    audited.github.pulls[OTHER.id] = [listed(12)]
    with pytest.raises(GitHubUnavailable, match="502"):
        audited.audit.of([REPOSITORY, Repository(44, "acme/third"), OTHER], SINCE)
    assert audited.again() == [12]


class TestFromBeforeUs:
    """A pull request that was opened before we were installed, of which something changed in the gap."""

    @pytest.mark.parametrize(
        ("made", "again"),
        [
            pytest.param(NOON - 30 * DAY, [], id="commented-on"),
            pytest.param(SINCE + MINUTE, [12], id="pushed-to"),
            pytest.param(None, [], id="its-head-is-gone"),
        ],
    )
    def test_starts_only_by_a_new_head(
        self, audited: Audited, made: datetime | None, again: list[int]
    ) -> None:
        audited.github.commits = {} if made is None else {HEAD: made}
        audited.github.pulls[REPOSITORY.id] = [listed(12, created_at=NOON - 30 * DAY)]
        audited.audit.of([REPOSITORY], SINCE)
        assert audited.again() == again

    def test_is_asked_about_only_where_nothing_else_tells(self, audited: Audited) -> None:
        audited.know(1)
        old = NOON - 30 * DAY
        audited.github.pulls[REPOSITORY.id] = [
            listed(1, head_sha=sha(2), created_at=old),
            listed(2, created_at=NOON),
            listed(3, created_at=old, is_open=False),
        ]
        audited.audit.of([REPOSITORY], SINCE)
        assert audited.github.asked == [("pulls_since", REPOSITORY.full_name)]
