"""What the doctor sees of topics and subscriptions, as our own set-up makes them and otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.pubsub.connection import publisher, subscriber
from bot.adapters.pubsub.doctor import PubSubDoctor
from bot.bootstrap.pubsub import queues
from bot.doctor.pubsub import judge_queue
from bot.errors import PubSubUnavailable
from bot.models import Push
from deploy.local import ports
from tests.doctor.findings import verdicts

if TYPE_CHECKING:
    from bot.models import Queue
    from bot.models.doctor import SeenQueue
    from bot.settings import PubSub


def seen(pubsub: PubSub, queue: Queue) -> SeenQueue:
    return PubSubDoctor(pubsub.project, emulator=pubsub.emulator).queue(queue)


def test_what_the_set_up_made_is_as_it_should_be(pubsub: PubSub) -> None:
    for queue in queues(pubsub):
        assert verdicts(judge_queue(queue.name, seen(pubsub, queue))) == ["ok"]


def test_a_project_without_any(pubsub: PubSub) -> None:
    elsewhere = replace(pubsub, project=f"{pubsub.project}-empty")

    for queue in queues(elsewhere):
        found = seen(elsewhere, queue)
        assert (found.topic, found.subscription) == (False, False)


def test_one_whose_topic_was_deleted(pubsub: PubSub) -> None:
    path = f"projects/{pubsub.project}/topics/{pubsub.deliveries}"
    publisher(pubsub.emulator).delete_topic(topic=path)
    queue = queues(pubsub)[1]

    found = seen(pubsub, queue)

    assert queue.name == pubsub.deliveries
    assert (found.topic, found.subscription) == (False, True)
    assert found.differences["topic"][0] == "_deleted-topic_"


def test_one_whose_subscription_was_deleted(pubsub: PubSub) -> None:
    path = f"projects/{pubsub.project}/subscriptions/{pubsub.events}"
    subscriber(pubsub.emulator).delete_subscription(subscription=path)

    assert not seen(pubsub, queues(pubsub)[2]).subscription


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"ordered": False}, {"order"}),
        ({"dead_letters": ""}, {"dead letters"}),
        ({"push": Push("https://bot.example.com/pubsub", "pusher@x", "us")}, {"push"}),
    ],
)
def test_one_that_was_set_up_otherwise(pubsub: PubSub, changed: dict[str, object], differs: set[str]) -> None:
    wanted = replace(queues(pubsub)[1], **changed)  # type: ignore[arg-type]  # a table's values

    assert set(seen(pubsub, wanted).differences) >= differs


def test_nobody_there(pubsub: PubSub) -> None:
    nobody = PubSubDoctor(pubsub.project, emulator=f"127.0.0.1:{ports.choose_any()}")

    with pytest.raises(PubSubUnavailable):
        nobody.queue(queues(pubsub)[0])
