"""The reconciler's half that faces Airflow: each run is made what it should be, one look at a time.

A look first gives free places to those that wait for them. Then it claims the runs that are due, whatever
made them due: a decision, a nudge, a poll, a timeout. It starts or resumes what has its place, stops what is
to stop, and reads what Airflow has, many runs in few calls. Nothing depends on what happened before the look,
so that it may be repeated or cut off anywhere.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import (
    AirflowLoginRefused,
    AirflowRefused,
    AirflowUnavailable,
    DagRunNotFound,
    StoreUnavailable,
)
from bot.metrics import LOOP_ERRORS
from bot.models import Outcome, Phase
from bot.runs.admission import judge
from bot.runs.follow import follow
from bot.runs.naming import where
from bot.runs.outcome import stopped
from bot.runs.start import StartRules, failed, is_ours, start
from bot.runs.timeout import in_time, seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.claims import RunClaim
    from bot.models import DagRun, Run, RunRef
    from bot.ports import Clock, DagRunReader, DagTrigger, RunStore
    from bot.runs.follow import Excerpt

BATCH = 100
PARALLEL = 4  # starting and stopping; Airflow's api-server stalls under many concurrent calls
AFTER_NUDGE = 1.0
POLL_FASTEST = 2.0
POLL_SLOWEST = 15.0
BACKOFF = 5.0
WAITING_FOR_AIRFLOW = "waiting for Airflow"
REFUSED_BY_AIRFLOW = "waiting for Airflow, which refuses our login: its operator has to look"

log = logging.getLogger(__name__)


class RunReconciler:
    """Looks at runs; safe to run in several threads and processes at once."""

    def __init__(
        self,
        *,
        store: RunStore,
        trigger: DagTrigger,
        reader: DagRunReader,
        rules: StartRules,
        excerpt: Excerpt,
        redact: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self.store = store
        self.trigger = trigger
        self.reader = reader
        self.rules = rules
        self.excerpt = excerpt
        self.redact = redact
        self.clock = clock

    def look(self) -> bool:
        """Look at the runs that are due; False if there were none."""
        self.store.admit(judge)
        claims = self.store.claim_runs(BATCH)
        if not claims:
            return False
        to_stop, to_begin, to_follow = self._sorted(claims)
        # Stopping comes before starting: a superseded run should not hold up the one that took its place.
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="runs") as pool:
            list(pool.map(self._alone(self._stop), to_stop))
            list(pool.map(self._alone(self._begin), to_begin))
        self._follow(to_follow)
        return True

    def _sorted(self, claims: Sequence[RunClaim]) -> tuple[list[RunClaim], list[RunClaim], list[RunClaim]]:
        """Those to stop, to start or resume, and to follow; those that wait for their turn are given back."""
        to_stop: list[RunClaim] = []
        to_begin: list[RunClaim] = []
        to_follow: list[RunClaim] = []
        now = self.clock()
        for claim in claims:
            run = in_time(claim.run, now)
            if run.cancel is not None and not claim.cancel_sent:
                to_stop.append(claim)
            elif run.phase is Phase.ACTIVE:
                to_follow.append(claim)
            elif run.admitted:
                to_begin.append(claim)
            else:
                self.store.save_run(claim, run, cancel_sent=False, seconds=seconds_left(run, now))
        return to_stop, to_begin, to_follow

    def _alone(self, act: Callable[[RunClaim], None]) -> Callable[[RunClaim], None]:
        """Keep what nobody expected of one run from the others of the same look."""

        def act_alone(claim: RunClaim) -> None:
            try:
                act(claim)
            except StoreUnavailable:
                raise
            except Exception:
                log.exception("run %s met an error that nobody expected", claim.run.id)
                LOOP_ERRORS.labels("run").inc()
                cancel_sent = claim.cancel_sent
                self.store.save_run(claim, claim.run, cancel_sent=cancel_sent, seconds=POLL_SLOWEST)

        return act_alone

    def _begin(self, claim: RunClaim) -> None:
        def intend(dag_run_id: str) -> bool:
            return self.store.intend(claim, dag_run_id)

        try:
            run = start(claim.run, self.trigger, self.rules, intend)
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, claim.run, error)
            return
        self._save(claim, run, cancel_sent=False)

    def _stop(self, claim: RunClaim) -> None:
        run = in_time(claim.run, self.clock())
        try:
            if run.ref is None or (run.phase is not Phase.ACTIVE and not is_ours(run, run.ref, self.trigger)):
                self._save(claim, _cancelled(run), cancel_sent=False)
                return
            self.trigger.cancel(run.ref)
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, run, error)
        except DagRunNotFound:
            self._save(claim, _cancelled(run), cancel_sent=True)
        except AirflowRefused as error:
            log.warning("run %s can't be stopped: %s", run.id, error)
            self._save(claim, replace(run, phase=Phase.ACTIVE), cancel_sent=True)
        else:
            self._save(claim, replace(run, phase=Phase.ACTIVE, note=""), cancel_sent=True)

    def _follow(self, claims: Sequence[RunClaim]) -> None:
        if not claims:
            return
        try:
            found = self.reader.look([claim.run.ref for claim in claims if claim.run.ref is not None])
        except (AirflowUnavailable, AirflowRefused) as error:
            for claim in claims:
                self._wait(claim, claim.run, error)
            return
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="runs") as pool:
            list(pool.map(self._alone(lambda claim: self._follow_one(claim, found)), claims))

    def _follow_one(self, claim: RunClaim, found: Mapping[RunRef, DagRun | None]) -> None:
        run = claim.run
        if run.ref is None:
            self._save(claim, failed(run, "the run has no name in Airflow"), cancel_sent=claim.cancel_sent)
            return
        try:
            there = found.get(run.ref)
            now = follow(run, there, self.reader, self.excerpt, self.clock(), redact=self.redact)
            if claim.cancel_sent and not now.finished:
                self.trigger.cancel(run.ref)  # it did not take the first time
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, run, error)
            return
        except AirflowRefused as error:
            log.warning("run %s can't be followed for now: %s", run.id, error)
            now = run
        self._save(claim, now, cancel_sent=claim.cancel_sent)

    def _wait(self, claim: RunClaim, run: Run, error: AirflowUnavailable | AirflowRefused) -> None:
        log.warning("run %s waits for Airflow: %s", run.id, error)
        refused = isinstance(error, AirflowRefused)
        run = replace(run, note=REFUSED_BY_AIRFLOW if refused else WAITING_FOR_AIRFLOW)
        retry_after = None if isinstance(error, AirflowRefused) else error.retry_after
        self.store.save_run(claim, run, cancel_sent=claim.cancel_sent, seconds=retry_after or BACKOFF)

    def _save(self, claim: RunClaim, run: Run, *, cancel_sent: bool) -> None:
        if run.phase is not claim.run.phase:
            said = "" if run.outcome is None else f": {run.outcome.value} {run.reason}".rstrip()
            log.info("run %s (%s of %s) %s%s", run.id, run.pipeline, where(run), run.phase.value, said)
        if run.finished and run.finished_at is None:
            run = replace(run, finished_at=self.clock())
        seconds = None if run.finished else self._poll(claim, run)
        self.store.save_run(claim, run, cancel_sent=cancel_sent, seconds=seconds)

    def _poll(self, claim: RunClaim, run: Run) -> float:
        """Seconds until the next look: short after a nudge and for young runs, longer for old ones."""
        if claim.nudged:
            return AFTER_NUDGE
        now = self.clock()
        age = (now - run.asked_at) / timedelta(seconds=8)
        left = seconds_left(run, now)
        return min(max(age, POLL_FASTEST), POLL_SLOWEST, POLL_SLOWEST if left is None else max(left, 0.0))


def _cancelled(run: Run) -> Run:
    outcome, reason = stopped(run) or (Outcome.CANCELLED, "")
    return replace(run, phase=Phase.FINISHED, outcome=outcome, reason=reason, note="")
