"""Deliveries on Google Cloud Pub/Sub: where web puts them, and where those end that can't be handled."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.claims import Receipt
from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake.parcels import cut, pack
from bot.intake.signature import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.claims import DeliveryClaim
    from bot.models import Delivery
    from bot.ports import Inbox, Topic

SECONDS = 3.0
"""After which no further part is begun: GitHub waits ten seconds, and a part may take five."""
TRY_AGAIN_SECONDS = 30.0

log = logging.getLogger(__name__)


class PublishedInbox:
    """The Entrance port: what is put here is stored by whichever worker pulls it."""

    def __init__(self, deliveries: Topic, clock: Callable[[], float] = time.monotonic) -> None:
        self.deliveries = deliveries
        self.clock = clock

    def put(self, delivery: Delivery) -> Receipt:
        """Publish the delivery; StoreUnavailable unless all of it is confirmed in time.

        A repeated id is published, too: the workers, who know the database, ignore it.
        """
        begun = self.clock()
        try:
            for parcel in pack(delivery):
                if self.clock() - begun > SECONDS:
                    raise StoreUnavailable("Pub/Sub is too slow for so large a delivery")
                self.deliveries.publish(parcel.data, parcel.attributes, parcel.key)
        except PubSubUnavailable as error:
            raise StoreUnavailable(str(error)) from error
        return Receipt.STORED


class ParkedToo:
    """The Inbox port: what is parked is published, too, before that is stored. At least once."""

    def __init__(self, inbox: Inbox, parked: Topic, secrets: Sequence[str]) -> None:
        self.inbox = inbox
        self.parked = parked
        self.secrets = secrets
        self.put, self.claim, self.finish = inbox.put, inbox.claim, inbox.finish
        self.retry, self.next_due = inbox.retry, inbox.next_due

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        """Publish and park; a retry, soon, where Pub/Sub does not take it."""
        # Whoever publishes it again has to vouch for it. It was verified when it came; we still can sign.
        vouched = replace(claim.delivery, signature=sign(claim.delivery.body, self.secrets[0]))
        try:
            for parcel in pack(vouched, reason=cut(reason)):
                self.parked.publish(parcel.data, parcel.attributes)
        except PubSubUnavailable as error:
            log.warning("delivery %s can't be parked yet: %s", claim.delivery.id, error)
            self.inbox.retry(claim, seconds=TRY_AGAIN_SECONDS, reason=f"to be parked: {reason}")
        else:
            self.inbox.park(claim, reason)
