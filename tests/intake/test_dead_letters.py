"""A dead letter gets another chance; the others stay where they are."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

import pytest

from bot.errors import PubSubUnavailable
from bot.intake.dead_letters import HELD_SECONDS, replay
from tests.fakes.pubsub import FakeQueue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Message


def test_of_one_delivery() -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    for number in range(120):
        words = {"id": f"d-{number % 60}", "event": "push", "reason": "forged", "CloudPubSubDeadLetter": "x"}
        parked.publish(b"%d" % number, words)

    assert list(replay(parked, deliveries, ["d-7"])) == ["d-7"] * 2

    assert [message.data for message in deliveries.waiting] == [b"7", b"67"]
    assert deliveries.waiting[0].attributes == {"id": "d-7", "event": "push"}
    assert len(parked.waiting) == 118
    assert not parked.held


def test_that_is_not_among_them() -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    parked.publish(b"", {"id": "d-1"})
    assert list(replay(parked, deliveries, ["d-2"])) == []
    assert len(parked.waiting) == 1


def test_what_was_looked_at_is_kept_until_all_was() -> None:
    parked = FakeQueue()
    for number in range(120):
        parked.publish(b"", {"id": f"d-{number}"})
    list(replay(parked, FakeQueue(), ["d-7"]))
    assert len(parked.extended) == 120
    assert {seconds for _, seconds in parked.extended} == {HELD_SECONDS}


def test_of_many_deliveries_in_one_look() -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    for number in range(120):
        parked.publish(b"", {"id": f"d-{number}"})

    assert list(replay(parked, deliveries, ["d-3", "d-90", "none", "d-7"])) == ["d-3", "d-7", "d-90"]

    assert [message.attempt for message in parked.waiting] == [1] * 117, "none was handed out twice"


class Refusing(FakeQueue):
    """Takes so many messages, then no more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        """As long as it goes well."""
        if self.published == self.most:
            raise PubSubUnavailable("Pub/Sub refuses us topic preflight-deliveries")
        super().publish(data, attributes, key)


def test_what_was_looked_at_is_let_go_whatever_happens() -> None:
    parked, deliveries = FakeQueue(), Refusing(1)
    for number in range(120):
        parked.publish(b"whole", {"id": f"d-{number}"})
    published: list[str] = []

    with pytest.raises(PubSubUnavailable, match="refuses us"):
        published.extend(replay(parked, deliveries, ["d-1", "d-60"]))

    assert published == ["d-1"]
    assert not parked.held
    assert len(parked.waiting) == 119
    deliveries.most = 2
    assert list(replay(parked, deliveries, ["d-1", "d-60"])) == ["d-60"]
    assert [message.data for message in deliveries.waiting] == [b"whole"] * 2


def test_what_can_not_be_let_go_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parked, deliveries = FakeQueue(), FakeQueue()
    for number in range(3):
        parked.publish(b"", {"id": f"d-{number}"})

    def lost(_: object) -> None:
        raise PubSubUnavailable("Pub/Sub does not answer")

    monkeypatch.setattr(parked, "nack", lost)
    assert list(replay(parked, deliveries, ["d-1"])) == ["d-1"]
    assert f"are not seen for {HELD_SECONDS} s" in caplog.text


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
        assert list(replay(parked, FakeQueue(), ["none"], lambda: next(seconds))) == []

    assert "there are more" in caplog.text
    assert len(parked.waiting) == 120
