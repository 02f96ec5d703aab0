"""A message of a queue that holds what it handed out until it is acknowledged: Google Cloud Pub/Sub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Message:
    """What a subscription handed out; whoever may publish wrote it, so nothing of it is to be trusted.

    `ack_id` is this handing-out's own and changes with the next. `attempt` counts those, from 1, where
    the subscription has a dead-letter topic; else it is 0. `key` is the ordering key, "" without order.
    """

    data: bytes = field(repr=False)
    attributes: Mapping[str, str]
    ack_id: str = field(repr=False)
    attempt: int = 0
    key: str = ""
