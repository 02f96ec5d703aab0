"""Slow reads for pages, which must never keep a web thread from the webhook.

Few reads are under way at once, one serves all who want the same, what was read is remembered for a while,
and nobody waits longer than they said: a read that takes longer goes on, and the next look finds what it
brought.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

log = logging.getLogger(__name__)

V = TypeVar("V")


@dataclass(slots=True)
class _Read(Generic[V]):
    """A read that is wanted or under way; nobody wants it any more after `wanted_until`."""

    read: Callable[[], V]
    wanted_until: float
    done: threading.Event = field(default_factory=threading.Event)
    value: V | None = None


class SharedReads(Generic[V]):
    """Reads by key. `lasts(value, took)` says for how many seconds what was read is good.

    At most `at_once` reads are under way, and at most `waiting` callers wait for one: the others get what is
    there. What is remembered has a total `size(value)` of at most `room`.
    """

    def __init__(
        self,
        *,
        at_once: int,
        waiting: int,
        room: int,
        size: Callable[[V], int],
        lasts: Callable[[V, float], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._waiting = threading.BoundedSemaphore(waiting)
        self._lasts = lasts
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: LRUCache[Hashable, tuple[V, float]] = LRUCache(room, getsizeof=lambda kept: size(kept[0]))
        self._room = room
        self._size = size
        self._reads: dict[Hashable, _Read[V]] = {}
        self._queue: deque[Hashable] = deque()
        self._readers = 0

    def get(self, wanted: Mapping[Hashable, Callable[[], V]], seconds: float) -> dict[Hashable, V]:
        """What can be had of it within so many seconds; where a read raises there is nothing."""
        until = self._clock() + seconds
        found, missing = self._begin(wanted, until)
        if missing and seconds > 0 and self._waiting.acquire(blocking=False):
            try:
                for one in missing.values():
                    one.done.wait(max(0.0, until - self._clock()))
            finally:
                self._waiting.release()
        brought = {key: one.value for key, one in missing.items() if one.value is not None}
        return found | brought

    def _begin(
        self, wanted: Mapping[Hashable, Callable[[], V]], until: float
    ) -> tuple[dict[Hashable, V], dict[Hashable, _Read[V]]]:
        """What is remembered, and the reads that will bring the rest."""
        found: dict[Hashable, V] = {}
        missing: dict[Hashable, _Read[V]] = {}
        with self._lock:
            for key, read in wanted.items():
                kept = self._kept.get(key)
                if kept is not None and self._clock() < kept[1]:
                    found[key] = kept[0]
                else:
                    missing[key] = self._joined(key, read, until)
        return found, missing

    def _joined(self, key: Hashable, read: Callable[[], V], until: float) -> _Read[V]:
        one = self._reads.get(key)
        if one is not None:
            one.wanted_until = max(one.wanted_until, until)
            return one
        one = self._reads[key] = _Read(read, until)
        self._queue.append(key)
        if self._readers < self._at_once:
            self._readers += 1
            threading.Thread(target=self._work, name="page-read", daemon=True).start()
        return one

    def _work(self) -> None:
        """Read until nothing more is wanted."""
        while (taken := self._next()) is not None:
            key, one = taken
            began = self._clock()
            try:
                one.value = one.read()
            except Exception:  # a mistake in one read must not keep the others from being read
                log.exception("a page's read failed")
            self._end(key, one, self._clock() - began)

    def _next(self) -> tuple[Hashable, _Read[V]] | None:
        with self._lock:
            while self._queue:
                key = self._queue.popleft()
                one = self._reads[key]
                if self._clock() <= one.wanted_until:
                    return key, one
                del self._reads[key]
                one.done.set()
            self._readers -= 1
            return None

    def _end(self, key: Hashable, one: _Read[V], took: float) -> None:
        with self._lock:
            del self._reads[key]
            if one.value is not None and self._size(one.value) <= self._room:
                self._kept[key] = (one.value, self._clock() + self._lasts(one.value, took))
        one.done.set()
