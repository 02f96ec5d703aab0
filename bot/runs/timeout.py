"""How long a run may take, from when it was asked for: in the queue, in Airflow's queue and at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import CancelKind
from bot.runs.words import still

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import Run

_UNITS = (("h", 3600), ("m", 60), ("s", 1))


def deadline(run: Run) -> datetime:
    """When the run's time is over, whatever it waits for."""
    return run.asked_at + timedelta(seconds=run.rules.timeout)


def seconds_left(run: Run, now: datetime) -> float | None:
    """The seconds until the run's time is over, below zero if it is; None if it has ended or is to stop."""
    if run.finished or run.cancel is not None:
        return None
    return (deadline(run) - now).total_seconds()


def in_time(run: Run, now: datetime, silent_since: datetime | None = None) -> Run:
    """The run, asked to stop if its time is over: with what it waits for, which is why.

    `silent_since` is when Airflow was first found not to answer, None if it does as far as we know.
    """
    left = seconds_left(run, now)
    if left is None or left > 0:
        return run
    why = still(run.note, now, silent_since)
    return replace(
        run,
        cancel=f"timed out after {_written(run.rules.timeout)}" + (f": {why}" if why else ""),
        cancel_kind=CancelKind.TIMEOUT,
    )


def _written(seconds: float) -> str:
    """As the configuration writes it: "90s" is "1m30s", 5400 is "1h30m"."""
    left, text = round(seconds), ""
    for unit, size in _UNITS:
        amount, left = divmod(left, size)
        text += f"{amount}{unit}" if amount else ""
    return text or f"{seconds:g}s"
