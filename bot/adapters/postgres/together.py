"""What arrives at once is stored at once: one statement and one commit for all of it.

Whoever brings something waits until it is stored. One thread stores: while it is busy, the next batch
gathers. What comes alone is stored at once; where one batch follows the other, others are about to come,
and a millisecond is waited for them. So the busier it is, the less each costs.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 9.0
"""Seconds that somebody waits; GitHub gives up on a delivery after ten."""

BUSY_SECONDS, GATHER_SECONDS = 0.005, 0.001
"""A batch that begins so soon after the one before waits for so long: it is twice as large then."""

TELL_SECONDS = 0.02
"""Between two times that others are told, while more and more arrives."""


@dataclass(eq=False)
class _Brought(Generic[T, R]):
    """A thing, and what became of it once `done` can be acquired."""

    thing: T
    done: threading.Lock = field(default_factory=threading.Lock)
    became: R | None = None
    error: Exception | None = None


class Together(Generic[T, R]):
    """Stores things that many threads bring.

    `first` says how many of those that wait go into one batch, one at least; `store` stores them whole or
    not at all and says what became of each; `tell` tells others that something was stored. If a batch can't
    be stored, each of it is tried alone, so that none suffers from another.
    """

    def __init__(
        self,
        store: Callable[[Sequence[T]], Sequence[R]],
        first: Callable[[Sequence[T]], int],
        tell: Callable[[], None],
    ) -> None:
        self._store = store
        self._first = first
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: list[_Brought[T, R]] = []
        self._thread: threading.Thread | None = None
        self._began_at = self._told_at = 0.0

    def put(self, thing: T) -> R:
        """Store it; returns once it is, with what became of it.

        Raises:
            StoreUnavailable: it may or may not be stored.
        """
        brought: _Brought[T, R] = _Brought(thing)
        brought.done.acquire()  # until the other thread lets go of it
        with self._changed:
            self._waiting.append(brought)
            self._changed.notify()
            # Here and not earlier: threads don't survive a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="together", daemon=True)
                self._thread.start()
        if not brought.done.acquire(timeout=PATIENCE):
            with self._changed:
                if brought in self._waiting:
                    self._waiting.remove(brought)
            raise StoreUnavailable(f"the database did not store it within {PATIENCE:g} s")
        if brought.error is not None:
            raise brought.error
        return brought.became  # type: ignore[return-value] # one of both is there

    def _run(self) -> None:
        untold = False
        while True:
            batch = self._gathered(self._told_at + TELL_SECONDS if untold else None)
            self._settle(batch)
            untold = untold or any(one.error is None for one in batch)
            if untold and time.monotonic() >= self._told_at + TELL_SECONDS:
                untold = False
                self._told_at = time.monotonic()
                try:
                    self._tell()
                except Exception:  # this thread is the only one that stores
                    log.exception("others could not be told that something was stored")

    def _gathered(self, until: float | None) -> list[_Brought[T, R]]:
        """The next batch; empty if there was none until that moment."""
        with self._changed:
            while not self._waiting:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return []
                self._changed.wait(left)
        if time.monotonic() < self._began_at + BUSY_SECONDS:
            time.sleep(GATHER_SECONDS)
        self._began_at = time.monotonic()
        with self._changed:
            count = max(1, self._first([one.thing for one in self._waiting]))
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            return batch

    def _settle(self, batch: Sequence[_Brought[T, R]]) -> None:
        """Store the batch, and let those go who wait for it."""
        if not batch:
            return
        try:
            results = zip(batch, self._store([one.thing for one in batch]), strict=True)
            became = [result for _, result in results]
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to hear of it
            if len(batch) > 1 and not isinstance(error, StoreUnavailable):
                for one in batch:
                    self._settle([one])
                return
            for one in batch:
                one.error = error
        else:
            for one, result in zip(batch, became, strict=False):
                one.became = result
        for one in batch:
            one.done.release()
