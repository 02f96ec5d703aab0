"""Of many deliveries about one pull request that wait, one look is enough: each asks what to do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import events
from bot.errors import MalformedPayload
from bot.events.types import Ignored
from bot.models import PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.events.types import Event
    from bot.models import Delivery, Subject

MOST_BEHIND = 6
"""Deliveries behind one that are looked at to spare it, or them, a look of its own."""


def settled_by_another(event: Event, behind: Iterable[Delivery]) -> bool:
    """Whether one that waits behind the event's asks for the same look."""
    return event.told.only_a_look and any(_settles(one, event) for one in behind)


def settled_by_this(event: Event, seen: Subject | None, behind: Iterable[Delivery]) -> Sequence[str]:
    """The ids of those behind the event's that the look at `seen` has done, too.

    They were there before it, and what they tell of was to be seen. A push is told by its own delivery only.
    """
    if not event.told.settles or not isinstance(seen, PullRequest):
        return ()
    return [one.id for one in behind if _was_seen(one, seen)]


def _was_seen(delivery: Delivery, seen: PullRequest) -> bool:
    told = None if (event := _parsed(delivery)) is None else event.told
    if told is None or not told.only_a_look or told.pushed is not None or told.at is None:
        return False
    return told.at <= seen.updated_at


def _settles(delivery: Delivery, earlier: Event) -> bool:
    """Whether a delivery's look is also that of an earlier one: those of one action are alike.

    One that was redelivered came later, but tells of what was before.
    """
    event = _parsed(delivery)
    if event is None or not (
        event.told.settles or (event.told.only_a_look and event.action == earlier.action)
    ):
        return False
    then, now = earlier.told.at, event.told.at
    return then is None or now is None or now >= then


def _parsed(delivery: Delivery) -> Event | None:
    try:
        event = events.parse(delivery)
    except MalformedPayload:
        return None
    return None if isinstance(event, Ignored) else event
