"""Hints through Pub/Sub as its emulator is: each comes until it was followed, and not after that."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.adapters.pubsub import PubSubSubscription, PubSubTopic
from bot.errors import StoreUnavailable
from bot.intake.hints import HintPuller
from bot.intake.signature import sign
from tests.adapters.inboxes import PULL_SECONDS
from tests.fakes.nudged import KNOWN, Nudged
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Message
    from bot.settings import PubSub

SECRET = "shared with Airflow"
UNKNOWN, LAST = "preflight~unknown", "preflight~the last one"


class Remembering(PubSubSubscription):
    """A subscription that knows what it handed out last."""

    held: Sequence[Message] = ()

    def pull(self, most: int) -> Sequence[Message]:
        self.held = super().pull(most)
        return self.held


@pytest.fixture
def subscription(pubsub: PubSub) -> Remembering:
    return Remembering(pubsub.project, pubsub.events, emulator=pubsub.emulator, pull_seconds=PULL_SECONDS)


def publish(pubsub: PubSub, dag_run_id: str, *, secret: str = SECRET) -> None:
    data = json.dumps({"dag_run_id": dag_run_id, "sent_at": datetime.now(UTC).isoformat()}).encode()
    topic = PubSubTopic(pubsub.project, pubsub.events, emulator=pubsub.emulator)
    topic.publish(data, {"signature": sign(data, secret)})


def puller(subscription: PubSubSubscription, runs: Nudged) -> HintPuller:
    return HintPuller(subscription, runs, SECRET, lambda: datetime.now(UTC))  # type: ignore[arg-type]  # nudge is all it needs


def follow(subscription: PubSubSubscription, runs: Nudged, last: str) -> None:
    """Pull until that run was looked at."""
    hints = puller(subscription, runs)
    until(lambda: hints.work() and last in runs.nudges, f"a look at {last}", lambda: str(runs.nudges))


def test_each_is_acknowledged_once_it_was_followed_or_dropped(
    pubsub: PubSub, subscription: Remembering
) -> None:
    first, later = Nudged(), Nudged()
    publish(pubsub, KNOWN)
    publish(pubsub, "preflight~forged", secret="another")
    publish(pubsub, UNKNOWN)
    follow(subscription, first, UNKNOWN)
    subscription.nack(subscription.held)  # what is acknowledged does not come again for that
    publish(pubsub, LAST)
    follow(subscription, later, LAST)
    assert {*first.nudges, *later.nudges} == {KNOWN, UNKNOWN, LAST}
    assert len(first.nudges) + len(later.nudges) == 3


def test_while_the_database_is_down_each_stays(pubsub: PubSub, subscription: Remembering) -> None:
    down, back = Nudged(down=True), Nudged()
    publish(pubsub, KNOWN)
    hints = puller(subscription, down)

    def refused() -> bool:
        try:
            hints.work()
        except StoreUnavailable:
            return True
        return False

    until(refused, "a look that failed", lambda: str(subscription.held))
    subscription.nack(subscription.held)  # as if their time were over
    follow(subscription, back, KNOWN)
