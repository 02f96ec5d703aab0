"""A topic and its subscription in memory: at least once, in order, until it is acknowledged."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from bot.models import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.errors import PubSubUnavailable


class FakeQueue:
    """Both ports at once. `down` is what is raised instead of anything else."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.held: dict[str, Message] = {}
        self.extended: list[tuple[str, int]] = []
        """The ack ids that were extended, and by how many seconds."""
        self.down: PubSubUnavailable | None = None
        self.published = 0
        self._ids = itertools.count(1)

    def publish(self, data: bytes, attributes: Mapping[str, str], key: str = "") -> None:
        """Confirmed at once."""
        self._answer()
        self.published += 1
        self.waiting.append(Message(data, dict(attributes), "", 0, key))

    def pull(self, most: int) -> Sequence[Message]:
        """What waits; without waiting."""
        self._answer()
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        given = [
            Message(one.data, one.attributes, f"ack-{next(self._ids)}", one.attempt + 1, one.key)
            for one in taken
        ]
        self.held |= {one.ack_id: one for one in given}
        return given

    def ack(self, messages: Sequence[Message]) -> None:
        """An id that is not ours any more is passed over, as Pub/Sub does."""
        self._answer()
        for message in messages:
            self.held.pop(message.ack_id, None)

    def nack(self, messages: Sequence[Message]) -> None:
        """Hand them out again, before all others."""
        self._answer()
        self.waiting[:0] = [self.held.pop(one.ack_id) for one in messages if one.ack_id in self.held]

    def extend(self, messages: Sequence[Message], seconds: int) -> None:
        """Noted."""
        self._answer()
        self.extended += [(message.ack_id, seconds) for message in messages]

    def expire(self) -> None:
        """Whoever held messages was silent for too long: they are handed out again."""
        self.waiting[:0] = self.held.values()
        self.held.clear()

    def is_empty(self) -> bool:
        """Whether all was acknowledged."""
        return not self.waiting and not self.held

    def _answer(self) -> None:
        if self.down is not None:
            raise self.down
