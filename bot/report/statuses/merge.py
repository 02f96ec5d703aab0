"""One context that several pull requests (and branches) share, because their heads are the same commit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import Status, StatusState
from bot.report.statuses.description import shorten
from bot.report.statuses.status import DESCRIPTION_LIMIT, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WORST_FIRST = (StatusState.ERROR, StatusState.FAILURE, StatusState.PENDING, StatusState.SUCCESS)
DESCRIBED = 3
"""How many pull requests a description has room for."""

_WHO = re.compile(r"overridden by @[^\s:]+")  # whoever overrides a context is named, whatever else is cut


def merge(
    statuses: Mapping[int, Status], names: Iterable[str] = (), limit: int = DESCRIPTION_LIMIT
) -> Status:
    """The status for all, by pull request number: the worst state wins, and its page is linked.

    So a green result of one pull request never hides that another one still runs or failed. That holds for
    an override too: it is about one pull request, and says nothing about what the others were tested for.
    `names` are not cut in two.
    """
    if not statuses:
        raise ValueError("there is no status to merge")
    ranked = ranking({number: WORST_FIRST.index(status.state) for number, status in statuses.items()})
    worst = statuses[ranked[0]]
    if len(statuses) == 1:
        return worst
    return replace(worst, description=_Room(statuses, tuple(names), limit).describe(ranked))


def ranking(badness: Mapping[int, int]) -> list[int]:
    """The pull requests, the worst (lowest) first."""
    return sorted(badness, key=lambda number: (badness[number], number))


class _Room:
    """What several pull requests say, in one description."""

    def __init__(self, statuses: Mapping[int, Status], names: Sequence[str], limit: int) -> None:
        self.statuses = statuses
        self.names = names
        self.limit = limit

    def describe(self, ranked: Sequence[int]) -> str:
        """What the worst ones say: fewer of them where the names of those who overrode would not fit."""
        if len({status.description for status in self.statuses.values()}) == 1:
            return self._alike(ranked)
        for count in range(min(DESCRIBED, len(ranked)), 1, -1):
            described = self._together(sorted(ranked[:count]))
            if described is not None:
                return described
        return self._together(ranked[:1]) or self._fit(self.statuses[ranked[0]].description)

    def _alike(self, ranked: Sequence[int]) -> str:
        numbers = sorted(ranked[:DESCRIBED])
        who = ", ".join(map(_label, numbers)) + _and_more(len(ranked) - len(numbers), " ")
        room = self.limit - len(who) - 2
        return self._fit(f"{who}: {self._cut(self.statuses[ranked[0]].description, room)}")

    def _together(self, numbers: Sequence[int]) -> str | None:
        """Each with what it says, cut to a fair share; None where there is no room for the names."""
        said = [self.statuses[number].description for number in numbers]
        labels = [f"{_label(number)}: " for number in numbers]
        more = _and_more(len(self.statuses) - len(numbers), "; ")
        room = self.limit - sum(map(len, labels)) - len("; ") * (len(labels) - 1) - len(more)
        names = [len(_who(text)) for text in said]
        if len(numbers) > 1 and sum(names) > room:
            return None
        shares = _shares([len(text) for text in said], names, room)
        parts = [
            label + self._cut(text, share) for label, text, share in zip(labels, said, shares, strict=True)
        ]
        return self._fit("; ".join(parts) + more)

    def _cut(self, text: str, room: int) -> str:
        who = _who(text)
        return who + shorten(text[len(who) :], max(0, room - len(who)), self.names)

    def _fit(self, text: str) -> str:
        return fit(text, self.names, self.limit)


def _label(number: int) -> str:
    return f"#{number}" if number > 0 else "branch"


def _and_more(rest: int, before: str) -> str:
    return f"{before}and {rest} more" if rest else ""


def _who(text: str) -> str:
    found = _WHO.match(text)
    return found.group() if found else ""


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
