"""How long something took, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400

# (below so many seconds, rounded down to a multiple of so many): a text that stands still makes no call.
_GRAINS = ((2 * MINUTE, 20), (10 * MINUTE, MINUTE), (HOUR, 5 * MINUTE), (6 * HOUR, 15 * MINUTE))
_TO_COME = ((10, 1), (60, 5), (6 * 60, 15))  # the same for what is still to come, in minutes


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """The seconds from start to end, never negative; None if one of them is not known."""
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


def human(seconds: float) -> str:
    """A finished duration: "under 1s", "42s", "1m20s", "12m", "1h05m", "2d3h"."""
    whole = int(seconds)
    if whole < 1:
        return "under 1s"
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02}s" if whole % MINUTE else f"{whole // MINUTE}m"
    if whole < DAY:
        minutes = whole % HOUR // MINUTE
        return f"{whole // HOUR}h{minutes:02}m" if minutes else f"{whole // HOUR}h"
    hours = whole % DAY // HOUR
    return f"{whole // DAY}d{hours}h" if hours else f"{whole // DAY}d"


def coarse(seconds: float) -> str:
    """A duration that still grows, rounded down so that it seldom changes; empty at first (under 20 s)."""
    grain = next((grain for below, grain in _GRAINS if seconds < below), HOUR)
    rounded = int(seconds) // grain * grain
    return human(rounded) if rounded else ""


def about(seconds: float) -> str:
    """A duration that is only guessed: "less than a minute", "about 4 min", "about 1 h 30 min"."""
    if seconds < MINUTE:
        return "less than a minute"
    minutes = seconds / MINUTE
    grain = next((grain for below, grain in _TO_COME if minutes < below), 60)
    hours, rest = divmod(round(minutes / grain) * grain, 60)
    return "about " + " ".join(f"{number} {unit}" for number, unit in ((hours, "h"), (rest, "min")) if number)
