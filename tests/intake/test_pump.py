"""What was published goes into the database, and only then is acknowledged."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bot.claims import Receipt
from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake.parcels import pack
from bot.intake.publish import PublishedInbox
from bot.intake.pump import KEEP_SECONDS, SLOWEST, UNEXPECTED_TRIES, Pump
from bot.intake.signature import sign
from tests.fakes.pubsub import FakeQueue
from tests.intake.test_parcels import SECRET, delivery, large

if TYPE_CHECKING:
    from bot.intake.parcels import Parcel
    from bot.models import Delivery

DOWN = StoreUnavailable("the database does not answer")


@dataclass
class Rows:
    """The database: deliveries by id, and parts of some. `down` is raised instead of the next puts."""

    stored: dict[str, Delivery] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    down: list[Exception] = field(default_factory=list)

    def put(self, one: Delivery) -> Receipt:
        if self.down:
            raise self.down.pop(0)
        if one.id in self.stored:
            return Receipt.REPEATED
        self.stored[one.id] = one
        return Receipt.STORED

    def add(self, whole: str, part: int, parts: int, data: bytes) -> bytes | None:
        there = self.parts.setdefault(whole, {})
        there.setdefault(part, data)
        return b"".join(there[one] for one in sorted(there)) if len(there) == parts else None

    def forget(self, whole: str) -> None:
        self.parts.pop(whole, None)


class Scene:
    """A pump with what it stands between."""

    def __init__(self) -> None:
        self.queue, self.parked, self.rows = FakeQueue(), FakeQueue(), Rows()
        self.now = 0.0
        self.pump = self.another()
        self.web = PublishedInbox(self.queue)

    def another(self, *secrets: str) -> Pump:
        """Another worker's."""
        return Pump(
            self.queue,
            parked=self.parked,
            inbox=self.rows,
            parts=self.rows,
            secrets=secrets or (SECRET,),
            clock=lambda: self.now,
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


def numbered(number: int) -> Delivery:
    return replace(delivery(), id=f"d-{number}")


class TestStored:
    def test_as_it_was_delivered_and_then_acknowledged(self, scene: Scene) -> None:
        scene.web.put(delivery())
        assert scene.pump.work()
        assert list(scene.rows.stored.values()) == [delivery()]
        assert scene.queue.is_empty()

    def test_in_order(self, scene: Scene) -> None:
        for number in range(120):
            scene.web.put(numbered(number))
        while not scene.queue.is_empty():
            scene.pump.work()
        assert list(scene.rows.stored) == [f"d-{number}" for number in range(120)]

    def test_once_however_often_it_comes(self, scene: Scene) -> None:
        for _ in range(3):
            scene.web.put(delivery())
        scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]
        assert scene.queue.is_empty()

    def test_before_it_is_acknowledged(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        """Killed between the two, another worker gets it again: the database knows it by then."""
        scene.web.put(delivery())
        with monkeypatch.context() as killed:
            killed.setattr(scene.queue, "ack", lambda _: None)
            scene.pump.work()
        scene.queue.expire()
        scene.another().work()
        assert list(scene.rows.stored) == ["d-1"]
        assert scene.queue.is_empty()

    def test_where_nothing_waits_nothing_happens(self, scene: Scene) -> None:
        assert scene.pump.work()
        assert not scene.rows.stored


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Parcel, ...]:
    """A delivery in two parts; ten megabytes in each would only take longer."""
    monkeypatch.setattr("bot.intake.parcels.PART_BYTES", 1_000)
    return pack(delivery(large(2_000)))


class TestParts:
    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 1), (1, 0, 0, 1)], ids=str)
    def test_in_any_order_and_number(
        self, scene: Scene, parts: tuple[Parcel, ...], order: tuple[int, ...]
    ) -> None:
        for index in order:
            scene.queue.publish(parts[index].data, parts[index].attributes)
            scene.pump.work()
        assert scene.rows.stored["d-1"].body == large(2_000)
        assert scene.queue.is_empty()

    def test_that_are_forged_are_not_mixed_in(self, scene: Scene, parts: tuple[Parcel, ...]) -> None:
        scene.queue.publish(b"forged", {**parts[0].attributes, "whole": "0" * 32})
        for parcel in parts:
            scene.queue.publish(parcel.data, parcel.attributes)
        scene.pump.work()
        assert scene.rows.stored["d-1"].body == large(2_000)

    def test_stay_while_the_database_is_away(self, scene: Scene, parts: tuple[Parcel, ...]) -> None:
        for parcel in parts:
            scene.queue.publish(parcel.data, parcel.attributes)
        scene.rows.down = [DOWN]
        assert not scene.pump.work()
        assert scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]
        assert not scene.rows.parts
        assert not scene.parked.waiting

    def test_that_nobody_vouches_for_are_put_aside_whole(
        self, scene: Scene, parts: tuple[Parcel, ...]
    ) -> None:
        for parcel in parts:
            scene.queue.publish(parcel.data, parcel.attributes)
        scene.another("another secret").work()
        assert not scene.rows.stored
        assert not scene.rows.parts
        assert [one.attributes["part"] for one in scene.parked.waiting] == ["1", "2"]
        for one in scene.parked.waiting:
            scene.queue.publish(one.data, one.attributes)
        scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]


class TestPutAside:
    @pytest.mark.parametrize(
        ("data", "changed", "reason"),
        [
            pytest.param(b"{}", {}, "signature is missing or wrong", id="forged"),
            pytest.param(delivery().body, {"signature": ""}, "signature is missing", id="unsigned"),
            pytest.param(delivery().body, {"id": ""}, "id and event are needed", id="unreadable"),
            pytest.param(b"\0\xff", {"encoding": "gzip"}, "not gzip", id="no gzip"),
            pytest.param(
                b"{}",
                {"event": "recheck", "signature": sign(b"{}", SECRET)},
                "GitHub sends no event",
                id="pretends to be from us",
            ),
        ],
    )
    def test_with_its_reason_and_acknowledged(
        self,
        scene: Scene,
        data: bytes,
        changed: dict[str, str],
        reason: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (good,) = pack(delivery())
        scene.queue.publish(data, {**good.attributes, **changed})
        scene.web.put(numbered(2))
        scene.pump.work()
        assert list(scene.rows.stored) == ["d-2"], "it holds up nothing behind it"
        (aside,) = scene.parked.waiting
        assert reason in aside.attributes["reason"]
        assert scene.queue.is_empty()
        assert any(reason in record.getMessage() for record in caplog.records)

    @pytest.mark.parametrize("words", [{}, {"id": "bad", "event": "push", "signature": "sha256=0"}], ids=str)
    def test_later_where_it_can_not_be_now_and_holds_up_nothing(
        self, scene: Scene, words: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        scene.queue.publish(b"{}", words)
        scene.web.put(delivery())
        scene.parked.down = PubSubUnavailable("Pub/Sub refuses us topic preflight-parked")
        for _ in range(3):
            assert scene.pump.work()
            scene.queue.expire()
        assert list(scene.rows.stored) == ["d-1"]
        assert [seconds for _, seconds in scene.queue.extended] == [10, 20, 40]
        assert "is parked" not in caplog.text
        assert "can't be parked yet: Pub/Sub refuses us" in caplog.text
        scene.parked.down = None
        assert scene.pump.work()
        assert scene.queue.is_empty()
        assert len(scene.parked.waiting) == 1
        assert "is parked" in caplog.text

    def test_parts_stay_until_they_are_there(self, scene: Scene, parts: tuple[Parcel, ...]) -> None:
        for parcel in parts:
            scene.queue.publish(parcel.data, parcel.attributes)
        scene.parked.down = PubSubUnavailable("Pub/Sub does not answer")
        assert scene.another("another secret").work()
        assert scene.rows.parts
        scene.queue.expire()
        assert scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"], "its secret was put back meanwhile"


class TestOutage:
    def test_of_the_database_keeps_what_was_pulled(self, scene: Scene) -> None:
        for number in range(3):
            scene.web.put(numbered(number))
        scene.rows.down = [DOWN] * 20
        for _ in range(20):
            assert not scene.pump.work()
            scene.now += SLOWEST
        assert scene.queue.extended[-1][1] == KEEP_SECONDS
        assert len({ack_id for ack_id, _ in scene.queue.extended}) == 3, "none was handed out again"
        assert scene.pump.work()
        assert list(scene.rows.stored) == ["d-0", "d-1", "d-2"]
        assert scene.queue.is_empty()
        assert not scene.parked.waiting

    def test_acknowledges_what_was_stored_before_it(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            scene.web.put(numbered(number))
        put = scene.rows.put

        def fails_at_the_second(one: Delivery) -> Receipt:
            if one.id == "d-1" and not scene.rows.down:
                raise DOWN
            return put(one)

        monkeypatch.setattr(scene.rows, "put", fails_at_the_second)
        assert not scene.pump.work()
        assert [one.attributes["id"] for one in scene.queue.held.values()] == ["d-1", "d-2"]

    def test_pulls_no_more_meanwhile(self, scene: Scene) -> None:
        scene.web.put(numbered(1))
        scene.rows.down = [DOWN] * 2
        scene.pump.work()
        scene.web.put(numbered(2))
        scene.pump.work()
        assert [one.attributes["id"] for one in scene.queue.waiting] == ["d-2"]

    def test_slow_work_is_told_in_time(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(10):
            scene.web.put(numbered(number))
        put = scene.rows.put

        def slowly(one: Delivery) -> Receipt:
            scene.now += 11
            return put(one)

        monkeypatch.setattr(scene.rows, "put", slowly)
        scene.pump.work()
        assert {seconds for _, seconds in scene.queue.extended} == {KEEP_SECONDS}
        assert len([one for one, _ in scene.queue.extended if one == "ack-10"]) == 4

    def test_of_pubsub_is_waited_out(self, scene: Scene) -> None:
        scene.web.put(delivery())
        scene.queue.down = PubSubUnavailable("Pub/Sub does not answer")
        assert not scene.pump.work()
        scene.queue.down = None
        assert scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]

    def test_an_acknowledgement_that_is_lost_is_no_error(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scene.web.put(delivery())

        def lost(_: object) -> None:
            raise PubSubUnavailable("Pub/Sub does not answer")

        monkeypatch.setattr(scene.queue, "ack", lost)
        assert scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]

    def test_is_asked_about_ever_more_rarely_but_never_rarely(self, scene: Scene) -> None:
        scene.web.put(delivery())
        scene.rows.down = [DOWN] * 30
        waits = []
        for _ in range(30):
            scene.pump.work()
            waits.append(scene.pump.next_due())
        assert waits[0] <= 1
        assert SLOWEST * 0.75 <= waits[-1] <= SLOWEST


class TestUnexpected:
    def test_is_tried_again_ever_later_and_then_put_aside(
        self, scene: Scene, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL)
        mistake = ZeroDivisionError("a mistake of ours")
        scene.web.put(numbered(1))
        scene.web.put(numbered(2))
        scene.rows.down = [mistake]
        scene.pump.work()
        assert list(scene.rows.stored) == ["d-2"], "it holds up nothing behind it"
        for _ in range(UNEXPECTED_TRIES - 1):
            scene.queue.expire()
            scene.rows.down = [mistake]
            scene.pump.work()
        assert [seconds for _, seconds in scene.queue.extended] == [10, 20, 40, 80, 160, 320, 600, 600, 600]
        (aside,) = scene.parked.waiting
        assert aside.attributes["reason"] == "unexpected: ZeroDivisionError: a mistake of ours"
        assert scene.queue.is_empty()

    def test_is_postponed_while_it_can_not_be_put_aside(
        self, scene: Scene, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL)
        scene.web.put(numbered(1))
        scene.parked.down = PubSubUnavailable("Pub/Sub refuses us topic preflight-parked")
        for _ in range(UNEXPECTED_TRIES + 2):
            scene.rows.down = [ZeroDivisionError("a mistake of ours")]
            assert scene.pump.work()
            scene.queue.expire()
        assert scene.pump.work(), "the mistake was mended"
        assert list(scene.rows.stored) == ["d-1"]
        assert not scene.parked.waiting

    def test_may_pass(self, scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.CRITICAL)
        scene.web.put(delivery())
        scene.rows.down = [ZeroDivisionError("a mistake of ours")]
        scene.pump.work()
        scene.queue.expire()
        scene.pump.work()
        assert list(scene.rows.stored) == ["d-1"]
        assert not scene.parked.waiting
