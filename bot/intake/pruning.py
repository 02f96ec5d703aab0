"""Forgets, in the background, what is long over: so the database does not grow for ever."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING

from bot.errors import StoreUnavailable
from bot.metrics import PRUNED

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.claims import Keep
    from bot.ports import Retention

FIRST_SECONDS = 60.0  # a worker that has just started has more urgent things to do
EVERY_SECONDS = 3600.0

log = logging.getLogger(__name__)


class Pruner:
    """One look an hour, in pieces; several workers may look at once."""

    def __init__(self, store: Retention, keep: Keep, seconds: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self.keep = keep
        self.seconds = seconds
        self._due = seconds() + FIRST_SECONDS

    def work(self) -> bool:
        """Forget a piece, if it is time; False once nothing is left that can be forgotten.

        What could not be waits for the next look: nothing depends on it, and another try at once would only
        be a burden to a database in trouble.
        """
        if self.seconds() < self._due:
            return False
        try:
            pruned = self.store.prune(self.keep)
        except StoreUnavailable as error:
            log.warning(
                "not all that is old could be forgotten, the next look is in about an hour: %s", error
            )
            pruned = {}
        for kind, rows in pruned.items():
            PRUNED.labels(kind).inc(rows)
        if pruned:
            log.info("no longer kept: %s", ", ".join(f"{rows} {kind}" for kind, rows in pruned.items()))
            return True
        self._due = self.seconds() + EVERY_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311 - not a secret
        return False

    def next_due(self) -> float | None:
        """The seconds until the next look."""
        return max(0.0, self._due - self.seconds())
