"""A TicketStore in memory, to be shared by threads; it passes the contract suite of the real one."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.models import Run, TicketUse


class FakeTicketStore:
    """`runs` can be found by their id. `down`: every call fails; `break_commit`: the end of one does."""

    def __init__(self, *runs: Run) -> None:
        self.runs = {run.id: run for run in runs}
        self.used: set[TicketUse] = set()
        self.down = False
        self.break_commit = False
        self._under_way: dict[TicketUse, threading.Lock] = {}

    def run(self, run_id: str) -> Run | None:
        """See TicketStore."""
        self._check()
        return self.runs.get(run_id)

    @contextmanager
    def spend(self, use: TicketUse) -> Iterator[bool]:
        """See TicketStore."""
        self._check()
        with self._under_way.setdefault(use, threading.Lock()):
            yield use not in self.used
            if self.break_commit:
                raise StoreUnavailable("the database went away")
            self.used.add(use)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("the database does not answer")
