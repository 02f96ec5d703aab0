"""What there is of Google Cloud Pub/Sub. Its library costs 24 MB, so only those import it who use it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.adapters.postgres import PostgresInbox, PostgresParts
from bot.intake import dead_letters
from bot.intake.publish import ParkedToo, PublishedInbox
from bot.intake.pump import Pump
from bot.models import Push, Queue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bot.adapters.postgres import Database
    from bot.breaker import Breakers
    from bot.ports import Entrance, Inbox, Topic
    from bot.settings import PubSub, Settings


SERVICE = "pubsub"
"""Its name before breakers."""


def make_topic(pubsub: PubSub, topic: str, breakers: Breakers | None = None) -> Topic:
    """One of our topics. Nothing is sent yet."""
    from bot.adapters.pubsub import PubSubTopic  # noqa: PLC0415 - see above

    breaker = breakers.of(SERVICE, topic) if breakers else None
    return PubSubTopic(pubsub.project, topic, emulator=pubsub.emulator, breaker=breaker)


def make_entrance(settings: Settings, database: Database, breakers: Breakers) -> Entrance:
    """Where web puts deliveries. `breakers` stand before topics."""
    if settings.inbox == "postgres" or settings.pubsub is None:
        return PostgresInbox(database)
    return PublishedInbox(make_topic(settings.pubsub, settings.pubsub.deliveries, breakers))


def make_inbox(settings: Settings, database: Database, breakers: Breakers) -> Inbox:
    """Where workers take deliveries from."""
    inbox = PostgresInbox(database)
    if settings.inbox == "postgres" or settings.pubsub is None:
        return inbox
    parked = make_topic(settings.pubsub, settings.pubsub.parked, breakers)
    return ParkedToo(inbox, parked, settings.webhook_secrets)


def make_pump(settings: Settings, database: Database, breakers: Breakers) -> Pump | None:
    """What brings deliveries from the one to the other; None where they are the same."""
    if settings.inbox == "postgres" or settings.pubsub is None:
        return None
    from bot.adapters.pubsub import PubSubSubscription  # noqa: PLC0415 - see above

    pubsub = settings.pubsub
    return Pump(
        PubSubSubscription(pubsub.project, pubsub.deliveries, emulator=pubsub.emulator),
        parked=make_topic(pubsub, pubsub.parked, breakers),
        inbox=PostgresInbox(database),
        parts=PostgresParts(database),
        secrets=settings.webhook_secrets,
    )


def replay_dead_letters(pubsub: PubSub, ids: Collection[str]) -> Iterator[str]:
    """Publish the dead letters of deliveries again; the id of each message. Takes some seconds."""
    from bot.adapters.pubsub import PubSubSubscription  # noqa: PLC0415 - see above

    parked = PubSubSubscription(pubsub.project, pubsub.parked, emulator=pubsub.emulator)
    return dead_letters.replay(parked, make_topic(pubsub, pubsub.deliveries), ids)


def queues(pubsub: PubSub) -> tuple[Queue, ...]:
    """Our topics and subscriptions as they should be; that of dead letters first, which another one names."""
    push = Push(pubsub.push_url, pubsub.push_account, pubsub.audience) if pubsub.push_account else None
    return (
        # Ten seconds, the least there is: whoever pulled dead letters to look at them hides them no longer.
        Queue(name=pubsub.parked, retention=timedelta(days=31), ack_seconds=10),
        Queue(name=pubsub.deliveries, retention=timedelta(days=7), ordered=True, dead_letters=pubsub.parked),
        Queue(name=pubsub.events, retention=timedelta(minutes=10), push=push),
    )


def set_up(pubsub: PubSub, *, dryrun: bool) -> Iterator[tuple[str, bool]]:
    """Make topics and subscriptions what they should be: what was done, and whether it is well now."""
    from bot.adapters.pubsub import PubSubSetup  # noqa: PLC0415 - see above

    setup = PubSubSetup(pubsub.project, emulator=pubsub.emulator, dryrun=dryrun)
    for queue in queues(pubsub):
        yield from setup.ensure(queue)
