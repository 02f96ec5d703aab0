"""Waiting for what takes its time, up to a deadline."""

import argparse
import time
from collections.abc import Callable

from steps.deploy import names
from steps.errors import TryAgain

_FIRST_PAUSE = 0.5


def add_patience(parser: argparse.ArgumentParser, *, timeout: int) -> None:
    """Add the options that say how long to wait."""
    parser.add_argument(
        "--timeout",
        type=names.seconds,
        default=timeout,
        metavar="SECONDS",
        help=f"how long to wait (default: {timeout})",
    )
    parser.add_argument(
        "--poll",
        type=names.seconds,
        default=10,
        metavar="SECONDS",
        help="between two looks at most (default: 10)",
    )


class Patience:
    """Looks again soon, then ever less often, down to every `poll` seconds; for `timeout` seconds in all."""

    def __init__(
        self,
        timeout: float,
        poll: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeout = timeout
        self._poll = poll
        self._clock = clock
        self._pause = pause
        self._started = clock()
        self._next = min(_FIRST_PAUSE, poll)
        self._said = ""

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return self._clock() - self._started

    def wait(self, state: str, otherwise: str) -> None:
        """Wait for the next look; `state` says what was seen, and is printed when it is news.

        Raises:
            TryAgain: the time is over; the words are the state, and `otherwise`, what people can do.
        """
        if self.seconds >= self._timeout:
            raise TryAgain(f"{state}, after {self._timeout:.0f}s: {otherwise}")
        if state != self._said:
            print(f"{state}: waiting")
            self._said = state
        self._pause(self._next)
        self._next = min(2 * self._next, self._poll)
