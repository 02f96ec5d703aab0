"""Dead letters on Pub/Sub: what nobody could read or verify, or what brought workers down a hundred times."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.intake.parcels import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

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
    delivery_id: str,
    timer: Callable[[], float] = time.monotonic,
) -> int:
    """Publish the dead letters of that delivery again, and return how many messages they were.

    Looks at each that there is once, some minutes long at most, and says so if that was too short; the others
    stay where they are. Raises PubSubUnavailable.
    """
    end = timer() + LONGEST
    others: list[Message] = []
    published = 0
    while messages := parked.pull(MOST):
        rest = [
            replace(each, data=b"") for each in messages if each.attributes.get("id") != delivery_id
        ]  # there may be many
        if rest:
            parked.extend(rest, HELD_SECONDS)
        others += rest
        for message in messages:
            if message.attributes.get("id") != delivery_id:
                continue
            kept = {name: message.attributes[name] for name in KEPT if name in message.attributes}
            deliveries.publish(message.data, kept)
            parked.ack([message])
            published += 1
        if timer() >= end:
            log.warning(
                "looked at %d dead letters, there are more: forget some, or run it again", len(others)
            )
            break
    for start in range(0, len(others), TOLD_AT_ONCE):
        parked.nack(others[start : start + TOLD_AT_ONCE])
    return published
