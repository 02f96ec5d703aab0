"""One context that several pull requests (and branches) share, because their heads are the same commit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import Status, StatusState
from bot.prose import elide
from bot.report.status import DESCRIPTION_LIMIT, fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORST_FIRST = (StatusState.ERROR, StatusState.FAILURE, StatusState.PENDING, StatusState.SUCCESS)
DESCRIBED = 3
"""How many pull requests a description has room for."""

_WHO = re.compile(r"overridden by @[^\s:]+")  # whoever overrides a context is named, whatever else is cut


def merge(statuses: Mapping[int, Status]) -> Status:
    """The status for all, by pull request number: the worst state wins, and its page is linked.

    So a green result of one pull request never hides that another one still runs or failed. That holds for
    an override too: it is about one pull request, and says nothing about what the others were tested for.
    """
    if not statuses:
        raise ValueError("there is no status to merge")
    ranked = sorted(statuses, key=lambda number: (WORST_FIRST.index(statuses[number].state), number))
    worst = statuses[ranked[0]]
    if len(statuses) == 1:
        return worst
    return replace(worst, description=_describe(statuses, ranked))


def _describe(statuses: Mapping[int, Status], ranked: Sequence[int]) -> str:
    """What the worst ones say: fewer of them where the names of those who overrode would not fit."""
    if len({status.description for status in statuses.values()}) == 1:
        return _alike(statuses, ranked)
    for count in range(min(DESCRIBED, len(ranked)), 1, -1):
        described = _together(statuses, sorted(ranked[:count]))
        if described is not None:
            return described
    return _together(statuses, ranked[:1]) or fit(statuses[ranked[0]].description)


def _alike(statuses: Mapping[int, Status], ranked: Sequence[int]) -> str:
    numbers = sorted(ranked[:DESCRIBED])
    who = ", ".join(map(_label, numbers)) + _and_more(len(ranked) - len(numbers), " ")
    room = DESCRIPTION_LIMIT - len(who) - 2
    return fit(f"{who}: {_cut(statuses[ranked[0]].description, room)}")


def _together(statuses: Mapping[int, Status], numbers: Sequence[int]) -> str | None:
    """Each with what it says, cut to a fair share; None where there is no room for the names."""
    said = [statuses[number].description for number in numbers]
    labels = [f"{_label(number)}: " for number in numbers]
    more = _and_more(len(statuses) - len(numbers), "; ")
    room = DESCRIPTION_LIMIT - sum(map(len, labels)) - len("; ") * (len(labels) - 1) - len(more)
    names = [len(_name(text)) for text in said]
    if len(numbers) > 1 and sum(names) > room:
        return None
    shares = _shares([len(text) for text in said], names, room)
    parts = [label + _cut(text, share) for label, text, share in zip(labels, said, shares, strict=True)]
    return fit("; ".join(parts) + more)


def _label(number: int) -> str:
    return f"#{number}" if number > 0 else "branch"


def _and_more(rest: int, before: str) -> str:
    return f"{before}and {rest} more" if rest else ""


def _name(text: str) -> str:
    found = _WHO.match(text)
    return found.group() if found else ""


def _cut(text: str, room: int) -> str:
    name = _name(text)
    return name + elide(text[len(name) :], max(0, room - len(name)))


def _shares(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The room split fairly, after `least` for each: who needs less leaves the rest to the others."""
    shares = list(least)
    room = max(0, room - sum(least))
    more = [want - floor for want, floor in zip(wanted, least, strict=True)]
    for done, index in enumerate(sorted(range(len(wanted)), key=more.__getitem__)):
        share = min(more[index], room // (len(wanted) - done))
        shares[index] += share
        room -= share
    return shares
