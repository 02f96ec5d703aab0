"""What a person asks for after an outage: deliveries again, by id or since a moment."""

from __future__ import annotations

import enum
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import (
    DeliveryLogUnreadable,
    GitHubAway,
    GitHubNotFound,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    PubSubUnavailable,
)
from bot.intake.recovery.missed import KEPT, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.intake.recovery.logs import Logs
    from bot.intake.recovery.pace import Pace
    from bot.models import Attempt, DeliveryLogRef, KnownDelivery
    from bot.ports import Clock, DeliveryLog, HandStore, RecoveryStore

OWN = "~"
"""Stands in the ids of deliveries of our own, after the id of the one that led to them."""

NOT_DEAD = "nor among the dead letters, but one that somebody has just pulled is not seen for a while"
NOT_LOOKED = "a dry run does not look among the dead letters"

LONGEST_PATIENCE = 3600.0

log = logging.getLogger(__name__)


class Fate(enum.Enum):
    """What became of one delivery that somebody wants again."""

    QUEUED = "queued again"
    BUSY = "being handled at this moment"
    ASKED = "GitHub delivers it again"
    REFUSED = "GitHub does not deliver it again"
    PUBLISHED = "published again, from the dead letters"
    UNREADABLE = "its delivery log can't be read"
    UNKNOWN = "neither in the inbox nor in GitHub's log of the last 3 days"
    UNSEEN = "neither in the inbox nor in GitHub's log; dead letters can't be published again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A delivery that somebody wants again, and what became of that; `was` says what it was before."""

    id: str
    event: str
    was: str
    fate: Fate
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether it comes again."""
        return self.fate in (Fate.QUEUED, Fate.ASKED, Fate.PUBLISHED)


class ByHand:
    """Replays and redelivers.

    `sleep` waits until GitHub's limits have room. `publish` publishes the dead letters of deliveries again,
    and yields the id of each message; None where there are no dead letters.
    """

    def __init__(
        self,
        *,
        delivery_log: DeliveryLog,
        store: RecoveryStore,
        by_hand: HandStore,
        logs: Logs,
        pace: Pace,
        clock: Clock,
        sleep: Callable[[float], object],
        publish: Callable[[Collection[str]], Iterable[str]] | None = None,
    ) -> None:
        self._log = delivery_log
        self._store = store
        self._by_hand = by_hand
        self._logs = logs
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._publish = publish

    def parked(self) -> Sequence[str]:
        """The ids of all parked deliveries."""
        return [each.id for each in self._by_hand.parked()]

    def replay(self, ids: Sequence[str], *, dryrun: bool = False) -> Iterator[Wanted]:
        """Have these handled again, whatever became of them: from our inbox, else from GitHub's log."""
        missing = []
        for delivery_id in dict.fromkeys(ids):
            known = self._by_hand.delivery(delivery_id)
            if known is None:
                missing.append(delivery_id)
            else:
                queued = dryrun or self._by_hand.replay(delivery_id)
                fate = Fate.QUEUED if queued and known.state != "working" else Fate.BUSY
                yield Wanted(delivery_id, known.event, _state(known), fate)
        logged = self._logged({one for one in missing if OWN not in one})
        unknown = []
        for delivery_id in missing:
            if delivery_id in logged:
                yield self._ask(*logged[delivery_id], dryrun=dryrun)
            elif OWN in delivery_id:
                cause = delivery_id.partition(OWN)[0]
                why = f"one of our own, made by {cause}: replay that one" if cause else ""
                yield Wanted(delivery_id, "", "", Fate.UNKNOWN, why)
            else:
                unknown.append(delivery_id)
        yield from self._from_dead_letters(unknown, dryrun=dryrun)

    def redeliver(self, since: datetime, *, dryrun: bool = False) -> Iterator[Wanted]:
        """Have GitHub deliver again what failed since then, however often, and is not in our inbox."""
        for ref in self._logs.all():
            try:
                part = self._log.read(ref, max(since, self._clock() - KEPT))
            except DeliveryLogUnreadable as error:
                yield Wanted(str(ref), "", "", Fate.UNREADABLE, str(error))
                continue
            failed = candidates(part.attempts)
            known = self._store.known(failed)
            for guid, tried in failed.items():
                if guid not in known:
                    yield self._ask(ref, tried[-1], dryrun=dryrun)

    def _from_dead_letters(self, ids: Sequence[str], *, dryrun: bool) -> Iterator[Wanted]:
        """Look through all of them once; an error counts for those that were not published before it."""
        published: set[str] = set()
        fate, why = Fate.UNKNOWN, ""
        if self._publish is not None and ids:
            try:
                why = NOT_LOOKED if dryrun else NOT_DEAD
                published.update(() if dryrun else self._publish(ids))
            except PubSubUnavailable as error:
                fate, why = Fate.UNSEEN, str(error)
        for delivery_id in ids:
            if delivery_id in published:
                yield Wanted(delivery_id, "", "", Fate.PUBLISHED)
            else:
                yield Wanted(delivery_id, "", "", fate, why)

    def _logged(self, guids: set[str]) -> dict[str, tuple[DeliveryLogRef, Attempt]]:
        """Where GitHub's logs have these deliveries, by their latest attempts."""
        found: dict[str, tuple[DeliveryLogRef, Attempt]] = {}
        for ref in self._logs.all() if guids else ():
            try:
                part = self._log.read(ref, self._clock() - KEPT, failed=False)
            except DeliveryLogUnreadable as error:
                log.warning("not looked for in the log of %s: %s", ref, error)
                continue
            for attempt in reversed(part.attempts):
                if attempt.guid in guids:
                    found[attempt.guid] = (ref, attempt)
            if guids <= found.keys():
                break
        return found

    def _ask(self, ref: DeliveryLogRef, attempt: Attempt, *, dryrun: bool) -> Wanted:
        age = _ago(self._clock() - attempt.delivered_at)
        was = f"answered with {attempt.status_code} {age} ago"
        try:
            if not dryrun:
                self._patiently(ref, attempt)
        except GitHubAway:
            raise
        except (GitHubNotFound, GitHubRefused, GitHubUnavailable) as error:
            return Wanted(attempt.guid, attempt.event, was, Fate.REFUSED, str(error))
        return Wanted(attempt.guid, attempt.event, was, Fate.ASKED)

    def _patiently(self, ref: DeliveryLogRef, attempt: Attempt) -> None:
        """Ask as soon as the limits have room; whoever asked for it waits."""
        while True:
            wait = self._pace.take()
            if wait > 0:
                self._sleep(wait)
                continue
            try:
                return self._log.redeliver(ref, attempt)
            except GitHubRateLimited as error:
                if (error.retry_after or 0.0) > LONGEST_PATIENCE:
                    raise
                self._sleep(error.retry_after or 60.0)


def _state(known: KnownDelivery) -> str:
    return f"{known.state}: {known.reason}" if known.reason else known.state


def _ago(age: timedelta) -> str:
    minutes = int(max(age, timedelta(0)) / timedelta(minutes=1))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"  # noqa: PLR2004 - as people say it
