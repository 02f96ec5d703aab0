"""Where web puts deliveries when they wait on Pub/Sub, and where those end that can't be handled."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from bot.claims import DeliveryClaim, Receipt
from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake.parcels import opened, read
from bot.intake.publish import ParkedToo, PublishedInbox
from bot.models import Delivery
from tests.examples import HOSTILE
from tests.fakes.pubsub import FakeQueue
from tests.intake.test_parcels import SECRET, delivery, large

DOWN = PubSubUnavailable("Pub/Sub does not answer (topic preflight-deliveries): connection refused")


class TestPut:
    def test_is_confirmed_before_it_is_said(self) -> None:
        queue = FakeQueue()
        assert PublishedInbox(queue).put(delivery()) is Receipt.STORED
        assert [one.attributes["id"] for one in queue.waiting] == ["d-1"]

    def test_says_so_where_it_is_not(self) -> None:
        queue = FakeQueue()
        queue.down = DOWN
        with pytest.raises(StoreUnavailable, match="connection refused"):
            PublishedInbox(queue).put(delivery())

    def test_large_ones_go_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.intake.parcels.PART_BYTES", 1_000)
        queue = FakeQueue()
        PublishedInbox(queue).put(delivery(large(2_000)))
        assert [one.attributes["part"] for one in queue.waiting] == ["1", "2"]

    def test_but_not_longer_than_github_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.intake.parcels.PART_BYTES", 1_000)
        queue = FakeQueue()
        slow = itertools.count(0, 4).__next__
        with pytest.raises(StoreUnavailable, match="too slow"):
            PublishedInbox(queue, clock=slow).put(delivery(large(2_000)))


@dataclass
class Rows:
    """An inbox in memory: what was said of claims."""

    said: list[str] = field(default_factory=list)

    def put(self, _: Delivery) -> Receipt:
        return Receipt.STORED

    def claim(self) -> DeliveryClaim | None:
        return None

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        self.said.append(f"finish {claim.delivery.id} {ignored} {reason}")

    def retry(self, claim: DeliveryClaim, *, seconds: float, reason: str, tried: bool = True) -> None:
        assert tried
        self.said.append(f"retry {claim.delivery.id} in {seconds:.0f} s: {reason}")

    def park(self, claim: DeliveryClaim, reason: str) -> None:
        self.said.append(f"park {claim.delivery.id}: {reason}")

    def next_due(self) -> float | None:
        return None


class TestPark:
    def test_is_published_with_its_reason(self) -> None:
        rows, parked = Rows(), FakeQueue()
        unsigned = Delivery("d-1", "pull_request", b"{}", "42#12")
        ParkedToo(rows, parked, (SECRET, "old")).park(DeliveryClaim(unsigned, "token", 3), "unheard of")
        assert rows.said == ["park d-1: unheard of"]
        (message,) = parked.waiting
        assert message.attributes["reason"] == "unheard of"

    def test_can_be_taken_in_again(self) -> None:
        rows, parked = Rows(), FakeQueue()
        ParkedToo(rows, parked, (SECRET,)).park(DeliveryClaim(delivery(), "token", 3), HOSTILE)
        (message,) = parked.waiting
        assert opened(read(message), message.data, (SECRET,)) == delivery()

    def test_waits_while_pubsub_is_away(self) -> None:
        rows, parked = Rows(), FakeQueue()
        parked.down = DOWN
        ParkedToo(rows, parked, (SECRET,)).park(DeliveryClaim(delivery(), "token", 3), "unheard of")
        assert rows.said == ["retry d-1 in 30 s: to be parked: unheard of"]

    def test_all_else_is_the_inboxs(self) -> None:
        rows = Rows()
        inbox = ParkedToo(rows, FakeQueue(), (SECRET,))
        inbox.finish(DeliveryClaim(delivery(), "token", 1), ignored=True, reason="not ours")
        assert rows.said == ["finish d-1 True not ours"]
        assert (inbox.claim(), inbox.next_due(), inbox.put(delivery())) == (None, None, Receipt.STORED)
