"""A breaker before a service: while that does not answer it is left alone, so that nobody hammers it.

closed      calls pass. So many failures in a row, whoever's but not all of one thing, open it.
open        calls are refused at once, for a time that grows with each failed try, with jitter.
half-open   one call passes, to see. If it is answered, the breaker closes; if not, it opens again for longer.
"""

from __future__ import annotations

import enum
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.patience import SLOWEST, backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAILURES = 5
"""In a row: a few calls may fail in a service that is well."""

SEVERAL = 2
"""So many different things have to fail: GitHub may never manage to show one large diff."""

PROBE_SECONDS = 45.0
"""After which a call that was let through to see counts as lost, and another one may try."""

SOON = 1.0
"""Seconds after which those look again that came while somebody else was trying."""


class State(enum.Enum):
    """What becomes of a call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class Call:
    """A call that is being made: `failed` if its answer says that the service is not well.

    `what` tells apart what was asked for: one thing that fails however often it is asked for is not enough.
    """

    failed: bool = False
    what: str | None = None


class Refused(Exception):
    """No call is made for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing is sent for {seconds:.1f} s")
        self.seconds = seconds


class Breaker:
    """Safe to share among threads.

    Args:
        failures: so many in a row open it.
        on_failure: told of every call that failed or was refused.
        on_change: told, in order, when it opened and when it closed again.
        clock: seconds from any fixed moment.
        chance: a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        on_failure: Callable[[], None] = lambda: None,
        on_change: Callable[[State], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._most = failures
        self._on_failure = on_failure
        self._on_change = on_change
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._failures = 0
        self._failing: set[str | int] = set()
        self._opened = 0
        self._until = 0.0
        self._turn = 0  # a call that began before the state changed tells nothing about the state it ends in

    @property
    def state(self) -> State:
        """What becomes of a call now; open until somebody tries, however long that takes."""
        return self._state

    @contextmanager
    def call(self, failed: Callable[[Exception], bool]) -> Iterator[Call]:
        """Make a call within the block; `failed` says whether an error means that the service is not well.

        Refused, and the block is not entered, while the service is to be left alone.
        """
        turn = self._enter()
        answered: bool | None = None
        call = Call()
        try:
            yield call
            answered = not call.failed
        except Exception as error:
            answered = not failed(error)
            raise
        finally:
            self._leave(turn, call.what, answered=answered)

    def _enter(self) -> int:
        with self._lock:
            if self._state is not State.CLOSED:
                left = self._until - self._clock()
                if left > 0:
                    self._on_failure()
                    raise Refused(left if self._state is State.OPEN else min(left, SOON))
                self._go(State.HALF_OPEN, PROBE_SECONDS)
            return self._turn

    def _leave(self, turn: int, what: str | None, *, answered: bool | None) -> None:
        """`answered` is None for a call that was broken off on our side."""
        with self._lock:
            if answered is False:
                self._on_failure()
            if turn != self._turn:
                return
            if answered is None:
                self._until = min(self._until, self._clock())  # somebody else may try
            elif answered:
                self._failures = self._opened = 0
                self._failing.clear()
                if self._state is not State.CLOSED:
                    self._go(State.CLOSED, 0.0)
                    self._on_change(State.CLOSED)
            else:
                self._fail(what)

    def _fail(self, what: str | None) -> None:
        self._failures += 1
        self._failing.add(self._failures if what is None else what)
        enough = self._failures >= self._most and len(self._failing) >= min(self._most, SEVERAL)
        if self._state is State.CLOSED and not enough:
            return
        self._failing.clear()
        first = self._state is State.CLOSED
        self._opened += 1
        self._go(State.OPEN, backoff(self._opened, SLOWEST, chance=self._chance))
        if first:
            self._on_change(State.OPEN)

    def _go(self, state: State, seconds: float) -> None:
        self._state = state
        self._until = self._clock() + seconds
        self._turn += 1


class Breakers:
    """The breakers of a process, one for each service and part of it.

    Args:
        on_failure: told the service, of every call that failed or was refused.
        on_change: told the service, the part, whether it opened or closed, and how many parts are open now.
        make: makes a breaker.
    """

    def __init__(
        self,
        on_failure: Callable[[str], None] = lambda _: None,
        on_change: Callable[[str, str, State, int], None] = lambda *_: None,
        make: Callable[..., Breaker] = Breaker,
    ) -> None:
        self._on_failure = on_failure
        self._on_change = on_change
        self._make = make
        self._known: dict[tuple[str, str], Breaker] = {}
        self._open: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def of(self, service: str, part: str = "") -> Breaker:
        """The breaker before that part of the service, the same for all who ask."""
        with self._lock:
            known = self._known.get((service, part))
            if known is None:
                known = self._known[service, part] = self._make(
                    on_failure=lambda: self._on_failure(service),
                    on_change=lambda state: self._changed(service, part, state),
                )
            return known

    def _changed(self, service: str, part: str, state: State) -> None:
        with self._lock:
            parts = self._open.setdefault(service, set())
            parts -= {part}
            if state is State.OPEN:
                parts |= {part}
            self._on_change(service, part, state, len(parts))
