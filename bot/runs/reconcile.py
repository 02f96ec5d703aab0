"""The reconciler's half that faces Airflow: each run is made what it should be, one look at a time.

A look first gives free places to those that wait for them. Then it claims the runs that are due, whatever
made them due: a decision, a nudge, a poll, a timeout. It starts or resumes what has its place, stops what is
to stop, and reads what Airflow has, many runs in few calls. Nothing depends on what happened before the look,
so that it may be repeated or cut off anywhere.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

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
from bot.runs.away import Away
from bot.runs.follow import follow
from bot.runs.giving_up import OWED_FASTEST, overdue, unanswered, unstopped
from bot.runs.naming import where
from bot.runs.obstacles import Obstacles
from bot.runs.outcome import stopped
from bot.runs.reading import read
from bot.runs.revisit import Revisits
from bot.runs.start import StartRules, failed, is_ours, start
from bot.runs.timeout import in_time, seconds_left

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.claims import RunClaim
    from bot.models import DagRun, Run, RunRef
    from bot.ports import Clock, ConditionReader, DagRunReader, DagTrigger, RunStore
    from bot.runs.follow import Excerpt

BATCH = 100
PARALLEL = 4  # starting and stopping; Airflow's api-server stalls under many concurrent calls
AFTER_NUDGE = 1.0
POLL_FASTEST = 2.0
POLL_SLOWEST = 15.0
GATHERING = 0.2
"""Seconds after which runs in which nothing has changed are given back, though others are not done yet."""

REMEMBERED = 10_000  # runs that were asked to stop, and since when

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class RunReconciler:
    """Looks at runs; safe to run in several threads and processes at once."""

    def __init__(
        self,
        *,
        store: RunStore,
        trigger: DagTrigger,
        reader: DagRunReader,
        conditions: ConditionReader,
        rules: StartRules,
        excerpt: Excerpt,
        redact: Callable[[str], str],
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.trigger = trigger
        self.reader = reader
        self.obstacles = Obstacles(conditions)
        self.revisits = Revisits(store, trigger, reader, clock)
        self.rules = rules
        self.excerpt = excerpt
        self.redact = redact
        self.clock = clock
        self.away = Away(clock, timer)
        self._stopping: dict[tuple[str, datetime], datetime] = {}

    def look(self) -> bool:
        """Look at the runs that are due; False if there were none."""
        self.store.admit(judge)
        claims = self.away.claims(self.store, BATCH)
        if not claims:
            return False
        to_revisit = [claim for claim in claims if claim.run.finished]
        to_stop, to_begin, to_follow = self._sorted([claim for claim in claims if not claim.run.finished])
        # Stopping comes before starting: a superseded run should not hold up the one that took its place.
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="runs") as pool:
            list(pool.map(self._alone(self._stop), to_stop))
            list(pool.map(self._alone(self._begin), to_begin))
        self._follow(to_follow)
        if self.revisits.look(to_revisit):
            self.away.answered()
        return True

    def next_due(self) -> float | None:
        """The seconds until a run wants a look, None if none ever will; while Airflow is away, few do."""
        return self.away.next_due(self.store.next_due())

    def _sorted(self, claims: Sequence[RunClaim]) -> tuple[list[RunClaim], list[RunClaim], list[RunClaim]]:
        """Those to stop, to start or resume, and to follow; those that wait for their turn are given back."""
        to_stop: list[RunClaim] = []
        to_begin: list[RunClaim] = []
        to_follow: list[RunClaim] = []
        now = self.clock()
        for claim in claims:
            run = in_time(claim.run, now, self.away.silent_since)
            if claim.run.cancel is not None and not claim.cancel_sent:
                to_stop.append(claim)
            elif run.phase is Phase.ACTIVE:
                to_follow.append(claim)  # one whose time is over, too: it may have ended in time
            elif run.cancel is not None:
                to_stop.append(claim)
            elif run.admitted:
                to_begin.append(claim)
            else:
                seconds = seconds_left(run, now)
                self.store.save_run(claim, run, cancel_sent=False, seconds=seconds)
        return to_stop, to_begin, to_follow

    def _alone(self, act: Callable[[RunClaim], _Result]) -> Callable[[RunClaim], _Result | None]:
        """Keep what nobody expected of one run from the others of the same look."""

        def act_alone(claim: RunClaim) -> _Result | None:
            try:
                return act(claim)
            except StoreUnavailable:
                raise
            except Exception:
                log.exception("run %s met an error that nobody expected", claim.run.id)
                LOOP_ERRORS.labels("run").inc()
                self._hold(claim)
                return None

        return act_alone

    def _begin(self, claim: RunClaim) -> None:
        def intend(dag_run_id: str) -> bool:
            return self.store.intend(claim, dag_run_id)

        try:
            run = start(claim.run, self.trigger, self.rules, intend)
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, claim.run, error)
            return
        self.away.answered()
        self._save(claim, run, cancel_sent=False)

    def _stop(self, claim: RunClaim) -> None:
        run = in_time(claim.run, self.clock(), self.away.silent_since)
        if run.ref is None:
            self._save(claim, _cancelled(run), cancel_sent=False)
            return
        stopping = cancel_sent = True
        again = False
        try:
            if run.phase is not Phase.ACTIVE and not is_ours(run, run.ref, self.trigger):
                stopping = cancel_sent = False
                again = True  # Airflow may still be at work on a trigger that took it too long
            else:
                self.trigger.cancel(run.ref)
                run = replace(run, note="")
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, run, error)
            return
        except DagRunNotFound:
            stopping = False
        except AirflowRefused as error:
            log.warning("run %s can't be stopped: %s", run.id, error)
        self.away.answered()
        run = replace(run, phase=Phase.ACTIVE) if stopping else _cancelled(run)
        self._save(claim, run, cancel_sent=cancel_sent, again=again)

    def _follow(self, claims: Sequence[RunClaim]) -> None:
        if not claims:
            return
        found, failed = read(self.reader, claims)
        for claim, error in failed:
            self._wait(claim, claim.run, error)
        unread = {claim.run.id for claim, _ in failed}
        claims = [claim for claim in claims if claim.run.id not in unread]
        if not claims:
            return
        self.away.answered()
        if len(self._stopping) > REMEMBERED:
            self._stopping.clear()  # their time to stop counts anew
        pairs = ((claim.run, None if claim.run.ref is None else found.get(claim.run.ref)) for claim in claims)
        notes = self.obstacles.look(pairs, self.clock())
        follow_one = self._alone(lambda claim: self._follow_one(claim, found, notes))
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="runs") as pool:
            going = {pool.submit(follow_one, claim): claim for claim in claims}
            while going:  # many at once, but none waits for another one's log
                done, _ = wait(going, timeout=GATHERING)
                followed = [(going.pop(one), one.result()) for one in done]
                same = [claim for claim, changed in followed if changed is False]
                self.store.give_back([(claim, self._poll(claim, claim.run)) for claim in same])

    def _follow_one(
        self, claim: RunClaim, found: Mapping[RunRef, DagRun | None], notes: Mapping[str, str]
    ) -> bool:
        """Follow it; False if nothing has changed, so that it is still to be given back."""
        run, now = claim.run, self.clock()
        try:
            if run.ref is None:
                run = failed(run, "the run has no name in Airflow")
            else:
                there = found.get(run.ref)
                run = follow(run, there, self.reader, self.excerpt, now, redact=self.redact)
                if there is not None and not run.finished:
                    run = in_time(replace(run, note=notes.get(run.id, "")), now)
                    if run.cancel is not None and self._still_stopping(claim, run, there, now):
                        return True
        except (AirflowUnavailable, AirflowLoginRefused) as error:
            self._wait(claim, run, error)
            return True
        except AirflowRefused as error:
            log.warning("run %s can't be followed for now: %s", run.id, error)
            self._hold(claim)
            return True
        cancel_sent = run.cancel is not None
        changed = run != claim.run or cancel_sent != claim.cancel_sent
        if changed:
            self._save(claim, run, cancel_sent=cancel_sent)
        return changed

    def _still_stopping(self, claim: RunClaim, run: Run, there: DagRun, now: datetime) -> bool:
        """Stop it, again if that did not take; True if it ends for us now, since Airflow does not end it."""
        try:
            if run.ref is not None:
                self.trigger.cancel(run.ref)
        except (AirflowLoginRefused, DagRunNotFound):
            raise
        except AirflowRefused as error:
            log.warning("run %s can't be stopped: %s", run.id, error)
        over = unstopped(run, there, self._stopping.setdefault((run.id, run.asked_at), now), now)
        if over is not None:
            self._give_up(claim, over)
        return over is not None

    def _hold(self, claim: RunClaim) -> None:
        """Leave it as it is for now; once its time has been over for long, whatever goes wrong, it ends."""
        now = self.clock()
        run = in_time(claim.run, now, self.away.silent_since)
        over = overdue(run, now)
        if over is not None:
            self._give_up(claim, over)
        else:
            self.store.save_run(claim, claim.run, cancel_sent=claim.cancel_sent, seconds=POLL_SLOWEST)

    def _give_up(self, claim: RunClaim, run: Run) -> None:
        """It ends for us. What Airflow may still have of it is looked at until that has ended, too."""
        log.warning("run %s (%s of %s) ends: %s", run.id, run.pipeline, where(run), run.reason)
        run = replace(run, finished_at=self.clock())
        seconds = None if run.ref is None else OWED_FASTEST
        self.store.save_run(claim, run, cancel_sent=False, seconds=seconds)

    def _wait(self, claim: RunClaim, run: Run, error: AirflowUnavailable | AirflowRefused) -> None:
        wait, now = self.away.met(run, error), self.clock()
        run = in_time(run, now, self.away.silent_since)
        over = unanswered(run, now, wait.why)
        if over is not None:
            self._give_up(claim, over)
            return
        left = seconds_left(run, now)
        seconds = wait.seconds if left is None or left <= 0 else min(wait.seconds, left)
        self.store.save_run(
            claim, replace(run, note=wait.note), cancel_sent=claim.cancel_sent, seconds=seconds
        )

    def _save(self, claim: RunClaim, run: Run, *, cancel_sent: bool, again: bool = False) -> None:
        """Store what it is now; `again`: though it has ended, see once more what Airflow has of it."""
        if run.phase is not claim.run.phase:
            said = "" if run.outcome is None else f": {run.outcome.value} {run.reason}".rstrip()
            log.info("run %s (%s of %s) %s%s", run.id, run.pipeline, where(run), run.phase.value, said)
        if run.finished and run.finished_at is None:
            run = replace(run, finished_at=self.clock())
        owed = OWED_FASTEST if again else None
        seconds = owed if run.finished else self._poll(claim, run)
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
