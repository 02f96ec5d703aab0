from __future__ import annotations

from datetime import timedelta

import pytest

from bot.doctor import Verdict, examine
from bot.doctor.pubsub import judge_queue, queue_checks
from bot.errors import PubSubUnavailable
from bot.models import Queue
from bot.models.doctor import SeenQueue
from tests.doctor.findings import ailing, said, verdicts

QUEUES = [
    Queue(name="p-deliveries", retention=timedelta(days=7)),
    Queue(name="p-parked", retention=timedelta(31)),
]
WELL = SeenQueue(topic=True, subscription=True, differences={})


def different(**differences: tuple[str, str]) -> SeenQueue:
    named = {name.replace("_", " "): pair for name, pair in differences.items()}
    return SeenQueue(topic=True, subscription=True, differences=named)


@pytest.mark.parametrize(
    ("seen", "expected", "words"),
    [
        pytest.param(WELL, ["ok"], "set up", id="right"),
        pytest.param(
            SeenQueue(topic=False, subscription=False, differences={}),
            ["broken", "broken"],
            "python -m bot pubsub-setup",
            id="neither",
        ),
        pytest.param(
            SeenQueue(topic=True, subscription=False, differences={}),
            ["broken"],
            "no subscription",
            id="half",
        ),
        pytest.param(
            different(topic=("_deleted-topic_", "p")),
            ["broken"],
            "Delete it once it is empty",
            id="lost topic",
        ),
        pytest.param(different(order=("not kept", "kept")), ["warning"], "Delete it", id="order"),
        pytest.param(different(push=("https://old", "none")), ["broken"], "https://old", id="pushed away"),
        pytest.param(different(dead_letters=("none", "p-parked")), ["warning"], "pubsub-setup", id="letters"),
    ],
)
def test_a_topic_and_its_subscription(seen: SeenQueue, expected: list[str], words: str) -> None:
    found = judge_queue("p-deliveries", seen)

    assert verdicts(found) == expected
    assert words in said(found)


class FakeQueues:
    """All is well, but for one queue."""

    def queue(self, queue: Queue) -> SeenQueue:
        return WELL if queue.name == "p-parked" else different(push=("https://old", "none"))


def test_each_queue_is_looked_at_by_itself() -> None:
    assert ailing(examine(queue_checks(FakeQueues, QUEUES), lambda text: text)) == {"pubsub.p-deliveries"}


def test_without_credentials_that_is_said() -> None:
    def connect() -> FakeQueues:
        raise PubSubUnavailable("no Application Default Credentials")

    findings = examine(queue_checks(connect, QUEUES[:1]), lambda text: text)

    assert ailing(findings) == {"pubsub.p-deliveries"}
    assert "Default Credentials" in findings[0].said


def test_where_it_is_not_used_nothing_is_asked() -> None:
    assert [one.verdict for one in examine(queue_checks(None, ()), lambda text: text)] == [Verdict.SKIPPED]
