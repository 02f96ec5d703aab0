"""The Topic port on Pub/Sub: one message per request, confirmed before the next.

The library's own publisher gathers messages in batches, in threads that wait; with an ordering key it
repeats for ever and after an error wants to be told to go on. What lies below it answers in time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError
from google.pubsub_v1.types import PubsubMessage

from bot.adapters.pubsub.connection import AGAIN, CALL_SECONDS, publisher, translated
from bot.breaker import Breaker, Refused
from bot.errors import PubSubUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.pubsub_v1 import PublisherClient


class PubSubTopic:
    """One topic of a project; nothing is connected before the first message. Safe in several threads.

    While Pub/Sub is silent it is left alone: each try holds a thread of web for seconds.
    """

    def __init__(
        self, project: str, topic: str, *, emulator: str = "", breaker: Breaker | None = None
    ) -> None:
        self.topic = topic
        self._breaker = breaker or Breaker(failures=1)
        self._path = f"projects/{project}/topics/{topic}"
        self._emulator = emulator
        self._client: PublisherClient | None = None
        self._connecting = threading.Lock()

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        """Publish a message; returns once that is confirmed, within 5 s. After an error it may be there.

        PubSubUnavailable at once, with nothing sent, for a while after Pub/Sub was silent.
        """
        message = PubsubMessage(data=data, attributes=attributes, ordering_key=key)
        try:
            with self._breaker.call(_is_silence), translated(f"topic {self.topic}"):
                self._connected().publish(
                    topic=self._path, messages=[message], retry=AGAIN, timeout=CALL_SECONDS
                )
        except Refused as refused:
            raise PubSubUnavailable(
                f"Pub/Sub does not answer (topic {self.topic}): it is left alone for a moment",
                refused.seconds,
            ) from None

    def _connected(self) -> PublisherClient:
        with self._connecting:
            if self._client is None:
                self._client = publisher(self._emulator)
            return self._client


def _is_silence(error: Exception) -> bool:
    """Whether nobody answered: that a message, or we, are not wanted is said at once."""
    cause = error.__cause__
    refused = isinstance(cause, exceptions.ClientError | GoogleAuthError)
    return isinstance(error, PubSubUnavailable) and (not refused or isinstance(cause, TransportError))
