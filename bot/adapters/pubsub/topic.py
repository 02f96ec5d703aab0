"""The Topic port on Pub/Sub: one message per request, confirmed before the next.

The library's own publisher gathers messages in batches, in threads that wait; with an ordering key it
repeats for ever and after an error wants to be told to go on. What lies below it answers in time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from google.pubsub_v1.types import PubsubMessage

from bot.adapters.pubsub.connection import AGAIN, CALL_SECONDS, publisher, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.pubsub_v1 import PublisherClient


class PubSubTopic:
    """One topic of a project; nothing is connected before the first message. Safe in several threads."""

    def __init__(self, project: str, topic: str, *, emulator: str = "") -> None:
        self.topic = topic
        self._path = f"projects/{project}/topics/{topic}"
        self._emulator = emulator
        self._client: PublisherClient | None = None
        self._connecting = threading.Lock()

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        """Publish a message; returns once that is confirmed, within 5 s. After an error it may be there."""
        message = PubsubMessage(data=data, attributes=attributes, ordering_key=key)
        with translated(f"topic {self.topic}"):
            self._connected().publish(topic=self._path, messages=[message], retry=AGAIN, timeout=CALL_SECONDS)

    def _connected(self) -> PublisherClient:
        with self._connecting:
            if self._client is None:
                self._client = publisher(self._emulator)
            return self._client
