"""How often there is a word about the same running pipeline: the longer it runs, the less news is each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import StepState
from bot.report import texts
from bot.report.statuses.estimate import seconds_left

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.models import Run, Verdict

FASTEST = 30.0  # seconds between two words
SOON = 10.0  # until it is said that a step failed
SLOWEST = 600.0
SHARE = 2 / 3  # of its age: each word comes after thrice the time of the one before
WAITS = ("waiting ", "waits")  # how notes begin (see bot.runs.words)
REFRESH_SHARE = 5  # a text that says how long is renewed after a fifth of that time


def running(verdicts: Iterable[Verdict]) -> list[Run]:
    """The runs that go on."""
    return [verdict.run for verdict in verdicts if verdict.run is not None and not verdict.run.finished]


def patience(run: Run | None, said: str, now: datetime) -> float:
    """Seconds from the last word, which was `said`, to the next.

    What a queued run waits for is news at once; soon is the first failed step, and that a run which was
    under way has to wait, or need not any more.
    """
    if run is None:
        return FASTEST
    if run.note and said == texts.QUEUED:
        return 0.0
    if said.startswith(WAITS) != run.note.startswith(WAITS):
        return SOON
    if texts.FAILED not in said and any(step.state is StepState.FAILED for step in run.steps):
        return SOON
    age = (now - run.created_at) / timedelta(seconds=1)
    return min(max(SHARE * age, FASTEST), SLOWEST)


def refresh(run: Run, usual: float | None, now: datetime) -> float:
    """Seconds until what is said about time may have changed."""
    if run.started_at is None:
        return FASTEST
    lasted = (now - run.started_at) / timedelta(seconds=REFRESH_SHARE)
    left = seconds_left(run, usual, now)
    return max(FASTEST, lasted if left is None or left < 0 else min(lasted, left / REFRESH_SHARE))
