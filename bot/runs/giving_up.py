"""A run that was asked to stop, and does not: when it ends for us all the same, and as what.

Airflow then still owes us the end of the DAG run: it is looked at again until it has ended or is gone, so
that nothing goes on there that nobody sees (`bot.runs.revisit`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import Outcome, Phase, StepState
from bot.runs.outcome import stopped
from bot.runs.timeout import deadline
from bot.runs.words import still

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models import DagRun, Run

STOPS = timedelta(minutes=5)
"""For Airflow to end a run in which nothing runs any more."""

CLEANS_UP = timedelta(hours=1)
"""For Airflow to end a run in which something still does: teardowns run after a cancel."""

ANSWERS = timedelta(minutes=5)
"""For an Airflow that does not answer, once the run's time is over."""

LAST = timedelta(hours=1)
"""After a run's time is over, whatever keeps it: an error of ours, too."""

NOT_STOPPED = "Airflow did not stop it: look at its DAG run there"
OWED_FASTEST, OWED_SLOWEST = 15.0, 600.0  # seconds between looks at DAG runs that are still to end
OWED_FOR = timedelta(days=7)


def unanswered(run: Run, now: datetime, why: str) -> Run | None:
    """The run, ended, if it is to stop and Airflow, as `why` says, can't be reached for too long; or None."""
    if run.cancel is None or now < deadline(run) + ANSWERS:
        return None
    return _ended(run, why)


def unstopped(run: Run, there: DagRun, since: datetime, now: datetime) -> Run | None:
    """The run, ended, if it is to stop `since` then and Airflow does not get that done; None to wait on."""
    changes = [time for step in there.steps for time in (step.started_at, step.ended_at) if time is not None]
    quiet = now - max([since, *changes])
    busy = any(step.state is StepState.RUNNING for step in there.steps)
    if quiet < (CLEANS_UP if busy else STOPS):
        return None
    return _ended(run, still(run.note, now, None) or NOT_STOPPED)


def overdue(run: Run, now: datetime) -> Run | None:
    """The run, ended, if its time has been over for so long that nobody waits for anything any more."""
    if run.finished or now < deadline(run) + LAST:
        return None
    return _ended(run, NOT_STOPPED if run.ref is not None else "")


def owed_pause(run: Run, now: datetime) -> float | None:
    """Seconds until the next look at what Airflow is still to end; None to leave it alone for good."""
    age = now - (run.finished_at or now)
    if age > OWED_FOR:
        return None
    return min(max(age / timedelta(seconds=8), OWED_FASTEST), OWED_SLOWEST)


def _ended(run: Run, why: str) -> Run:
    outcome, reason = stopped(run) or (Outcome.TIMED_OUT, "timed out")
    if why and why not in reason:
        reason += f"{';' if ': ' in reason else ':'} {why}"
    return replace(run, phase=Phase.FINISHED, outcome=outcome, reason=reason, note="")
