"""Runs that have ended for us, looked at again: Airflow may still have to end them, or somebody cleared them.

One that was asked to stop while Airflow did not answer, did not obey or was still at work on its trigger is
stopped there as soon as can be: nothing goes on in Airflow that nobody sees. One that somebody cleared in
Airflow's own pages goes on here, too, since its pull request is where people look. Of that we learn only by a
hint that something began.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused, AirflowUnavailable, StoreUnavailable
from bot.metrics import LOOP_ERRORS
from bot.models import Phase
from bot.runs.giving_up import owed_pause
from bot.runs.naming import where
from bot.runs.reading import read
from bot.runs.start import is_ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import RunClaim
    from bot.models import DagRun, Run
    from bot.ports import Clock, DagRunReader, DagTrigger, RunStore

STILL_AT_WORK = timedelta(minutes=5)

log = logging.getLogger(__name__)


class Revisits:
    """Looks at finished runs that are due."""

    def __init__(self, store: RunStore, trigger: DagTrigger, reader: DagRunReader, clock: Clock) -> None:
        self.store = store
        self.trigger = trigger
        self.reader = reader
        self.clock = clock

    def look(self, claims: Sequence[RunClaim]) -> bool:
        """Look at these, and say when again; True if Airflow answered."""
        found, failed = read(self.reader, claims)
        if failed:
            log.info("%d runs that have ended can't be looked at for now: %s", len(failed), failed[0][1])
        unread = {claim.run.id for claim, _ in failed}
        for claim in claims:
            if claim.run.id in unread:
                self._later(claim)
            else:
                self._alone(claim, None if claim.run.ref is None else found.get(claim.run.ref))
        return len(failed) < len(claims)

    def _alone(self, claim: RunClaim, there: DagRun | None) -> None:
        """Keep what goes wrong with one run from the others of the same look."""
        try:
            self._one(claim, there)
        except StoreUnavailable:
            raise
        except (AirflowUnavailable, AirflowRefused) as error:
            log.warning("run %s, which is to end, can't be stopped: %s", claim.run.id, error)
            self._later(claim)
        except Exception:
            log.exception("run %s, which has ended, met an error that nobody expected", claim.run.id)
            LOOP_ERRORS.labels("run").inc()
            self._later(claim)

    def _one(self, claim: RunClaim, there: DagRun | None) -> None:
        run = claim.run
        if there is None and self._may_still_come(run):
            self._later(claim)
        elif there is None or not goes_on(run, there) or run.ref is None:
            self.store.revisited(claim, None, cancel_sent=run.cancel is not None, seconds=None)
        elif run.cancel is None:
            log.info("run %s (%s of %s) goes on: somebody let it", run.id, run.pipeline, where(run))
            self.store.revisited(claim, reopened(run, self.clock), cancel_sent=False, seconds=0.0)
        elif is_ours(run, run.ref, self.trigger):
            self.trigger.cancel(run.ref)
            self._later(claim)  # to see that it has ended
        else:
            self.store.revisited(claim, None, cancel_sent=True, seconds=None)

    def _may_still_come(self, run: Run) -> bool:
        """Whether Airflow may still be at work on its trigger, which it was not heard to end."""
        ended = run.finished_at or self.clock()
        return run.cancel is not None and self.clock() - ended < STILL_AT_WORK

    def _later(self, claim: RunClaim) -> None:
        seconds = owed_pause(claim.run, self.clock())
        if seconds is None:
            log.error("run %s may still go on in Airflow: nobody could stop it for a week", claim.run.id)
        self.store.revisited(claim, None, cancel_sent=seconds is None, seconds=seconds)


def goes_on(run: Run, there: DagRun) -> bool:
    """Whether the DAG run has not ended, or has run again since the run ended for us."""
    tries = {step.key: step.try_number for step in run.steps}
    again = run.cancel is None and any(
        step.try_number > tries.get(step.key, step.try_number) for step in there.steps
    )
    return again or not there.state.finished


def reopened(run: Run, clock: Clock) -> Run:
    """The run as it goes on, with its whole time before it."""
    return replace(
        run, phase=Phase.ACTIVE, outcome=None, reason="", finished_at=None, note="", resumed_at=clock()
    )
