"""What an unfinished run waits for, in words: its note while it waits, and the reason if its time ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

WAITING_FOR_AIRFLOW = "waiting for Airflow"
REFUSED_BY_AIRFLOW = "waiting for Airflow, which refuses our login: its operator has to look"
LOGIN_REFUSED = "Airflow refuses our login: its operator has to look"
WAITS = "waits: "
"""How a note begins that goes on with a sentence of its own ("DAG 'x' is paused: ...")."""
FAILED = "Airflow failed: "

TODAY = timedelta(hours=20)  # within which a time of day says which day is meant
_GOES_ON = ("waits ", "waiting ", "queued")


def still(note: str, now: datetime, silent_since: datetime | None) -> str:
    """The note of a run as the reason why its time is over; empty where nothing is known."""
    if note == WAITING_FOR_AIRFLOW:
        return silence(silent_since, now)
    if note == REFUSED_BY_AIRFLOW:
        return LOGIN_REFUSED
    if note.startswith(WAITS):
        return note.removeprefix(WAITS)
    return f"still {note}" if note.startswith(_GOES_ON) else note


def silence(since: datetime | None, now: datetime) -> str:
    """That Airflow does not answer."""
    return "Airflow does not answer" if since is None else f"Airflow did not answer since {at(since, now)}"


def failure(said: str) -> str:
    """That Airflow answers, but with an error of its own."""
    return FAILED + said


def is_failure(note: str) -> bool:
    """Whether a run's note says that."""
    return note.startswith(WAITS + FAILED)


def at(time: datetime, now: datetime) -> str:
    """A moment in the past, for people."""
    return f"{time:%H:%M} UTC" if now - time < TODAY else f"{time:%Y-%m-%d %H:%M} UTC"
