"""Both inboxes as one: GitHub's deliveries go in at one end, and workers take them at the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.adapters.postgres import PostgresInbox, PostgresParts
from bot.adapters.pubsub import PubSubSubscription, PubSubTopic
from bot.intake.publish import ParkedToo, PublishedInbox
from bot.intake.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.adapters.postgres import Database
    from bot.claims import DeliveryClaim
    from bot.models import Delivery, Message
    from bot.ports import Entrance, Inbox
    from bot.settings import PubSub

SECRET = "a secret for webhooks"
PULL_SECONDS = 1.5  # the emulator answers a second before that is over


class Inboxes:
    """What the contract suite asks for."""

    entrance: Entrance
    inbox: Inbox

    def arrive(self) -> None:
        """Until all that was put can be taken: at once, if nothing else is said."""


class Direct(Inboxes):
    """PREFLIGHT_INBOX=postgres."""

    def __init__(self, database: Database) -> None:
        self.entrance = self.inbox = PostgresInbox(database)


class Counting(PubSubTopic):
    """A topic that knows how many messages went in."""

    published = 0

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        super().publish(data, attributes, key)
        self.published += 1


class Acknowledging(PubSubSubscription):
    """A subscription that knows how many came out."""

    acknowledged = 0

    def ack(self, messages: Sequence[Message]) -> None:
        super().ack(messages)
        self.acknowledged += len(messages)


class Through(Inboxes):
    """PREFLIGHT_INBOX=pubsub: web's end, a worker's pump, and the worker's end."""

    def __init__(self, pubsub: PubSub, database: Database) -> None:
        self.pubsub = pubsub
        self.topic = Counting(pubsub.project, pubsub.deliveries, emulator=pubsub.emulator)
        self.subscription = Acknowledging(
            pubsub.project, pubsub.deliveries, emulator=pubsub.emulator, pull_seconds=PULL_SECONDS
        )
        self.parked_topic = PubSubTopic(pubsub.project, pubsub.parked, emulator=pubsub.emulator)
        self.parked = PubSubSubscription(
            pubsub.project, pubsub.parked, emulator=pubsub.emulator, pull_seconds=PULL_SECONDS
        )
        self.entrance = PublishedInbox(self.topic)
        self.inbox = ParkedToo(PostgresInbox(database), self.parked_topic, (SECRET,))
        self.pump = self.pump_into(database)

    def pump_into(self, database: Database) -> Pump:
        """A worker's pump."""
        return Pump(
            self.subscription,
            parked=self.parked_topic,
            inbox=PostgresInbox(database),
            parts=PostgresParts(database),
            secrets=(SECRET,),
        )

    def arrive(self) -> None:
        """Until all that was published is acknowledged."""
        while self.subscription.acknowledged < self.topic.published:
            assert self.pump.work()


def take(inbox: Inbox) -> DeliveryClaim:
    """The next delivery, which must be there."""
    claim = inbox.claim()
    assert claim is not None, "there should be something to take"
    return claim


def put(inboxes: Inboxes, *deliveries: Delivery) -> None:
    """All of them are put, one after the other, and arrive."""
    for delivery in deliveries:
        inboxes.entrance.put(delivery)
    inboxes.arrive()
