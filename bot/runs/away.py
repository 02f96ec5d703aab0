"""What we know of an Airflow that can't be had: for how long it is left alone, since when, what runs say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import AirflowAway, AirflowLoginRefused, AirflowRefused
from bot.patience import SLOWEST, Pause, spread
from bot.runs.words import (
    LOGIN_REFUSED,
    REFUSED_BY_AIRFLOW,
    WAITING_FOR_AIRFLOW,
    WAITS,
    failure,
    is_failure,
    silence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.claims import RunClaim
    from bot.errors import AirflowUnavailable
    from bot.models import Run
    from bot.ports import Clock, RunStore

BACKOFF = 5.0
BACKOFF_REFUSED = 20.0  # somebody has to mend our login, and who tries too often may be locked out
WHILE_AWAY = 5.0  # seconds between looks for what has to be done without Airflow

log = logging.getLogger(__name__)


class Wait(NamedTuple):
    """What a run says while it waits for Airflow, why it ends if that lasts too long, and until when."""

    note: str
    why: str
    seconds: float


class Away:
    """Shared by the threads of one reconciler."""

    def __init__(self, clock: Clock, timer: Callable[[], float]) -> None:
        self.silent_since: datetime | None = None
        self._clock = clock
        self._pause = Pause(timer)
        self._told = ""

    def claims(self, store: RunStore, most: int) -> Sequence[RunClaim]:
        """Runs that are due. While Airflow is away, none that say so already; then a single one, to see."""
        if self._pause.left > 0:
            return store.claim_runs(most, asleep=[WAITING_FOR_AIRFLOW, REFUSED_BY_AIRFLOW])
        return store.claim_runs(1 if self._pause.cautious else most)

    def next_due(self, due: float | None) -> float | None:
        """Seconds until the next look, if a run is `due` after so many: while Airflow is away, few are."""
        left = self._pause.left
        return due if due is None or left <= 0 else max(due, min(left, WHILE_AWAY))

    def answered(self) -> None:
        """Airflow answered a call; whether it did what was asked does not matter."""
        self.silent_since = None
        if self._pause.cautious and self._pause.left <= 0:
            self._pause.end()
            self._told = ""

    def met(self, run: Run, error: AirflowUnavailable | AirflowRefused) -> Wait:
        """What becomes of a run for which Airflow could not do what was asked."""
        if not isinstance(error, AirflowAway) and str(error) != self._told:  # by many runs, again and again
            self._told = str(error)
            log.warning("runs wait for Airflow, %s is one of them: %s", run.id, error)
        if isinstance(error, AirflowLoginRefused):
            self.silent_since = None
            self._pause.begin(BACKOFF_REFUSED)
            return Wait(REFUSED_BY_AIRFLOW, LOGIN_REFUSED, spread(BACKOFF_REFUSED))
        if isinstance(error, AirflowRefused):
            self.answered()
            return Wait(f"{WAITS}{error}", str(error), spread(BACKOFF))
        seconds = min(error.retry_after or BACKOFF, SLOWEST)  # a proxy may say an hour, and be well at once
        if isinstance(error, AirflowAway):
            self._pause.begin(seconds)
        if error.said:
            self.silent_since = None
            return Wait(WAITS + failure(error.said), failure(error.said), spread(seconds))
        now = self._clock()
        since = self.silent_since = self.silent_since or now
        if isinstance(error, AirflowAway) and is_failure(run.note):  # which is why it is left alone
            return Wait(run.note, run.note.removeprefix(WAITS), spread(seconds))
        return Wait(WAITING_FOR_AIRFLOW, silence(since, now), spread(seconds))
