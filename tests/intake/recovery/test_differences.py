"""Where GitHub's pull requests are not as we think."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.intake.recovery.differences import MISSED, Difference, Kind, differences, unsure
from bot.models import KnownPull
from bot.policy.texts import DRAFT, WAITING
from tests.examples import HEAD, NOON, sha
from tests.intake.recovery.making_good import HOUR, listed

if TYPE_CHECKING:
    from bot.models import ListedPull


def known(
    *,
    is_open: bool = True,
    head_sha: str = HEAD,
    base_ref: str = "main",
    heads: tuple[str, ...] = (HEAD,),
    told: tuple[str, ...] = (HEAD,),
    waits: tuple[str, ...] = (),
) -> KnownPull:
    """One that is as GitHub says."""
    return KnownPull(12, is_open, head_sha, base_ref, frozenset(heads), frozenset(told), frozenset(waits))


@pytest.mark.parametrize(
    ("there", "here", "kind"),
    [
        pytest.param(listed(), known(), None, id="all-is-well"),
        pytest.param(listed(), None, Kind.NEW_HEAD, id="opened"),
        pytest.param(listed(head_sha=sha(2)), known(), Kind.NEW_HEAD, id="pushed"),
        pytest.param(listed(), known(head_sha=sha(2)), None, id="pushed-back-to-a-head-that-ran"),
        pytest.param(listed(is_open=False), known(), Kind.CLOSED, id="closed"),
        pytest.param(listed(is_open=False), known(is_open=False), None, id="closed-as-we-know"),
        pytest.param(listed(is_open=False), None, None, id="closed-without-our-hearing-of-it"),
        pytest.param(listed(), known(is_open=False), Kind.REOPENED, id="reopened"),
        pytest.param(listed(base_ref="next"), known(), Kind.OTHER_BASE, id="another-base"),
        pytest.param(listed(), known(base_ref=""), None, id="a-base-that-nobody-remembered"),
        pytest.param(listed(), known(waits=(DRAFT,)), Kind.READY, id="ready-for-review"),
        pytest.param(listed(draft=True), known(waits=(DRAFT,)), None, id="still-a-draft"),
        pytest.param(listed(), known(waits=(WAITING,)), None, id="waits-for-approval"),
        pytest.param(listed(), known(told=()), Kind.NEVER_RAN, id="nothing-ever-ran"),
    ],
)
def test_one_pull_request(there: ListedPull, here: KnownPull | None, kind: Kind | None) -> None:
    found = differences([there], {} if here is None else {12: here})

    assert found == ([] if kind is None else [Difference(12, kind, there.head_sha, there.base_ref)])


def test_they_are_told_by_number() -> None:
    found = differences([listed(3), listed(1), listed(2)], {2: known()})
    assert [one.number for one in found] == [1, 3]


def test_that_nothing_ran_is_no_missed_event() -> None:
    assert set(Kind) - MISSED == {Kind.NEVER_RAN}


@pytest.mark.parametrize(
    ("there", "here", "is_unsure"),
    [
        pytest.param(listed(created_at=NOON - HOUR), None, True, id="opened-before-us-and-changed-since"),
        pytest.param(listed(), None, False, id="opened-since"),
        pytest.param(listed(created_at=NOON - HOUR), known(), False, id="we-heard-of-it"),
        pytest.param(listed(created_at=NOON - HOUR, is_open=False), None, False, id="closed"),
    ],
)
def test_a_comment_changes_a_pull_request_too(
    there: ListedPull, here: KnownPull | None, *, is_unsure: bool
) -> None:
    assert unsure([there], {} if here is None else {12: here}, NOON) == ([there] if is_unsure else [])
