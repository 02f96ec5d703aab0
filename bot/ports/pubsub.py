"""What is published and pulled: the narrow part of Google Cloud Pub/Sub that we use.

All methods raise PubSubUnavailable where it does not answer in time, or refuses (the message says which).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Message


class Topic(Protocol):
    """Where messages go."""

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        """Publish a message; returns once that is confirmed. After an error it may be there all the same.

        Those of one ordering key are handed out in the order in which they were confirmed.
        """
        ...


class Subscription(Protocol):
    """Where messages come from, each until it is acknowledged: at least once."""

    def pull(self, most: int) -> Sequence[Message]:
        """What waits, `most` messages at most; waits some seconds for the first. Empty where none came."""
        ...

    def ack(self, messages: Sequence[Message]) -> None:
        """They are done with. An acknowledgement that comes too late does nothing: they come again."""
        ...

    def nack(self, messages: Sequence[Message]) -> None:
        """Hand them out again: at once, or by the subscription's retry policy. Counts as an attempt."""
        ...

    def extend(self, messages: Sequence[Message], seconds: int) -> None:
        """Keep them for so many seconds from now (600 at most), before they are handed out again."""
        ...
