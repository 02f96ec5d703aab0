"""What a person asks for after an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    DeliveryLogUnreadable,
    GitHubAway,
    GitHubNotFound,
    GitHubRateLimited,
    GitHubUnavailable,
    PubSubUnavailable,
)
from bot.intake.recovery.by_hand import NOT_DEAD, NOT_LOOKED, ByHand, Fate
from bot.intake.recovery.logs import Logs
from bot.intake.recovery.pace import Pace
from tests.examples import NOON, REPOSITORY
from tests.intake.recovery.making_good import DAY, HOUR, MINUTE, OF_REPOSITORY, MakingGood

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


class Hand(MakingGood):
    """A person's, and the time that it sleeps."""

    def __init__(self, *, app: bool = True) -> None:
        super().__init__(app=app)
        self.slept: list[float] = []
        self.looked_for: list[Sequence[str]] = []
        self.refusal: PubSubUnavailable | None = None
        self.hand = ByHand(
            delivery_log=self.log,
            store=self.store,
            by_hand=self.store,
            logs=Logs(self.log, self.store, self.pulls, lambda: self.operator, self.clock),
            pace=Pace(self.room, self.log, 900),
            clock=self.clock,
            sleep=self.slept.append,
            publish=self.publish,
        )

    def publish(self, ids: Collection[str]) -> Iterator[str]:
        """Publish what is dead, until Pub/Sub refuses."""
        self.looked_for.append(list(ids))
        yield from (one for one in ids if one.startswith("dead"))
        if self.refusal is not None:
            raise self.refusal

    def miss(self, *guids: str, event: str = "push") -> None:
        """These failed an hour ago."""
        self.up = False
        for guid in guids:
            self.log.deliver(guid, event)
        self.up = True
        self.wait(HOUR)


@pytest.fixture
def hand() -> Hand:
    return Hand()


class TestReplay:
    @pytest.mark.parametrize("state", ["done", "ignored", "parked", "queued"])
    def test_queues_what_is_here(self, hand: Hand, state: str) -> None:
        hand.store.take("a", NOON, state=state)
        (wanted,) = hand.hand.replay(["a"])
        assert (wanted.fate, wanted.was, wanted.done) == (Fate.QUEUED, state, True)
        assert hand.store.inbox["a"].state == "queued"

    def test_one_of_our_own_is_one_like_any_other(self, hand: Hand) -> None:
        hand.store.take("a~42~12", NOON, event="recheck")
        (wanted,) = hand.hand.replay(["a~42~12"])
        assert (wanted.event, wanted.fate) == ("recheck", Fate.QUEUED)

    def test_leaves_what_is_being_handled(self, hand: Hand) -> None:
        hand.store.take("a", NOON, state="working")
        for dryrun in (True, False):
            (wanted,) = hand.hand.replay(["a"], dryrun=dryrun)
            assert (wanted.fate, wanted.done) == (Fate.BUSY, False)

    def test_has_github_deliver_what_is_not_here(self, hand: Hand) -> None:
        hand.log.deliver("b")
        del hand.store.inbox["b"]  # as after going back to a backup
        hand.miss("a")
        found = list(hand.hand.replay(["a", "b"]))
        assert [(one.id, one.event, one.was, one.fate) for one in found] == [
            ("a", "push", "answered with 502 60 min ago", Fate.ASKED),
            ("b", "push", "answered with 202 60 min ago", Fate.ASKED),
        ]
        assert hand.log.asked == ["a", "b"]

    def test_publishes_dead_letters_again(self, hand: Hand) -> None:
        (wanted,) = hand.hand.replay(["dead"])
        assert (wanted.fate, wanted.done) == (Fate.PUBLISHED, True)

    def test_says_what_nobody_knows(self, hand: Hand) -> None:
        (wanted,) = hand.hand.replay(["x"])
        assert (wanted.fate, wanted.why) == (Fate.UNKNOWN, NOT_DEAD)

    def test_looks_once_among_the_dead_letters(self, hand: Hand) -> None:
        hand.store.take("a", NOON)
        hand.miss("b")
        found = list(hand.hand.replay(["dead-1", "x", "a", "b", "a~1", "dead-2"]))
        assert {one.id: one.fate for one in found} == {
            "a": Fate.QUEUED,
            "b": Fate.ASKED,
            "a~1": Fate.UNKNOWN,
            "dead-1": Fate.PUBLISHED,
            "x": Fate.UNKNOWN,
            "dead-2": Fate.PUBLISHED,
        }
        assert hand.looked_for == [["dead-1", "x", "dead-2"]]

    def test_does_not_look_there_for_nothing(self, hand: Hand) -> None:
        hand.store.take("a", NOON)
        list(hand.hand.replay(["a", "a~1"]))
        assert hand.looked_for == []

    def test_does_all_others_where_dead_letters_can_not_be_had(self, hand: Hand) -> None:
        hand.store.take("a", NOON)
        hand.miss("b")
        hand.refusal = PubSubUnavailable("Pub/Sub refuses us subscription preflight-parked")
        found = list(hand.hand.replay(["x", "dead", "a", "b"]))
        assert {one.id: (one.fate, one.why, one.done) for one in found} == {
            "a": (Fate.QUEUED, "", True),
            "b": (Fate.ASKED, "", True),
            "x": (Fate.UNSEEN, str(hand.refusal), False),
            "dead": (Fate.PUBLISHED, "", True),
        }
        assert hand.log.asked == ["b"]

    def test_says_what_makes_one_of_our_own(self, hand: Hand) -> None:
        (wanted,) = hand.hand.replay(["a~42~12"])
        assert wanted.fate is Fate.UNKNOWN
        assert wanted.why == "one of our own, made by a: replay that one"
        assert hand.log.reads == 0

    def test_takes_each_once(self, hand: Hand) -> None:
        hand.store.take("a", NOON)
        assert len(list(hand.hand.replay(["a", "a"]))) == 1

    def test_a_dry_run_changes_nothing(self, hand: Hand) -> None:
        hand.store.take("a", NOON, state="parked")
        hand.miss("b")
        found = list(hand.hand.replay(["a", "b"], dryrun=True))
        assert [one.fate for one in found] == [Fate.QUEUED, Fate.ASKED]
        assert hand.store.inbox["a"].state == "parked"
        assert hand.log.asked == []

    def test_a_dry_run_leaves_the_dead_letters(self, hand: Hand) -> None:
        (wanted,) = hand.hand.replay(["dead"], dryrun=True)
        assert (wanted.fate, wanted.why) == (Fate.UNKNOWN, NOT_LOOKED)
        assert hand.looked_for == []

    def test_lists_what_is_parked(self, hand: Hand) -> None:
        for guid, state in (("a", "parked"), ("b", "done"), ("c", "parked")):
            hand.store.take(guid, NOON, state=state)
        assert hand.hand.parked() == ["a", "c"]

    def test_a_log_that_can_not_be_read_says_nothing(self, hand: Hand) -> None:
        hand.log.unreadable["app"] = DeliveryLogUnreadable("no webhook")
        (wanted,) = hand.hand.replay(["a"])
        assert wanted.fate is Fate.UNKNOWN


class TestRedeliver:
    def test_whatever_failed_and_is_not_here(self, hand: Hand) -> None:
        hand.miss("a", "b", "c")
        hand.miss("noise", event="star")
        hand.log.deliver("taken")
        hand.store.take("b", NOON)
        found = list(hand.hand.redeliver(hand.now - DAY))
        assert [(one.id, one.fate) for one in found] == [("a", Fate.ASKED), ("c", Fate.ASKED)]
        assert hand.log.asked == ["a", "c"]
        assert list(hand.hand.redeliver(hand.now - DAY)) == []

    def test_since_then_only(self, hand: Hand) -> None:
        hand.miss("a")
        hand.miss("b")
        assert [one.id for one in hand.hand.redeliver(hand.now - HOUR - MINUTE)] == ["b"]

    def test_however_often_it_failed(self, hand: Hand) -> None:
        hand.log.answer = lambda _: 502
        hand.log.deliver("a")
        for _ in range(30):
            hand.log.deliver("a", redelivery=True)
        assert [one.id for one in hand.hand.redeliver(hand.now - HOUR)] == ["a"]

    def test_a_dry_run_asks_for_nothing(self, hand: Hand) -> None:
        hand.miss("a")
        assert [one.id for one in hand.hand.redeliver(hand.now - DAY, dryrun=True)] == ["a"]
        assert hand.log.asked == []

    def test_waits_for_room_below_the_limits(self, hand: Hand) -> None:
        hand.miss("a")
        hand.room.waits = [3.0]
        list(hand.hand.redeliver(hand.now - DAY))
        assert (hand.slept, hand.log.asked) == ([3.0], ["a"])

    def test_waits_as_long_as_github_asks(self, hand: Hand) -> None:
        hand.miss("a")
        hand.log.refusals = [GitHubRateLimited("slow down", 60.0)]
        assert [one.fate for one in hand.hand.redeliver(hand.now - DAY)] == [Fate.ASKED]
        assert (hand.slept, hand.log.asked) == ([60.0], ["a"])

    def test_says_what_github_refuses(self, hand: Hand) -> None:
        hand.miss("a", "b")
        hand.log.refusals = [GitHubNotFound("it is too old")]
        found = hand.hand.redeliver(hand.now - DAY)
        assert [(one.fate, one.why) for one in found] == [(Fate.REFUSED, "it is too old"), (Fate.ASKED, "")]

    def test_one_that_github_does_not_manage_ends_nothing(self, hand: Hand) -> None:
        hand.miss("a", "b")
        hand.log.refusals = [GitHubUnavailable("GitHub answered with 500")]
        found = [(one.fate, one.why) for one in hand.hand.redeliver(hand.now - DAY)]
        assert found == [(Fate.REFUSED, "GitHub answered with 500"), (Fate.ASKED, "")]

    def test_ends_where_github_is_away(self, hand: Hand) -> None:
        hand.miss("a", "b")
        hand.log.refusals = [GitHubAway("nothing was sent", 9.0)]
        with pytest.raises(GitHubAway):
            list(hand.hand.redeliver(hand.now - DAY))

    def test_says_which_log_can_not_be_read(self) -> None:
        hand = Hand(app=False)
        hand.store.heard_of[REPOSITORY] = NOON - DAY
        hand.log.unreadable[OF_REPOSITORY.name] = DeliveryLogUnreadable("no permission")
        (wanted,) = hand.hand.redeliver(hand.now - DAY)
        assert (wanted.id, wanted.fate, wanted.done) == (REPOSITORY.full_name, Fate.UNREADABLE, False)
        assert wanted.why == "no permission"
