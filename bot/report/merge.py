"""One context that several pull requests share, because their heads are the same commit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.models import Status, StatusState
from bot.report.clean import elide
from bot.report.status import DESCRIPTION_LIMIT, fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORST_FIRST = (StatusState.ERROR, StatusState.FAILURE, StatusState.PENDING, StatusState.SUCCESS)
DESCRIBED = 3
"""How many pull requests a description has room for."""


def merge(statuses: Mapping[int, Status]) -> Status:
    """The status for all, by pull request number: the worst state wins, and its page is linked.

    So a green result of one pull request never hides that another one still runs or failed.
    """
    if not statuses:
        raise ValueError("there is no status to merge")
    ranked = sorted(statuses, key=lambda number: (WORST_FIRST.index(statuses[number].state), number))
    worst = statuses[ranked[0]]
    if len(statuses) == 1:
        return worst
    return replace(worst, description=_describe(statuses, sorted(ranked[:DESCRIBED])))


def _describe(statuses: Mapping[int, Status], numbers: Sequence[int]) -> str:
    said = [statuses[number].description for number in numbers]
    rest = len(statuses) - len(numbers)
    more = f"and {rest} more" if rest else ""
    if all(one == other for one, other in pairwise(said)):
        who = ", ".join(f"#{number}" for number in numbers) + (f" {more}" if more else "")
        return fit(f"{who}: {said[0]}")
    labels = [f"#{number}: " for number in numbers]
    room = DESCRIPTION_LIMIT - sum(map(len, labels)) - len("; ") * (len(labels) - 1)
    shares = _shares([len(text) for text in said], room - (len(more) + 2 if more else 0))
    parts = [label + elide(text, share) for label, text, share in zip(labels, said, shares, strict=True)]
    return fit("; ".join([*parts, *([more] if more else [])]))


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """The room split fairly: who needs less than an equal share leaves the rest to the others."""
    shares = [0] * len(wanted)
    for done, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[index] = min(wanted[index], room // (len(wanted) - done))
        room -= shares[index]
    return shares
