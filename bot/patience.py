"""How long to wait before another try, and for how long to leave something alone altogether."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SLOWEST = 30.0
"""Seconds between two tries at most: so soon after its end work goes on by itself, however long it lasted."""


def backoff(
    failures: int,
    slowest: float = SLOWEST,
    *,
    fastest: float = 1.0,
    chance: Callable[[], float] = random.random,
) -> float:
    """Seconds until the next try after so many failures in a row.

    They double from `fastest`, up to a quarter less by chance: those who failed together don't come back
    together.
    """
    return min(slowest, fastest * 2.0 ** min(max(failures - 1, 0), 20)) * (1.0 - chance() / 4)


def spread(seconds: float, *, chance: Callable[[], float] = random.random) -> float:
    """Up to a quarter more seconds: for those who have all heard that nothing is to be had before."""
    return seconds * (1.0 + chance() / 4)


class Pause:
    """For so long something is left alone; afterwards one looks with care, until all is well again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: float | None = None

    def begin(self, seconds: float) -> None:
        """Leave it alone for so many seconds from now."""
        self._until = self._clock() + seconds

    def end(self) -> None:
        """It is well again."""
        self._until = None

    @property
    def left(self) -> float:
        """The seconds that are left, 0 if it may be tried."""
        until = self._until
        return 0.0 if until is None else max(0.0, until - self._clock())

    @property
    def cautious(self) -> bool:
        """Whether nobody has seen yet that it is well again."""
        return self._until is not None


class Turns:
    """Those who wait for the same thing come back one after another, each when there may be some of it.

    None waits longer than `longest` seconds for its turn.
    """

    def __init__(self, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def after(self, wait: float, each: float) -> float:
        """Seconds until the turn of one more, who waits for `wait` at least; each turn takes `each`."""
        with self._lock:
            now = self._clock()
            at = max(now + wait, self._next)
            self._next = at + each
            if at - now > self._longest:
                at = self._next = now + max(self._longest, wait)
            return at - now
