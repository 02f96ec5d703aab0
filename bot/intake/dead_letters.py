"""Dead letters on Pub/Sub: what nobody could read or verify, or what brought workers down a hundred times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.intake.parcels import KEPT

if TYPE_CHECKING:
    from bot.models import Message
    from bot.ports import Subscription, Topic

MOST = 50
TOLD_AT_ONCE = 500  # a request may hold 512 KB: https://cloud.google.com/pubsub/quotas


def replay(parked: Subscription, deliveries: Topic, delivery_id: str) -> int:
    """Publish the dead letters of that delivery again, and return how many messages they were.

    Looks at all that there are; the others stay where they are. Raises PubSubUnavailable.
    """
    others: list[Message] = []
    published = 0
    while messages := parked.pull(MOST):
        for message in messages:
            if message.attributes.get("id") != delivery_id:
                others.append(replace(message, data=b""))  # there may be many
                continue
            kept = {name: message.attributes[name] for name in KEPT if name in message.attributes}
            deliveries.publish(message.data, kept)
            parked.ack([message])
            published += 1
    for start in range(0, len(others), TOLD_AT_ONCE):
        parked.nack(others[start : start + TOLD_AT_ONCE])
    return published
