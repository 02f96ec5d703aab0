"""Points in time for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.report.duration import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from datetime import datetime

_MONTH = 30 * DAY


def ago(then: datetime, now: datetime) -> str:
    """How long ago it was, roughly: "just now", "5 min ago", "3 h ago", "2 days ago"; later, the date."""
    seconds = int((now - then).total_seconds())
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    if seconds < DAY:
        return f"{seconds // HOUR} h ago"
    if seconds < _MONTH:
        days = seconds // DAY
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{then:%Y-%m-%d}"


def exactly(then: datetime) -> str:
    """To the second, in UTC."""
    return f"{then:%Y-%m-%d %H:%M:%S} UTC"
