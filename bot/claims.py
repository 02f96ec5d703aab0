"""What the store hands out: work that this process holds for a while, and what was shown to whom."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Delivery, Reply, Repository, Run, Status


class Receipt(enum.Enum):
    """What became of a delivery that was handed to the inbox."""

    STORED = "stored"
    REPEATED = "repeated"  # queued or done already
    REQUEUED = "requeued"  # it was parked, and gets another chance


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery that this worker holds until its lease ends; `tries` counts this one too."""

    delivery: Delivery
    token: str
    tries: int


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run that this worker holds until `lease`.

    `version` tells whether something changed meanwhile. `nudged`: Airflow has just hinted at a change, which
    its API may not show yet.
    """

    run: Run
    version: int
    cancel_sent: bool
    lease: datetime
    nudged: bool = False


@dataclass(frozen=True, slots=True)
class PullClaim:
    """A pull request whose report this worker holds until `lease`.

    `version` tells whether something changed meanwhile, `failures` counts reports that failed in a row.
    """

    repository: Repository
    number: int
    version: int
    failures: int
    lease: datetime


@dataclass(frozen=True, slots=True)
class ShownComment:
    """What we know of a pull request's comment. `search` says that one of ours may be there unknown to us.

    `digest` is that of the body that it shows, `sent_at` when it was sent.
    """

    id: int | None
    digest: str
    sent_at: datetime | None
    search: bool


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """A status as we last managed to show it."""

    status: Status
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A comment that waits for its answer. `reacted` and `attempted` say what may be there already."""

    reply: Reply
    reacted: bool
    attempted: bool
