"""What the worker keeps in mind of one delivery log between two looks: nothing that may not be lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.intake.recovery.missed import Asked
    from bot.models import Attempt, DeliveryLogRef


@dataclass
class Look:
    """What one log still wants, and when.

    `first` is the moment before which nothing in it is our business. `todo` is to be redelivered, and decided
    anew after `todo_until`; `waiting` more get their next attempt later, the first of them at `next_at`.
    `due` and `todo_until` are of a clock that is never set, the others are moments.
    `unreadable` says why there is no log for us. `good` is the last good moment, None before the first look.
    """

    log: DeliveryLogRef
    first: datetime
    due: timedelta
    failures: int = 0
    todo: deque[Attempt] = field(default_factory=deque)
    todo_until: timedelta | None = None
    next_at: datetime | None = None
    waiting: int = 0
    asked: Asked = field(default_factory=dict)
    unanswered: dict[str, datetime] = field(default_factory=dict)
    given_up: frozenset[str] = frozenset()
    unreadable: str = ""
    good: datetime | None = None

    @property
    def mark(self) -> str:
        """Up to when the log tells that nothing is missing."""
        return f"deliveries {self.log.name}"

    @property
    def alive(self) -> str:
        """When we lived last while no log could be read."""
        return f"alive {self.log.name}"

    @property
    def audited(self) -> str:
        """Up to when pull requests were audited, as no log could be read."""
        return f"audited {self.log.name}"
