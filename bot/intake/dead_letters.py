"""Dead letters on Pub/Sub: what nobody could read or verify, or what brought workers down a hundred times."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import PubSubUnavailable
from bot.intake.parcels import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from bot.models import Message
    from bot.ports import Subscription, Topic

MOST = 50
TOLD_AT_ONCE = 500  # a request may hold 512 KB: https://cloud.google.com/pubsub/quotas

HELD_SECONDS = 600
"""So long what was looked at is not handed out again: the most that Pub/Sub allows."""

LONGEST = 500.0
"""Seconds after which we stop: what we looked at first would come again, and again, without end."""

log = logging.getLogger(__name__)


def replay(
    parked: Subscription,
    deliveries: Topic,
    ids: Collection[str],
    timer: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Publish the dead letters of these deliveries again; the id of each message that was.

    Looks at each that there is once, some minutes long at most, and says so if that was too short; the others
    stay where they are. Raises PubSubUnavailable.
    """
    end = timer() + LONGEST
    held: dict[str, Message] = {}
    try:
        while messages := parked.pull(MOST):
            held |= {each.ack_id: replace(each, data=b"") for each in messages}  # there may be many
            parked.extend(messages, HELD_SECONDS)
            for message in messages:
                if (delivery_id := message.attributes.get("id", "")) in ids:
                    kept = {name: message.attributes[name] for name in KEPT if name in message.attributes}
                    deliveries.publish(message.data, kept)
                    yield delivery_id
                    parked.ack([message])
                    del held[message.ack_id]
            if timer() >= end:
                log.warning(
                    "looked at %d dead letters, there are more: forget some, or run it again", len(held)
                )
                break
    finally:
        _let_go(parked, list(held.values()))


def _let_go(parked: Subscription, messages: Sequence[Message]) -> None:
    """Hand them out again at once, to whoever looks next."""
    try:
        for start in range(0, len(messages), TOLD_AT_ONCE):
            parked.nack(messages[start : start + TOLD_AT_ONCE])
    except PubSubUnavailable as error:
        log.warning("dead letters that were looked at are not seen for %d s: %s", HELD_SECONDS, error)
