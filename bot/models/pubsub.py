"""A message of a queue that holds what it handed out until it is acknowledged: Google Cloud Pub/Sub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


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


@dataclass(frozen=True, slots=True)
class Push:
    """Where a subscription's messages are sent, and as whom: the account and audience of Google's tokens."""

    url: str
    account: str
    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A topic and the one subscription of it, which has its name, as they should be.

    `dead_letters` is the topic for what was handed out a hundred times, ever later, "" if there is none.
    `ack_seconds` is how long what was pulled is kept from others, unless its puller says more.
    """

    name: str
    retention: timedelta
    ordered: bool = False
    dead_letters: str = ""
    ack_seconds: int = 60
    push: Push | None = None
