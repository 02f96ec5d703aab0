"""Whether topics and subscriptions are what they should be: the port of `bot doctor`. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.api_core import exceptions

from bot.adapters.pubsub.connection import AGAIN, CALL_SECONDS, publisher, subscriber, translated
from bot.adapters.pubsub.setup import SHORTER, as_wanted, facts
from bot.models.doctor import SeenQueue

if TYPE_CHECKING:
    from google.pubsub_v1.types import Subscription

    from bot.models import Queue


class PubSubDoctor:
    """Fulfils QueueLook. Raises PubSubUnavailable."""

    def __init__(self, project: str, *, emulator: str = "") -> None:
        self.project = project
        with translated(f"project {project}"):
            self._publisher, self._subscriber = publisher(emulator), subscriber(emulator)

    def queue(self, queue: Queue) -> SeenQueue:
        """The topic and subscription of that name, beside what they should be. Two calls."""
        wanted = as_wanted(self.project, queue)
        with translated(f"topic {queue.name}"):
            topic = self._has_topic(queue.name)
        with translated(f"subscription {queue.name}"):
            try:
                found = self._subscriber.get_subscription(
                    subscription=wanted.name, retry=AGAIN, timeout=CALL_SECONDS
                )
            except exceptions.NotFound:
                return SeenQueue(topic=topic, subscription=False, differences={})
        has, wants = facts(found), facts(wanted)
        differences = {name: (has[name], wants[name]) for name in wants if has[name] != wants[name]}
        if _long_enough(found, wanted):
            differences.pop("retention", None)
        return SeenQueue(topic=topic, subscription=True, differences=differences)

    def _has_topic(self, name: str) -> bool:
        try:
            self._publisher.get_topic(
                topic=f"projects/{self.project}/topics/{name}", retry=AGAIN, timeout=CALL_SECONDS
            )
        except exceptions.NotFound:
            return False
        return True


def _long_enough(found: Subscription, wanted: Subscription) -> bool:
    """Whether it keeps messages as long as can be had where 31 days are not offered."""
    return bool(found.message_retention_duration >= min(SHORTER, wanted.message_retention_duration))
