"""GitHub's limits on how much we may send, which all workers share, and who goes first below them."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bot.claims import Urgency, Window
from bot.errors import HeldBack
from bot.patience import Pause, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.models import Quota, Repository
    from bot.ports import BudgetStore, QuotaReader

POINTS, CONTENT = "points", "content"
COSTS = {POINTS: 5.0, CONTENT: 1.0}
"""Of one write."""

POINTS_PER_MINUTE, CONTENT_PER_MINUTE, CONTENT_PER_HOUR = 900, 80, 500

LOOKUPS = 3.0
"""Points that a decision takes: what it has to look up is read, most of it remembered."""

SHARES = {
    Urgency.FINAL_STATUS: 1.0,
    Urgency.FINAL_COMMENT: 0.95,
    Urgency.LOOKUP: 0.97,
    Urgency.PROGRESS: 0.5,
}
"""Of each window: whoever can wait leaves the rest to those who can't."""

LOW_SHARE, LOW_REQUESTS = 0.1, 300
"""Below either the hour's requests run low."""

LONGEST_WAIT = 300.0
LEAST_WAITS = {Urgency.FINAL_COMMENT: 1.0, Urgency.LOOKUP: 2.0, Urgency.PROGRESS: 10.0}
"""Seconds. Who can wait comes back in turn, for room of its own: else all come back for room for one."""


def windows(
    points_per_minute: float = POINTS_PER_MINUTE,
    content_per_minute: float = CONTENT_PER_MINUTE,
    content_per_hour: float = CONTENT_PER_HOUR,
) -> tuple[Window, ...]:
    """GitHub's secondary limits; the defaults are what it documents."""
    return (
        Window(POINTS, 60, points_per_minute),
        Window(CONTENT, 60, content_per_minute),
        Window(CONTENT, 3600, content_per_hour),
    )


class Budget:
    """Asked before each write. However small a window is, one write fits into it.

    Progress waits for as long as others of this process wait for points: what gets free is theirs. Who waits
    for content, of which there may be none for an hour, is in nobody's way but that of other content.

    `on_held_back` hears the urgency of each write that has to wait.
    """

    def __init__(
        self,
        store: BudgetStore,
        quotas: QuotaReader,
        windows: Sequence[Window],
        *,
        on_held_back: Callable[[str], None] = lambda _urgency: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.quotas = quotas
        self.on_held_back = on_held_back
        self._others: dict[str, Pause] = defaultdict(partial(Pause, clock))
        self._turns: dict[tuple[str, Urgency, bool], Turns] = defaultdict(partial(Turns, LONGEST_WAIT, clock))
        self.windows = {
            urgency: [
                replace(window, most=max(window.most * share, COSTS[window.name])) for window in windows
            ]
            for urgency, share in SHARES.items()
        }

    def take(self, repository: Repository, *, content: bool, urgency: Urgency) -> float:
        """Spend one write and return 0, or the seconds until it is worth asking again.

        `content` says that it creates or edits what people read (comments, not statuses and check runs).
        """
        account = self._told(repository)
        costs = COSTS if content else {POINTS: COSTS[POINTS]}
        wait = 0.0
        if urgency is Urgency.PROGRESS:
            wait = max(_until_quota(self.quotas.quota(repository)), self._others[account].left)
        if wait <= 0:
            wait = self.store.take(account, costs, self.windows[urgency])
        return self._held_back(account, wait, urgency, costs) if wait > 0 else 0.0

    def check(self, repository: Repository, *, can_wait: bool = False) -> bool:
        """See that there is room for what a decision looks up; HeldBack if there is none yet.

        Returns whether there is so much that even progress may be told, and nobody waits for it: one that
        `can_wait` is held back until then. Spends nothing: what is read is told to the store afterwards, so
        that a few decisions at a time may exceed their share, for which the other shares leave room.
        """
        account = self._told(repository)
        costs = {POINTS: LOOKUPS}
        wait = self._others[account].left or self.store.wait(account, costs, self.windows[Urgency.PROGRESS])
        if wait <= 0:
            return True
        urgency = Urgency.PROGRESS if can_wait else Urgency.LOOKUP
        if not can_wait:
            wait = self.store.wait(account, costs, self.windows[urgency])
        if wait > 0:
            raise HeldBack(self._held_back(account, wait, urgency, costs))
        return False

    def _held_back(self, account: str, wait: float, urgency: Urgency, costs: Mapping[str, float]) -> float:
        self.on_held_back(urgency.value)
        content = CONTENT in costs
        if urgency in LEAST_WAITS:
            rates = [one.most / one.seconds for one in self.windows[urgency] if one.name == POINTS]
            each = max((costs[POINTS] / rate for rate in rates), default=0.0)
            wait = self._turns[account, urgency, content].after(max(wait, LEAST_WAITS[urgency]), each)
        others = self._others[account]
        if urgency is not Urgency.PROGRESS and not content and wait > others.left:
            others.begin(wait)
        return wait

    def _told(self, repository: Repository) -> str:
        """The account whose limits count, and what it has read is told to the store."""
        account = self.quotas.account(repository)
        spent = self.quotas.spent(repository)
        if spent:
            self.store.spend(account, {POINTS: spent})
        return account


def _until_quota(quota: Quota | None) -> float:
    """Seconds for which progress waits because the hour's requests run low, 0 if they do not."""
    if quota is None or quota.remaining >= max(LOW_SHARE * quota.limit, LOW_REQUESTS):
        return 0.0
    return min(max(quota.resets_in, 1.0), LONGEST_WAIT)


class _NoLimits:
    """A BudgetStore and QuotaReader of somebody whom nobody limits."""

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:  # noqa: ARG002 - as the port wants it
        return 0.0

    def wait(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:  # noqa: ARG002 - as the port wants it
        return 0.0

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        pass

    def account(self, repository: Repository) -> str:
        return repository.owner

    def quota(self, repository: Repository) -> Quota | None:  # noqa: ARG002 - as the port wants it
        return None

    def spent(self, repository: Repository) -> int:  # noqa: ARG002 - as the port wants it
        return 0


UNLIMITED = Budget(_NoLimits(), _NoLimits(), ())
"""For tests that are about something else."""
