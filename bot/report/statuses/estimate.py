"""When a run will end, guessed from how long runs like it usually take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Phase
from bot.report.duration import MINUTE, about, seconds_between

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Run

LONGER = "longer than usual"
_GRACE_SHARE, _GRACE_LEAST = 0.1, 10.0
"""Half of all runs take longer than their median: a tenth of it, 10 s to a minute, is nothing to tell."""


def seconds_left(run: Run, usual: float | None, now: datetime) -> float | None:
    """Seconds until the run ends if it takes as long as usual, below zero if it is late.

    None where nothing can be told: without history, before it runs, and for one that was resumed, which
    repeats only a part.
    """
    lasted = seconds_between(run.started_at, now)
    if usual is None or lasted is None or run.phase is not Phase.ACTIVE or run.resumed_at is not None:
        return None
    return usual - lasted


def estimate(run: Run, usual: float | None, now: datetime) -> str:
    """In words: "about 4 min left", "longer than usual", empty where nothing can be told."""
    left = seconds_left(run, usual, now)
    if left is None or usual is None:
        return ""
    grace = min(max(_GRACE_SHARE * usual, _GRACE_LEAST), MINUTE)
    return LONGER if left < -grace else f"{about(left)} left"
