"""How much one set of credentials asked GitHub, and how much GitHub says that it still may."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bot.adapters.github.answers import until_reset
from bot.models import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

POINTS_OF_A_READ = 1
"""What GitHub's secondary limits count for it, answered with 304 or not."""


class Usage:
    """Reads are counted, for budgets to hear of afterwards.

    Writes are not: a budget is asked about each before it is sent. Those that no budget knows are too few to
    matter: one sent again to a renamed repository or with a new token, and the minting of tokens, which
    GitHub counts for the App itself and not for its installation.

    Args:
        clock: seconds from any fixed moment.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._points = 0
        self._left: tuple[int, int, float] | None = None

    def sent(self, method: str) -> None:
        """A request is sent."""
        if method == "GET":
            with self._lock:
                self._points += POINTS_OF_A_READ

    def answered(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer (304 and refusals, too) told what is left of the hour's requests.

        Searches, uploads and the like have limits of their own, which are none of ours.
        """
        seconds = until_reset(headers)
        if seconds is None or headers.get("X-RateLimit-Resource", "core") != "core":
            return False
        try:
            limit, remaining = (int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining"))
        except (KeyError, ValueError):
            return False
        with self._lock:
            self._left = (limit, remaining, self._clock() + seconds)
        return True

    def take(self) -> int:
        """The points that were spent since the last call."""
        with self._lock:
            points, self._points = self._points, 0
            return points

    def quota(self) -> Quota | None:
        """What is left; None if no answer told, or once the hour that it was about is over."""
        with self._lock:
            if self._left is None:
                return None
            limit, remaining, resets_at = self._left
        seconds = resets_at - self._clock()
        return Quota(limit, remaining, seconds) if seconds > 0 else None


def least(usages: Iterable[Usage]) -> Quota | None:
    """The quota of which the smallest share is left, None if none is known."""
    known = [quota for quota in (usage.quota() for usage in usages) if quota is not None]
    return min(known, key=lambda quota: quota.remaining / max(1, quota.limit), default=None)
