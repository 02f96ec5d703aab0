"""The worker's loop that makes good for what we missed: at its start, and every five minutes.

One process does it at a time. It may be killed anywhere: the next round sees what is in the log and in the
inbox, and begins from the mark.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import (
    DeliveryLogUnreadable,
    GitHubAway,
    GitHubNotFound,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    StoreUnavailable,
    Temporary,
)
from bot.intake.recovery.look import Look
from bot.intake.recovery.missed import KEPT, candidates, missed
from bot.metrics import GIVEN_UP, LAST_GOOD, MISSED, REDELIVERED
from bot.patience import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.intake.recovery.audit import Audit
    from bot.intake.recovery.logs import Logs
    from bot.intake.recovery.missed import Missed
    from bot.intake.recovery.pace import Pace
    from bot.models import Repository
    from bot.ports import Clock, DeliveryLog, RecoveryStore

INTERVAL = timedelta(minutes=5)
FOR_EACH_LOG = timedelta(seconds=2)
"""The interval is at least so long times the number of logs: 1,800 requests an hour."""

SOON = timedelta(seconds=10)
"""After redeliveries, to see what became of them."""

BEAT = timedelta(minutes=1)
"""Between two moments at which we say that we live, where no log says what we missed."""

GAP = timedelta(minutes=3)
"""For longer than this nobody lived: what changed meanwhile is looked for."""

UNREADABLE = timedelta(hours=1)
"""Between two audits where no log is readable: that we live does not tell that web did."""
REFUSED = timedelta(minutes=10)
OTHERS_TURN = timedelta(minutes=1)
BEGAN = "began"
"""The mark of our first start ever: what happened before is none of our business."""

log = logging.getLogger(__name__)


class Rounds:
    """Reads the logs, redelivers what we missed, and audits what no log tells.

    `clock` tells moments, and may be set; `timer` tells seconds, and when something is due.
    """

    def __init__(
        self,
        *,
        delivery_log: DeliveryLog,
        store: RecoveryStore,
        logs: Logs,
        audit: Audit,
        pace: Pace,
        clock: Clock,
        interval: timedelta = INTERVAL,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = delivery_log
        self._store = store
        self._logs = logs
        self._audit = audit
        self._pace = pace
        self._clock = clock
        self._interval = interval
        self._timer = timer
        self._looks: dict[str, Look] = {}
        self._list_at = self._beat_at = self._not_before = self._ticks()

    def next_due(self) -> float:
        """The seconds until there is something to do (0 if there is)."""
        looks = self._looks.values()
        dues = [self._list_at, *(look.due for look in looks)]
        if any(look.unreadable for look in looks):
            dues.append(self._beat_at)
        return max(0.0, (max(min(dues), self._not_before) - self._ticks()) / timedelta(seconds=1))

    def work(self) -> bool:
        """Look at one log, if one is due and the work is ours; False if there was nothing to do."""
        now = self._clock()
        if self.next_due() > 0:
            return False
        if not self._store.is_alone():
            self._not_before = self._ticks() + OTHERS_TURN
            return False
        try:
            if not self._looks:
                self._began(now)
            self._list()
        except (Temporary, GitHubRefused) as error:
            if isinstance(error, StoreUnavailable):
                raise
            self._list_at = self._ticks() + BEAT
            log.warning("delivery logs can't be listed for now: %s", error)
        self._beat(now)
        look = min(self._looks.values(), key=lambda one: one.due, default=None)
        if look is None or look.due > self._ticks():
            return False
        self._attend(look, now)
        self._show()
        return True

    def _ticks(self) -> timedelta:
        """The time since some fixed moment, whatever becomes of the clock."""
        return timedelta(seconds=self._timer())

    def _list(self) -> None:
        """Find out which logs there are."""
        ticks = self._ticks()
        if ticks < self._list_at:
            return
        found = {log.name: (log, first) for log, first in self._logs.all().items()}
        for name, (ref, first) in found.items():
            look = self._looks.setdefault(name, Look(ref, first, ticks))
            look.log = ref  # it may have another name by now
        for name in self._looks.keys() - found.keys():
            del self._looks[name]
        self._list_at = ticks + self._pause()

    def _beat(self, now: datetime) -> None:
        """Where no log tells, say that we live; where we did not for a while, an audit is due at once."""
        if self._ticks() < self._beat_at:
            return
        self._beat_at = self._ticks() + BEAT
        blind = {look.alive: look for look in self._looks.values() if look.unreadable}
        if blind:
            renewed = self._store.renew(blind.keys(), now, now - GAP)
            for name in blind.keys() - set(renewed):
                blind[name].due = self._ticks()

    def _attend(self, look: Look, now: datetime) -> None:
        look.due = self._ticks() + REFUSED  # unless it is said better below
        try:
            try:
                self._make_good(look, now)
            except DeliveryLogUnreadable as error:
                self._without_log(look, now, str(error))
        except StoreUnavailable:
            raise
        except Temporary as error:
            look.failures += 1
            seconds = error.retry_after or backoff(look.failures, INTERVAL.total_seconds(), fastest=5.0)
            look.due = self._ticks() + timedelta(seconds=seconds)
            if isinstance(error, GitHubRateLimited):
                self._not_before = look.due  # whoever goes on asking is banned in the end
            log.warning("what %s delivered is looked at again in %.0f s: %s", look.log, seconds, error)
        except (GitHubRefused, GitHubNotFound) as error:
            log.error("what %s delivered can't be looked at: %s", look.log, error)  # noqa: TRY400 - expected, and said
        else:
            look.failures = 0

    def _make_good(self, look: Look, now: datetime) -> None:
        if not look.todo or look.todo_until is None or look.todo_until < self._ticks():
            self._read(look, now)
        asked_some = self._redeliver(look)
        if look.todo:
            return
        pause = SOON if asked_some else self._pause()
        if look.next_at is not None:
            pause = max(SOON, min(pause, look.next_at - now))
        look.due = self._ticks() + pause

    def _read(self, look: Look, now: datetime) -> None:
        """Read the log back to the mark, decide, audit what it does not tell, and move the mark.

        An audit that fails is made again, and holds up nothing that was decided.
        """
        mark = self._good(look, now)
        since = max(mark, now - KEPT)
        part = self._log.read(look.log, since)
        begins = since if part.begins is None else max(since, part.begins)
        settled = self._settled(look, mark, now)
        look.unreadable = ""
        failed = candidates(part.attempts)
        look.unanswered = {guid: at for guid, at in look.unanswered.items() if guid in failed}
        known = self._store.known(failed)
        found = missed(part.attempts, failed, known, look.asked, now, unanswered=look.unanswered)
        good = max(begins, found.mark)
        self._note(look, found, settled if begins > settled else good)
        look.todo, look.todo_until = deque(found.redeliver), self._ticks() + self._interval
        if begins > settled:
            log.warning("%s's log does not reach back to %s: pull requests are audited", look.log, settled)
            self._audit.of(self._repositories(look, settled), settled)
            look.good = good
        if good > mark:
            self._store.set_mark(look.mark, good)

    def _note(self, look: Look, found: Missed, good: datetime) -> None:
        look.good, look.waiting, look.next_at = good, found.waiting, found.next_at
        look.asked = found.asked
        new = frozenset(found.given_up) - look.given_up
        for guid in new:
            log.error("delivery %s of %s failed again and again, and is given up", guid, look.log)
            GIVEN_UP.inc()
        look.given_up = frozenset(found.given_up)
        if found.redeliver:
            count, later = len(found.redeliver), found.waiting
            log.warning("%s: %d missed deliveries are redelivered, %d later", look.log, count, later)

    def _redeliver(self, look: Look) -> bool:
        """Ask for what is to be redelivered as fast as may be; whether anything was asked for."""
        asked_some = False
        while look.todo:
            wait = self._pace.take()
            if wait > 0:
                look.due = self._ticks() + timedelta(seconds=wait)
                break
            attempt = look.todo[0]
            try:
                self._log.redeliver(look.log, attempt)
            except DeliveryLogUnreadable:
                look.todo.clear()
                raise
            except GitHubAway:
                raise
            except GitHubUnavailable:
                look.unanswered[attempt.guid] = self._clock()  # it may never manage this one: others go first
                look.todo.popleft()
                raise
            except (GitHubNotFound, GitHubRefused) as error:
                log.warning("delivery %s is not redelivered: %s", attempt.guid, error)
            else:
                REDELIVERED.inc()
            look.todo.popleft()
            look.asked = {**look.asked, attempt.guid: (*look.asked.get(attempt.guid, ()), self._clock())}
            asked_some = True
        return asked_some

    def _without_log(self, look: Look, now: datetime, why: str) -> None:
        """No log tells what we missed: audit since the last audit, once an hour and where nobody lived."""
        if not look.unreadable:
            log.warning("what was missed can't be read, and is looked for by audits only, hourly: %s", why)
        settled = self._settled(look, self._good(look, now), now)
        alive = self._mark(look.alive, now)
        gap = UNREADABLE if alive is not None and alive >= now - GAP else GAP
        if settled <= now - gap:
            self._audit.of(self._repositories(look, settled), settled)
            self._store.set_mark(look.audited, now)
            settled = now
        self._store.set_mark(look.alive, now)
        look.unreadable, look.good, look.waiting, look.next_at = why, settled, 0, None
        look.due = self._ticks() + UNREADABLE - (now - settled)

    def _good(self, look: Look, now: datetime) -> datetime:
        """The last good moment; in the beginning, since when the log is our business."""
        mark = self._mark(look.mark, now)
        if mark is None:
            mark = min(now, max(self._began(now), look.first, now - KEPT))
            self._store.set_mark(look.mark, mark)
        return mark

    def _began(self, now: datetime) -> datetime:
        """Our first start ever."""
        began = self._mark(BEGAN, now)
        if began is None:
            began = now
            self._store.set_mark(BEGAN, began)
        return began

    def _settled(self, look: Look, mark: datetime, now: datetime) -> datetime:
        """The last good moment, whether the log tells so or an audit."""
        return max(mark, self._mark(look.audited, now) or mark)

    def _mark(self, name: str, now: datetime) -> datetime | None:
        """A mark; one in the future, of a clock that was wrong, tells nothing."""
        mark = self._store.mark(name)
        if mark is None or mark <= now:
            return mark
        log.warning("the mark %s is of the future (%s): a clock was wrong; it is made anew", name, mark)
        return None

    def _repositories(self, look: Look, since: datetime) -> Sequence[Repository]:
        """Those that the log is about and that we served before."""
        mine = None if look.log.repository is None else look.log.repository.id
        return [
            repository
            for repository, first in self._store.repositories().items()
            if first < since and mine in (None, repository.id)
        ]

    def _pause(self) -> timedelta:
        return max(self._interval, FOR_EACH_LOG * len(self._looks))

    def _show(self) -> None:
        """Show in the metrics how things stand."""
        MISSED.set(sum(len(look.todo) + look.waiting for look in self._looks.values()))
        good = [look.good.timestamp() for look in self._looks.values() if look.good is not None]
        if good:
            LAST_GOOD.set(min(good))
