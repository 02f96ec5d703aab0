"""What of GitHub's delivery log we missed, and what to redeliver now: pure, over the log's entries.

Level-triggered: each look begins from the log and the inbox. Nothing that it decides has to be remembered but
the *mark*, the moment before which everything is settled or given up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot import events

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.models import Attempt

    Asked = Mapping[str, Sequence[datetime]]
    """When we asked for another attempt, by guid, as far as we remember: the log may not show it yet."""

KEPT = timedelta(days=3)
"""How long GitHub keeps its log."""

LAG = timedelta(minutes=5)
"""How late an entry may come into the log: GitHub waits 10 s for our answer, and clocks differ."""

PAUSES = (
    timedelta(0),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (1, 1, 2, 2, 4, 4, 8, 8, 12)),
)
"""Between an attempt that failed and the next one. After the last of them, it is given up."""

MOST_ONCE_UP = timedelta(minutes=5)
"""The longest pause once others arrived, which may mean that an outage is over."""

HOPELESS: Mapping[int, int] = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 3,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 1,
}
"""What the webhook answers to what it will never take, and after how many tries that is believed.

A proxy whose settings are soon mended may have said so, too.
"""

PROBES, PROBED = 10, timedelta(minutes=5)
"""So many in that time are redelivered while it looks as if nobody answered, to see when somebody does."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What to do now.

    `redeliver`, oldest first, each by its latest attempt. `waiting` is how many more failed and get their
    next attempt later, and `next_at` when the first of them is due. `given_up` are guids that got all their
    attempts. `mark` is the new last good moment. `asked` is what is still worth remembering of that.
    """

    mark: datetime
    redeliver: tuple[Attempt, ...] = ()
    waiting: int = 0
    next_at: datetime | None = None
    given_up: tuple[str, ...] = ()
    asked: Asked = field(default_factory=dict)


def matters(event: str) -> bool:
    """Whether an event means anything to us. What we ignore need not be delivered again."""
    return event != "ping" and event in events.parsers()


def candidates(attempts: Sequence[Attempt]) -> dict[str, list[Attempt]]:
    """The attempts, oldest first, of each delivery that failed whenever GitHub tried, by guid.

    Only of deliveries whose first attempt is among them: what began earlier is settled or given up, which is
    what the mark says.
    """
    by_guid: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda each: (each.delivered_at, each.id)):
        by_guid.setdefault(attempt.guid, []).append(attempt)
    return {
        guid: tried
        for guid, tried in by_guid.items()
        if matters(tried[0].event)
        and not any(one.ok for one in tried)
        and not all(one.redelivery for one in tried)
    }


def missed(
    attempts: Sequence[Attempt],
    failed: Mapping[str, Sequence[Attempt]],
    known: Collection[str],
    asked: Asked,
    now: datetime,
    *,
    unanswered: Mapping[str, datetime] = MappingProxyType({}),
) -> Missed:
    """What to do about `failed` (see `candidates`), of which those in our inbox are `known`.

    `attempts` is all that the log shows; `asked` what it may not show yet. `unanswered` is when GitHub did
    not answer us who asked for it: that is no try, but others go first.
    """
    arrived = max((each.delivered_at for each in attempts if each.ok), default=None)
    due: list[tuple[datetime, Attempt]] = []
    unsettled: list[datetime] = []
    later: list[datetime] = []
    given_up: list[str] = []
    for guid, tried in failed.items():
        if guid in known:
            continue
        next_at = _next_at(tried, asked.get(guid, ()), arrived)
        if next_at is None:
            given_up.append(guid)
            continue
        unsettled.append(tried[0].delivered_at)
        latest = _latest(tried, asked.get(guid, ()))
        if guid in unanswered:
            latest = max(latest, unanswered[guid])
            next_at = max(next_at, unanswered[guid] + MOST_ONCE_UP)
        if next_at <= now:
            due.append((latest, tried[-1]))
        else:
            later.append(next_at)
    due.sort(key=lambda each: (each[0], each[1].id))
    down = _looks_down(attempts) and not any(guid in known for guid in asked)
    now_due = due[: _probes_left(asked, now)] if down else due
    return Missed(
        redeliver=tuple(attempt for _, attempt in now_due),
        waiting=len(later) + len(due) - len(now_due),
        next_at=min(later, default=None) if len(now_due) == len(due) else None,
        given_up=tuple(given_up),
        mark=min((*unsettled, now - LAG)),
        asked={guid: asked[guid] for guid in failed if guid in asked and guid not in known},
    )


def _next_at(
    tried: Sequence[Attempt], asked: Sequence[datetime], arrived: datetime | None
) -> datetime | None:
    """When a delivery gets its next attempt, None if it got all; the last one that `arrived` did so then.

    That others arrive tells nothing of one that we ask for and GitHub does not even try.
    """
    tries = max(len(tried), 1 + len(asked))
    if tries > len(PAUSES) or tries >= HOPELESS.get(tried[-1].status_code, len(PAUSES) + 1):
        return None
    latest = _latest(tried, asked)
    pause = PAUSES[tries - 1]
    others_arrive = arrived is not None and arrived > latest and len(tried) > len(asked)
    return latest + (min(pause, MOST_ONCE_UP) if others_arrive else pause)


def _latest(tried: Sequence[Attempt], asked: Sequence[datetime]) -> datetime:
    """When it was delivered, or asked for, last."""
    return max((tried[-1].delivered_at, *asked))


def _probes_left(asked: Asked, now: datetime) -> int:
    """How many may be redelivered now to see whether they arrive."""
    lately = sum(1 for moments in asked.values() for at in moments if at > now - PROBED)
    return max(0, PROBES - lately)


def _looks_down(attempts: Sequence[Attempt]) -> bool:
    """Whether GitHub's latest attempt of all found nobody who could take it."""
    latest = max(attempts, key=lambda each: (each.delivered_at, each.id), default=None)
    return latest is not None and latest.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
