"""The worker's hand on Pub/Sub: what was published goes into the database, and only then is acknowledged.

Whatever happens between the two makes a message come again, and the inbox knows its id by then.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake.parcels import Unreadable, opened, put_aside, read, rejected
from bot.metrics import PUMPED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.intake.parcels import Parcel, Piece
    from bot.models import Message
    from bot.ports import Entrance, PartStore, Subscription, Topic

MOST = 50
KEEP_SECONDS = 60
RENEW_SECONDS = 20.0
"""How old our word that we still work on messages is when we give it again: a third of its KEEP_SECONDS."""
SLOWEST = 15.0
UNEXPECTED_TRIES = 10
"""Of what meets errors that nobody expected: about an hour, in which they may pass or be mended."""
UNEXPECTED_SECONDS = 10

log = logging.getLogger(__name__)


class Pump:
    """Pulls, verifies, stores, acknowledges. One thread works with it; many workers may have one each.

    While the database is away it holds what it has pulled, tells Pub/Sub so in time, and pulls no more: an
    outage never counts as an attempt, of which a message has a hundred before it becomes a dead letter.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        parked: Topic,
        inbox: Entrance,
        parts: PartStore,
        secrets: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.subscription = subscription
        self.parked = parked
        self.inbox = inbox
        self.parts = parts
        self.secrets = secrets
        self.clock = clock
        self._held: list[Message] = []
        self._renewed = clock()
        self._unexpected: Counter[str] = Counter()
        self._failures = 0

    def work(self) -> bool:
        """Store what waits, or wait some seconds for it; False in an outage, until `next_due`."""
        try:
            if not self._held:
                self._held = list(self.subscription.pull(MOST))
                self._renewed = self.clock()
            self._store()
        except (PubSubUnavailable, StoreUnavailable) as error:
            self._failures += 1
            log.warning("deliveries wait at Pub/Sub, try %s: %s", self._failures, error)
            self._renew()
            return False
        self._failures = 0
        return True

    def next_due(self) -> float:
        """Seconds until the next try in an outage: doubling, with jitter."""
        return min(SLOWEST, 2.0 ** min(self._failures, 10) / 2) * random.uniform(0.75, 1.0)  # noqa: S311 - no secret

    def _store(self) -> None:
        """Take what is held, in its order, and acknowledge what was taken, whatever stops us."""
        taken: list[Message] = []
        try:
            while self._held:
                if self.clock() - self._renewed > RENEW_SECONDS:
                    self._renew(taken)
                self._take(self._held[0], taken)
                del self._held[0]
        finally:
            self._quietly(self.subscription.ack, taken)

    def _take(self, message: Message, taken: list[Message]) -> None:
        try:
            result = self._outcome(message)
        except PubSubUnavailable as error:  # a right is missing, perhaps: that must not hold up what is good
            log.warning("delivery %s can't be parked yet: %s", _name(message), error)
            result = "failed"
        PUMPED.labels(result).inc()
        if result == "failed":
            self._postpone(message)
        else:
            taken.append(message)

    def _outcome(self, message: Message) -> str:
        """What became of it; PubSubUnavailable if it should be parked, and can't be."""
        try:
            return self._put(message)
        except Unreadable as error:
            self._park(_name(message), [rejected(message, str(error))], error)
        except (StoreUnavailable, PubSubUnavailable):
            raise
        except Exception as error:
            log.exception("delivery %s met an error that nobody expected", _name(message))
            # Pub/Sub counts attempts only where dead letters have a topic.
            self._unexpected[_name(message)] += 1
            if max(message.attempt, self._unexpected[_name(message)]) < UNEXPECTED_TRIES:
                return "failed"
            reason = f"unexpected: {type(error).__name__}: {error}"
            self._park(_name(message), [rejected(message, reason)], error)
        return "parked"

    def _put(self, message: Message) -> str:
        """Put into the inbox what the message holds, or keep it until its other parts are there."""
        piece = read(message)
        if piece.parts == 1:
            return self._deliver(piece, piece.data)
        whole = f"{piece.id}/{piece.whole}"
        data = self.parts.add(whole, piece.part, piece.parts, piece.data)
        if data is None:
            return "part"
        result = self._deliver(piece, data)
        self.parts.forget(whole)
        return result

    def _deliver(self, piece: Piece, data: bytes) -> str:
        try:
            delivery = opened(piece, data, self.secrets)
        except Unreadable as error:
            self._park(piece.id, put_aside(piece, data, str(error)), error)
            return "parked"
        receipt = self.inbox.put(delivery)
        log.info("delivery %s (%s) came by Pub/Sub: %s", delivery.id, delivery.event, receipt.value)
        return receipt.value

    def _park(self, name: str, parcels: Sequence[Parcel], why: Exception) -> None:
        """Put it aside where somebody may look at it, and perhaps publish it again."""
        for parcel in parcels:
            self.parked.publish(parcel.data, parcel.attributes)
        log.error("delivery %s is parked: %s", name, why)

    def _postpone(self, message: Message) -> None:
        """Let it be handed out again when it is silently let go of, later each time."""
        seconds = UNEXPECTED_SECONDS * 2 ** max(0, message.attempt - 1)
        self._quietly(lambda messages: self.subscription.extend(messages, min(seconds, 600)), [message])

    def _renew(self, taken: Sequence[Message] = ()) -> None:
        """Tell Pub/Sub that we still work on these."""
        self._renewed = self.clock()
        held = [*self._held, *taken]
        self._quietly(lambda messages: self.subscription.extend(messages, KEEP_SECONDS), held)

    def _quietly(self, tell: Callable[[Sequence[Message]], None], messages: Sequence[Message]) -> None:
        """What Pub/Sub does not hear makes messages come again, which is harmless."""
        try:
            if messages:
                tell(messages)
        except PubSubUnavailable as error:
            log.warning("%s messages will come again: %s", len(messages), error)


def _name(message: Message) -> str:
    return repr(message.attributes.get("id", "without an id"))[:200]
