"""How fast we ask for redelivery: slowly enough that reports, which share the limits, are not held up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.claims import Window
from bot.report.budget import COSTS, LONGEST_WAIT, LOW_SHARE, POINTS

if TYPE_CHECKING:
    from bot.ports import BudgetStore, DeliveryLog

SHARE = 0.4
"""Of GitHub's points a minute: less than what reports of progress leave alone."""


class Pace:
    """Asked before each redelivery."""

    def __init__(self, store: BudgetStore, log: DeliveryLog, points_per_minute: float) -> None:
        self._store = store
        self._log = log
        self._window = Window(POINTS, 60, max(points_per_minute * SHARE, COSTS[POINTS]))

    def take(self) -> float:
        """Spend one redelivery and return 0, or the seconds until it is worth asking again."""
        quota = self._log.quota()
        if quota is not None and quota.remaining < LOW_SHARE * quota.limit:
            return min(max(quota.resets_in, 1.0), LONGEST_WAIT)
        return self._store.take(self._log.account(), {POINTS: COSTS[POINTS]}, (self._window,))
