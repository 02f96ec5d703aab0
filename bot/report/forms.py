"""In which forms a head is reported on: by statuses, by one for each step too, by check runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import ReportPolicy, StatusPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Forms:
    """What the head is to show. What it shows already is brought to its end in any case."""

    statuses: bool
    steps: bool
    checks: bool


def forms(policies: Mapping[int, ReportPolicy], numbers: Iterable[int], *, can_check: bool) -> Forms:
    """What any of the pull requests (and branches) that share the head wants.

    Check runs need a GitHub App: without one there are statuses whatever is wanted.
    """
    wanted = [policies.get(number, ReportPolicy()) for number in numbers]
    statuses = not can_check or any(policy.shown_as.statuses for policy in wanted)
    return Forms(
        statuses=statuses,
        steps=statuses and any(policy.statuses is StatusPolicy.STEP for policy in wanted),
        checks=can_check and any(policy.shown_as.checks for policy in wanted),
    )
