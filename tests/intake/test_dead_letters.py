"""A dead letter gets another chance; the others stay where they are."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from bot.intake.dead_letters import HELD_SECONDS, replay
from tests.fakes.pubsub import FakeQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from bot.models import Message


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


def test_what_was_looked_at_is_kept_until_all_was() -> None:
    parked = FakeQueue()
    for number in range(120):
        parked.publish(b"", {"id": f"d-{number}"})
    replay(parked, FakeQueue(), "d-7")
    assert len(parked.extended) == 119
    assert {seconds for _, seconds in parked.extended} == {HELD_SECONDS}


class Endless(FakeQueue):
    """More than anybody can look at before the first come again."""

    def pull(self, most: int) -> Sequence[Message]:
        """What was handed out a while ago comes again."""
        self.expire()
        return super().pull(most)


def test_more_than_can_be_looked_at_end_it_too(caplog: pytest.LogCaptureFixture) -> None:
    parked, seconds = Endless(), itertools.count(0.0, 100.0)
    for number in range(120):
        parked.publish(b"", {"id": f"d-{number}"})

    with caplog.at_level(logging.WARNING):
        assert replay(parked, FakeQueue(), "none", lambda: next(seconds)) == 0

    assert "there are more" in caplog.text
    assert len(parked.waiting) == 120
