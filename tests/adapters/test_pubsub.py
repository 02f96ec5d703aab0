"""Pub/Sub as its emulator is: what is published comes out, an outage loses nothing, and no call hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.auth.exceptions import TransportError
from sqlalchemy import text

from bot.adapters.postgres import Database
from bot.adapters.pubsub import PubSubSubscription, PubSubTopic
from bot.bootstrap import replay_dead_letters
from bot.breaker import Breaker
from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake import dead_letters
from bot.intake.publish import PublishedInbox
from deploy.local import ports
from tests.adapters.inboxes import PULL_SECONDS, Through, put, take
from tests.adapters.test_inbox_contract import delivery, signed
from tests.fakes.pubsub import FakeQueue
from tests.intake.test_parcels import large

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.models import Message
    from bot.ports import Subscription, Topic
    from bot.settings import PubSub
    from tests.fixtures.pubsub import Emulator

NOWHERE = f"{ports.HOST}:1"


@pytest.fixture
def topic(pubsub: PubSub) -> PubSubTopic:
    return PubSubTopic(pubsub.project, pubsub.deliveries, emulator=pubsub.emulator)


@pytest.fixture
def subscription(pubsub: PubSub) -> PubSubSubscription:
    return subscribed(pubsub, pubsub.deliveries)


def subscribed(pubsub: PubSub, name: str) -> PubSubSubscription:
    return PubSubSubscription(pubsub.project, name, emulator=pubsub.emulator, pull_seconds=PULL_SECONDS)


def pulled(subscription: Subscription, count: int) -> list[bytes]:
    """The data of the next so many messages, acknowledged."""
    found: list[bytes] = []
    while len(found) < count:
        messages = subscription.pull(count)
        subscription.ack(messages)
        found += [message.data for message in messages]
    return found


def following(subscription: Subscription) -> list[Message]:
    """What comes next, however long it takes."""
    while not (messages := subscription.pull(1)):
        pass
    return list(messages)


@dataclass
class Ends:
    """Where messages go in, and where they come out."""

    topic: Topic
    subscription: Subscription


@pytest.fixture(params=["emulator", "fake"])
def ends(request: pytest.FixtureRequest) -> Ends:
    """Those of Google's emulator, and of the fake that is held to it."""
    if request.param == "fake":
        queue = FakeQueue()
        return Ends(queue, queue)
    return Ends(request.getfixturevalue("topic"), request.getfixturevalue("subscription"))


class TestContract:
    def test_what_was_published_is_handed_on(self, ends: Ends) -> None:
        words = {"id": "d-1", "more": "Ærø 🚀"}
        ends.topic.publish(b"\0\xff", words, "a key")
        (message,) = ends.subscription.pull(10)
        assert (message.data, message.attributes, message.key) == (b"\0\xff", words, "a key")
        assert message.attempt == 1

    def test_in_the_order_of_a_key(self, ends: Ends) -> None:
        for number in range(100):
            ends.topic.publish(b"%d" % number, {}, "a key")
        assert pulled(ends.subscription, 100) == [b"%d" % number for number in range(100)]

    def test_until_it_is_acknowledged(self, ends: Ends) -> None:
        ends.topic.publish(b"x", {})
        (message,) = following(ends.subscription)
        ends.subscription.extend([message], 60)
        ends.subscription.nack([message])
        (again,) = following(ends.subscription)
        assert again.ack_id != message.ack_id
        ends.subscription.ack([message, again])
        assert list(ends.subscription.pull(1)) == []

    def test_at_most_so_many(self, ends: Ends) -> None:
        for _ in range(3):
            ends.topic.publish(b"x", {})
        assert len(ends.subscription.pull(2)) <= 2

    def test_nothing_comes_of_nothing(self, ends: Ends) -> None:
        assert list(ends.subscription.pull(10)) == []
        for tell in (ends.subscription.ack, ends.subscription.nack):
            tell([])
        ends.subscription.extend([], 60)


class TestTopicAndSubscription:
    def test_may_be_used_by_many_threads_at_once(
        self, topic: PubSubTopic, subscription: PubSubSubscription
    ) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: topic.publish(b"%d" % number, {}), range(64)))
        assert sorted(map(int, pulled(subscription, 64))) == list(range(64))

    def test_say_what_to_do_where_they_are_not_there(self, pubsub: PubSub) -> None:
        with pytest.raises(PubSubUnavailable, match="run python -m bot pubsub-setup"):
            PubSubTopic(pubsub.project, "nowhere", emulator=pubsub.emulator).publish(b"", {})
        with pytest.raises(PubSubUnavailable, match="run python -m bot pubsub-setup"):
            subscribed(pubsub, "nowhere").pull(1)

    def test_say_so_where_nobody_answers(self, pubsub: PubSub) -> None:
        with pytest.raises(PubSubUnavailable, match="does not answer"):
            PubSubTopic(pubsub.project, "nowhere", emulator=NOWHERE).publish(b"", {})

    def test_do_not_hang(
        self,
        pubsub_emulator: Emulator,
        topic: PubSubTopic,
        subscription: PubSubSubscription,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        topic.publish(b"before", {})
        monkeypatch.setattr("bot.adapters.pubsub.topic.CALL_SECONDS", 0.5)
        with pubsub_emulator.frozen():
            assert list(subscription.pull(1)) == []
            with pytest.raises(PubSubUnavailable):
                topic.publish(b"meanwhile", {})
        monkeypatch.undo()
        publish_when_let(topic, b"after")
        assert b"after" in [*pulled(subscription, 2), *(one.data for one in subscription.pull(10))]

    def test_go_on_after_an_outage(self, pubsub_emulator: Emulator, topic: PubSubTopic) -> None:
        topic.publish(b"before", {})
        pubsub_emulator.kill()
        assert "does not answer" in _refusal(topic)
        pubsub_emulator.start()
        while "pubsub-setup" not in (refusal := _refusal(topic)):  # the emulator has forgotten all
            assert "does not answer" in refusal


class Service:
    """Google's publisher: counts what it is asked, and answers with an error if there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def publish(self, **_: object) -> None:
        """Take a message."""
        self.asked += 1
        if self.error is not None:
            raise self.error


class TestBreaker:
    """Each publish that nobody answers holds a thread of web for 5 s, and GitHub waits ten."""

    @pytest.fixture
    def service(self, monkeypatch: pytest.MonkeyPatch) -> Service:
        service = Service()
        monkeypatch.setattr("bot.adapters.pubsub.topic.publisher", lambda _: service)
        return service

    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            pytest.param(exceptions.DeadlineExceeded, ["Deadline Exceeded"], id="no answer in time"),
            pytest.param(exceptions.RetryError, ["Timeout exceeded", None], id="no answer however often"),
            pytest.param(TransportError, ["no metadata server"], id="no credentials to be had"),
        ],
    )
    def test_after_a_silence_nothing_is_sent_for_a_while(
        self, service: Service, kind: Callable[..., Exception], words: Sequence[str | None]
    ) -> None:
        now = 1000.0
        breaker = Breaker(failures=1, clock=lambda: now, chance=lambda: 0.0)
        topic, service.error = PubSubTopic("p", "t", breaker=breaker), kind(*words)
        assert "left alone" not in _refusal(topic)
        for _ in range(3):
            assert "left alone" in _refusal(topic)
        assert service.asked == 1
        now, service.error = now + 1.0, None
        for _ in range(3):
            topic.publish(b"", {})
        assert service.asked == 4

    @pytest.mark.parametrize(
        "kind",
        [
            pytest.param(exceptions.InvalidArgument, id="of one message"),
            pytest.param(exceptions.NotFound, id="no topic"),
            pytest.param(exceptions.PermissionDenied, id="no right"),
        ],
    )
    def test_a_refusal_is_an_answer(self, service: Service, kind: Callable[..., Exception]) -> None:
        topic, service.error = PubSubTopic("p", "t"), kind("no")
        for _ in range(3):
            assert "left alone" not in _refusal(topic)
        service.error = None
        topic.publish(b"", {})
        assert service.asked == 4

    def test_stands_before_deliveries_too(self, service: Service) -> None:
        late: Callable[..., Exception] = exceptions.DeadlineExceeded
        service.error = late("Deadline Exceeded")
        web = PublishedInbox(PubSubTopic("p", "t"))
        for _ in range(32):
            with pytest.raises(StoreUnavailable):
                web.put(delivery())
        assert service.asked == 1


def publish_when_let(topic: PubSubTopic, data: bytes) -> None:
    """For a moment after a silence nothing is sent."""
    while True:
        with suppress(PubSubUnavailable):
            return topic.publish(data, {})


def _refusal(topic: PubSubTopic) -> str:
    """Why a message is not taken."""
    with pytest.raises(PubSubUnavailable) as refused:
        topic.publish(b"", {})
    return str(refused.value)


@pytest.mark.postgres
class TestThroughPubSub:
    @pytest.fixture
    def through(self, pubsub: PubSub, database: Database) -> Through:
        return Through(pubsub, database)

    def test_the_database_may_be_away_while_web_receives(self, through: Through) -> None:
        away = through.pump_into(Database(f"postgresql+psycopg://nobody@{NOWHERE}/nothing", pool_size=1))
        sent = [delivery() for _ in range(3)]
        for one in sent:
            through.entrance.put(one)
        for _ in range(3):
            assert not away.work()
        away.inbox = through.pump.inbox
        while through.subscription.acknowledged < 3:
            away.work()
        assert take(through.inbox).delivery == sent[0]
        assert list(through.parked.pull(1)) == []

    def test_a_worker_may_be_killed_between_commit_and_acknowledgement(self, through: Through) -> None:
        through.entrance.put(delivery(delivery_id="same"))
        (message,) = following(through.subscription)
        through.pump.inbox.put(delivery(delivery_id="same"))
        through.subscription.nack([message])  # as its deadline would
        through.arrive()
        take(through.inbox)
        assert through.inbox.claim() is None

    def test_several_workers_pull_at_once(self, through: Through, database: Database) -> None:
        sent = [delivery(number % 7) for number in range(140)]
        for one in sent:
            through.entrance.put(one)
        done = threading.Event()

        def work() -> None:
            pump = through.pump_into(database)
            while not done.is_set():
                pump.work()
                if through.subscription.acknowledged >= len(sent):
                    done.set()

        with ThreadPoolExecutor(3) as pool:
            for worker in [pool.submit(work) for _ in range(3)]:
                worker.result()
        with database.begin() as connection:
            rows = connection.execute(text("SELECT id, lane FROM deliveries ORDER BY seq")).all()
        assert sorted(row.id for row in rows) == sorted(one.id for one in sent)
        for lane in {one.lane for one in sent}:
            assert [row.id for row in rows if row.lane == lane] == [
                one.id for one in sent if one.lane == lane
            ]

    def test_a_delivery_in_parts_may_come_twice(self, through: Through) -> None:
        big = signed(large(12_000_000))
        for _ in range(2):
            through.entrance.put(big)
        assert through.topic.published == 4
        through.arrive()
        assert take(through.inbox).delivery == big
        assert through.inbox.claim() is None

    def test_what_is_parked_is_published_too(self, through: Through) -> None:
        sent = delivery(delivery_id="d-1")
        put(through, sent)
        through.inbox.park(take(through.inbox), "could not be handled")
        (message,) = following(through.parked)
        assert message.attributes["id"] == "d-1"
        assert message.attributes["reason"] == "could not be handled"
        assert message.data == sent.body

    def test_a_dead_letter_can_be_replayed(self, through: Through) -> None:
        put(through, delivery(delivery_id="d-1"), delivery(delivery_id="d-2"))
        for _ in range(2):
            through.inbox.park(take(through.inbox), "could not be handled")
        assert list(replay_dead_letters(through.pubsub, ["d-1"])) == ["d-1"]
        through.topic.published += 1
        through.arrive()
        claim = take(through.inbox)
        assert (claim.delivery.id, claim.tries) == ("d-1", 1)
        assert through.inbox.claim() is None

    def test_a_dead_letter_is_there_however_often_others_were_replayed(self, through: Through) -> None:
        ids = [f"d-{number}" for number in range(5)]
        for one in ids:
            through.parked_topic.publish(b"{}", {"id": one, "event": "push"})
        for one in ids:
            assert list(dead_letters.replay(through.parked, through.topic, [one])) == [one]

    def test_a_forged_message_ends_among_the_dead_letters(self, through: Through) -> None:
        through.topic.publish(b"{}", {"id": "d-1", "event": "push", "signature": "sha256=0"})
        put(through, delivery(delivery_id="d-2"))
        assert take(through.inbox).delivery.id == "d-2"
        assert through.inbox.claim() is None
        (message,) = following(through.parked)
        assert "signature is missing or wrong" in message.attributes["reason"]

    def test_without_pubsub_nothing_is_promised(self, pubsub: PubSub) -> None:
        away = PublishedInbox(PubSubTopic(pubsub.project, pubsub.deliveries, emulator=NOWHERE))
        with pytest.raises(StoreUnavailable, match="does not answer"):
            away.put(delivery())


def test_who_does_not_use_it_does_not_import_it() -> None:
    """It takes 24 MB of each process."""
    program = "import sys, bot.server, bot.bootstrap; print({'grpc', 'google.pubsub_v1'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
