"""The Subscription port on Pub/Sub, by synchronous pull: what is not asked for is not handed out.

https://cloud.google.com/pubsub/docs/pull
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from google.api_core import exceptions

from bot.adapters.pubsub.connection import AGAIN, CALL_SECONDS, subscriber, translated
from bot.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.pubsub_v1 import SubscriberClient

PULL_SECONDS = 5.0
LONGEST_SECONDS = 600
"""For which Pub/Sub lets a message be kept in one go."""


class PubSubSubscription:
    """One subscription of a project; nothing is connected before the first pull. Safe in several threads."""

    def __init__(
        self, project: str, name: str, *, emulator: str = "", pull_seconds: float = PULL_SECONDS
    ) -> None:
        self.name = name
        self._path = f"projects/{project}/subscriptions/{name}"
        self._emulator = emulator
        self._pull_seconds = pull_seconds
        self._client: SubscriberClient | None = None
        self._connecting = threading.Lock()

    def pull(self, most: int) -> Sequence[Message]:
        """What waits, `most` messages at most; waits some seconds for the first."""
        with translated(f"subscription {self.name}"):
            try:
                answer = self._connected().pull(
                    subscription=self._path, max_messages=most, retry=None, timeout=self._pull_seconds
                )
            except exceptions.DeadlineExceeded:
                return ()
        return [
            Message(
                data=received.message.data,
                attributes=dict(received.message.attributes),
                ack_id=received.ack_id,
                attempt=received.delivery_attempt,
                key=received.message.ordering_key,
            )
            for received in answer.received_messages
        ]

    def ack(self, messages: Sequence[Message]) -> None:
        """They are done with."""
        if messages:
            with translated(f"subscription {self.name}"):
                self._connected().acknowledge(
                    subscription=self._path, ack_ids=_ids(messages), retry=AGAIN, timeout=CALL_SECONDS
                )

    def nack(self, messages: Sequence[Message]) -> None:
        """Hand them out again."""
        self.extend(messages, 0)

    def extend(self, messages: Sequence[Message], seconds: int) -> None:
        """Keep them for so many seconds from now, before they are handed out again."""
        if messages:
            with translated(f"subscription {self.name}"):
                self._connected().modify_ack_deadline(
                    subscription=self._path,
                    ack_ids=_ids(messages),
                    ack_deadline_seconds=min(seconds, LONGEST_SECONDS),
                    retry=AGAIN,
                    timeout=CALL_SECONDS,
                )

    def _connected(self) -> SubscriberClient:
        with self._connecting:
            if self._client is None:
                self._client = subscriber(self._emulator)
            return self._client


def _ids(messages: Sequence[Message]) -> list[str]:
    return [message.ack_id for message in messages]
