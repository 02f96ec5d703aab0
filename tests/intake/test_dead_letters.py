"""A dead letter gets another chance; the others stay where they are."""

from __future__ import annotations

from bot.intake.dead_letters import replay
from tests.fakes.pubsub import FakeQueue


def test_of_one_delivery() -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    for number in range(120):
        words = {"id": f"d-{number % 60}", "event": "push", "reason": "forged", "CloudPubSubDeadLetter": "x"}
        parked.publish(b"%d" % number, words)

    assert replay(parked, deliveries, "d-7") == 2

    assert [message.data for message in deliveries.waiting] == [b"7", b"67"]
    assert deliveries.waiting[0].attributes == {"id": "d-7", "event": "push"}
    assert len(parked.waiting) == 118
    assert not parked.held


def test_that_is_not_among_them() -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    parked.publish(b"", {"id": "d-1"})
    assert replay(parked, deliveries, "d-2") == 0
    assert len(parked.waiting) == 1
