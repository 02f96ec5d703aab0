"""A worker's threads: each does its work until there is none, then sleeps until woken or something is due."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from bot.errors import PreflightError, StoreUnavailable
from bot.metrics import LOOP_ERRORS
from bot.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POLL_SECONDS = 15.0
ERROR_SLOWEST = 10.0  # between tries while the database does not answer
HELD_SECONDS = 1.0
GRACE_SECONDS = 20.0  # of all loops together: what is not finished by then is taken over

log = logging.getLogger(__name__)


class Loop:
    """One kind of work, done by `threads` threads: `work` is False where nothing was due."""

    def __init__(
        self, name: str, work: Callable[[], bool], next_due: Callable[[], float | None], threads: int
    ) -> None:
        self.name = name
        self.work = work
        self.next_due = next_due
        self._condition = threading.Condition()
        self._woken = 0
        self._stopped = False
        self._troubled = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be work, for one thread: the others would only race with it.

        One that finds some wakes the next, in case there is more.
        """
        with self._condition:
            self._woken += 1
            self._condition.notify()

    def stop(self) -> None:
        """Take no new work; what is being done is finished."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for the threads to end; False if one still works."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        failures = 0
        while not self._stopped:
            seen = self._woken
            try:
                worked = self.work()
                due = None if worked else self.next_due()
            except StoreUnavailable as error:
                failures += 1
                self._be_troubled(error)
            except Exception:
                failures += 1
                log.exception("%s: an error that nobody expected", self.name)
                LOOP_ERRORS.labels(self.name).inc()
            else:
                failures = 0
                self._be_well()
                if worked:
                    self._wake_another()
                else:
                    self._sleep(seen, pause(due))
                continue
            self._sleep(seen, backoff(failures, ERROR_SLOWEST))

    def _be_troubled(self, error: StoreUnavailable) -> None:
        """Say it once, however many threads meet it how often."""
        if not self._troubled:
            self._troubled = True
            log.warning("%s: waits for the database: %s", self.name, error)

    def _be_well(self) -> None:
        if self._troubled:
            self._troubled = False
            log.info("%s: the database answers again", self.name)

    def _wake_another(self) -> None:
        with self._condition:
            self._condition.notify()

    def _sleep(self, seen: int, seconds: float) -> None:
        with self._condition:
            if not self._stopped and self._woken == seen:
                self._condition.wait(seconds)


def pause(due: float | None) -> float:
    """Seconds to sleep. What is due but could not be taken is in another's hands: look again soon."""
    if due is None:
        return POLL_SECONDS
    return HELD_SECONDS if due <= 0 else min(POLL_SECONDS, due + 0.01)


class Worker:
    """All loops of a worker process, and the listener that wakes them."""

    def __init__(
        self,
        loops: Sequence[Loop],
        listen: Callable[[Callable[[float], bool]], None],
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        self._loops = tuple(loops)
        self._prepare = prepare
        self._listen = listen
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until `stop`; returns when all that was begun is finished."""
        listener = threading.Thread(
            target=self._listen, args=(self._stop.wait,), name="listener", daemon=True
        )
        listener.start()
        for loop in self._loops:
            loop.start()
        threading.Thread(target=self._prepared, name="prepare", daemon=True).start()
        log.info("working")
        while not self._stop.wait(3600):
            pass
        log.info("stopping: finishing what was begun")
        for loop in self._loops:
            loop.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        late = [loop.name for loop in self._loops if not loop.join(max(0.0, deadline - time.monotonic()))]
        if late:
            log.warning("stopped in the middle of %s: another worker takes over", ", ".join(late))
        log.info("stopped")

    def _prepared(self) -> None:
        """Look up early what every decision will want; what does not work now is asked for again then."""
        try:
            self._prepare()
        except PreflightError as error:
            log.warning("could not look up yet who we are: %s", error)

    def stop(self) -> None:
        """Ask the worker to end; safe in a signal handler."""
        self._stop.set()
