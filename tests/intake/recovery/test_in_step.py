"""`sync`: one repository is brought into step with GitHub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubNotFound
from bot.intake.recovery.in_step import InStep, Row
from bot.models import KnownPull, ShownPull, Status, StatusState
from tests.examples import HEAD, NOON, REPOSITORY, sha
from tests.fakes.recovery import FakePullLists, FakeRecoveryStore
from tests.intake.recovery.making_good import listed

if TYPE_CHECKING:
    from bot.models import Delivery

PASSED = Status("preflight/unit", StatusState.SUCCESS, "2 steps passed", "https://preflight.example/runs/1")


class Synced:
    """One repository with a pull request that is as it should be."""

    def __init__(self) -> None:
        self.github, self.store = FakePullLists(), FakeRecoveryStore()
        self.put: list[Delivery] = []
        self.github.repositories["acme/widgets"] = REPOSITORY
        self.github.pulls[REPOSITORY.id] = [listed(12)]
        self.know(12)
        self.in_step = InStep(
            github=self.github,
            store=self.store,
            by_hand=self.store,
            put=self.put.append,
            bot_login=lambda: "preflight[bot]",
            clock=lambda: NOON,
        )

    def know(self, number: int, *, told: bool = True, is_open: bool = True) -> None:
        """We heard of that pull request."""
        heads = frozenset({HEAD})
        known = KnownPull(number, is_open, HEAD, "main", heads, heads if told else frozenset())
        self.store.known_pulls.setdefault(REPOSITORY.id, {})[number] = known

    def sync(self, *, run: bool = False, dryrun: bool = False) -> list[Row]:
        """What differs."""
        return list(self.in_step.sync("acme/widgets", run=run, dryrun=dryrun))

    def again(self) -> list[int]:
        """The numbers of those that are looked at again."""
        return [json.loads(one.body)["pull_request"]["number"] for one in self.put]


@pytest.fixture
def synced() -> Synced:
    return Synced()


def test_one_that_is_in_step(synced: Synced) -> None:
    assert synced.sync() == []
    assert synced.put == []


def test_one_that_is_not_there(synced: Synced) -> None:
    with pytest.raises(GitHubNotFound):
        synced.in_step.sync("acme/none", run=False, dryrun=False)


@pytest.mark.parametrize("dryrun", [True, False])
def test_a_new_head_is_shown_and_runs_only_where_somebody_says_so(synced: Synced, *, dryrun: bool) -> None:
    synced.github.pulls[REPOSITORY.id].append(listed(13, head_sha=sha(7)))
    (row,) = synced.sync(dryrun=dryrun)
    assert row == Row(
        13, "we never heard of this head (0000000)", "nothing; --run starts its automatic pipelines"
    )
    assert synced.again() == []

    (row,) = synced.sync(run=True, dryrun=dryrun)
    assert row.done == "its automatic pipelines start"
    assert synced.again() == ([] if dryrun else [13])


def test_a_head_at_which_nothing_ran_runs_only_where_somebody_says_so(synced: Synced) -> None:
    synced.know(12, told=False)
    (row,) = synced.sync()
    assert row.what == "nothing ever ran at this head (1a2b3c4)"
    assert synced.again() == []
    synced.sync(run=True)
    assert synced.again() == [12]


@pytest.mark.parametrize("run", [True, False])
def test_what_runs_for_a_closed_one_is_stopped(synced: Synced, *, run: bool) -> None:
    synced.know(13)
    (row,) = synced.sync(run=run)
    assert row == Row(13, "closed, and we think it open (1a2b3c4)", "what runs for it is stopped")
    assert synced.again() == [13]


def test_a_reopened_one_is_looked_at_again(synced: Synced) -> None:
    synced.know(12, is_open=False)
    (row,) = synced.sync()
    assert (row.what, row.done) == ("open, and we think it closed (1a2b3c4)", "looked at again")
    assert synced.again() == [12]


class TestShown:
    @pytest.fixture
    def shows(self, synced: Synced) -> Synced:
        """Its status and its comment are there."""
        synced.store.now_shown[12] = ShownPull(12, HEAD, (PASSED,), 7)
        synced.github.shown[HEAD] = {PASSED.context: PASSED}
        synced.github.comments.add(7)
        return synced

    def test_what_is_there_is_left_alone(self, shows: Synced) -> None:
        assert shows.sync() == []

    @pytest.mark.parametrize(
        ("there", "what"),
        [
            ({}, "preflight/unit is not there"),
            (
                {"preflight/unit": Status("preflight/unit", StatusState.FAILURE, "forged")},
                "preflight/unit says failure: forged",
            ),
        ],
    )
    @pytest.mark.parametrize("dryrun", [True, False])
    def test_a_status_that_is_lost_is_sent_again(
        self, shows: Synced, there: dict[str, Status], what: str, *, dryrun: bool
    ) -> None:
        shows.github.shown[HEAD] = there
        assert shows.sync(dryrun=dryrun) == [Row(12, what, "sent again")]
        assert shows.store.lost == ([] if dryrun else [(REPOSITORY.id, HEAD, "preflight/unit")])

    @pytest.mark.parametrize("dryrun", [True, False])
    def test_a_comment_that_somebody_deleted_is_posted_again(self, shows: Synced, *, dryrun: bool) -> None:
        shows.github.comments.clear()
        assert shows.sync(dryrun=dryrun) == [Row(12, "its comment is gone", "posted again")]
        assert shows.store.lost == ([] if dryrun else [(REPOSITORY.id, 12)])

    def test_an_older_head_s_statuses_are_nobody_s_business(self, shows: Synced) -> None:
        shows.github.pulls[REPOSITORY.id] = [listed(12, head_sha=sha(2))]
        assert [row.what for row in shows.sync()] == ["we never heard of this head (0000000)"]
        assert ("statuses", "acme/widgets") not in shows.github.asked
