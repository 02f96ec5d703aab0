"""What a person sees in the terminal while the stack comes up."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGN_OF_LIFE_SECONDS = 10.0


class Console:
    """Prints whole lines, from any thread, headed by the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Print a line with the time."""
        self.show(f"{self.seconds:6.1f} s  {text}")

    def show(self, text: str) -> None:
        """Print text as it is."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    @contextlib.contextmanager
    def phase(self, what: str) -> Iterator[None]:
        """Say how long the block took when it's done, and every ten seconds that it's still at it."""
        began = time.monotonic()
        done = threading.Event()

        def show_signs_of_life() -> None:
            while not done.wait(_SIGN_OF_LIFE_SECONDS):
                self.say(f"{what}: still at it after {time.monotonic() - began:.0f} s")

        threading.Thread(target=show_signs_of_life, daemon=True).start()
        try:
            yield
        finally:
            done.set()
        self.say(f"{what:<44} took {time.monotonic() - began:4.1f} s")
