"""What a run is in Airflow now: steps, what failed ones left behind, and the outcome."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from bot.errors import AirflowLoginRefused, AirflowRefused, AirflowUnavailable
from bot.models import Outcome, Phase, StepState
from bot.runs.outcome import derive, stopped
from bot.runs.results import read_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.models import DagRun, LogLine, LogMatcher, Run, RunRef, Step, StepResult
    from bot.ports import DagRunReader

    Excerpt = Callable[[Iterable[LogLine], Sequence[LogMatcher]], tuple[str, ...]]

XCOM_KEY = "preflight"
MAX_LOG_LINES = 2_000_000
LOG_HEAD, LOG_TAIL = 200_000, 50_000  # lines of a log that are looked at: what explains it stands at an end
LOOK_SECONDS = 15.0  # of reading logs, then the next look goes on: other runs wait, and our lease ends
LINES_AT_ONCE = 1_000  # between two looks at the clock
KILLED = 128  # exit codes from here on, and negative ones, are a signal's
PATIENCE = timedelta(minutes=1)  # with logs that can't be read, once all else is known


def follow(
    run: Run,
    dag_run: DagRun | None,
    airflow: DagRunReader,
    excerpt: Excerpt,
    now: datetime,
    *,
    redact: Callable[[str], str] = str,
    seconds: Callable[[], float] = time.monotonic,
) -> Run:
    """The run with what Airflow knows now; FINISHED once it is over, and its failed steps' logs are read.

    Each step's result, and a failed step's excerpt of the log, is read once per try. What can't be read is
    tried again at the next look, and does not hold up a run that has been over for a while. Raises
    AirflowUnavailable if Airflow should be asked again later.
    """
    if run.ref is None:
        raise ValueError("a run without a DAG run can't be followed")
    if dag_run is None:
        return _lost(run)
    known = {(step.key, step.try_number): step for step in run.steps}
    remains = _Remains(
        run.ref,
        airflow,
        lambda lines: excerpt(lines, run.rules.matchers),
        redact=redact,
        cancelled=run.cancel is not None,
        seconds=seconds,
    )
    steps = tuple(remains.add(step, known.get((step.key, step.try_number))) for step in dag_run.steps)
    followed = replace(run, phase=Phase.ACTIVE, note="", steps=steps, started_at=dag_run.started_at)
    over = derive(replace(dag_run, steps=steps), stopped(run))
    if over is None:
        return followed
    if dag_run.ended_at is None or now - dag_run.ended_at < PATIENCE:
        if remains.unread is not None:
            raise remains.unread
        if remains.late:
            return followed
    outcome, reason = over
    return replace(
        followed,
        phase=Phase.FINISHED,
        outcome=outcome,
        reason=reason,
        finished_at=dag_run.ended_at or run.finished_at,
    )


def _lost(run: Run) -> Run:
    outcome, reason = stopped(run) or (Outcome.ERROR, "Airflow no longer has this run: somebody deleted it")
    return replace(run, phase=Phase.FINISHED, outcome=outcome, reason=reason, note="")


class _Remains:
    """What steps of a run left behind; `unread` says why some of it could not be read.

    `late`: logs took so long to read that some are left to the next look.
    """

    def __init__(
        self,
        ref: RunRef,
        airflow: DagRunReader,
        excerpt: Callable[[Iterable[LogLine]], tuple[str, ...]],
        *,
        redact: Callable[[str], str],
        cancelled: bool,
        seconds: Callable[[], float],
    ) -> None:
        self.redact = redact
        self.seconds = seconds
        self.until = seconds() + LOOK_SECONDS
        self.late = False
        self.ref = ref
        self.cancelled = cancelled
        self.airflow = airflow
        self.excerpt = excerpt
        self.unread: AirflowUnavailable | None = None

    def add(self, step: Step, known: Step | None) -> Step:
        """The step with its result and excerpt, looked up where they are not known yet."""
        if known is not None and known.state is step.state:
            step = replace(step, result=known.result, excerpt=known.excerpt)
            if step.state is StepState.SUCCEEDED:  # Airflow dates it anew where it called it failed meanwhile
                step = replace(step, started_at=known.started_at, ended_at=known.ended_at)
        if step.state not in (StepState.SUCCEEDED, StepState.FAILED):
            return step
        try:
            if step.result is None:
                step = replace(step, result=self._result(step))
            if self.cancelled:
                step = _as_cancelled(step)
            if step.state is StepState.FAILED and step.excerpt is None:
                if self.seconds() > self.until:
                    self.late = True
                else:
                    step = replace(step, excerpt=self._excerpt(step))
        except AirflowUnavailable as error:
            self.unread = error
        return step

    def _result(self, step: Step) -> StepResult:
        """What the step's binary left; a DAG of another kind, or a killed process, leaves nothing."""
        try:
            value = self.airflow.xcom(self.ref, step, XCOM_KEY)
        except AirflowLoginRefused:
            raise
        except AirflowRefused:
            value = None
        return read_result(value, self.redact)

    def _excerpt(self, step: Step) -> tuple[str, ...]:
        """What the step itself printed explains it best; if it left no word at all, Airflow's remarks do."""
        try:
            printed = self.excerpt(line for line in self._log(step) if line.own)
            return printed if printed or _says_why(step) else self.excerpt(self._log(step))
        except AirflowLoginRefused:
            raise
        except AirflowRefused:
            return ()

    def _log(self, step: Step) -> Iterator[LogLine]:
        lines = self._in_time(islice(self.airflow.log(self.ref, step), MAX_LOG_LINES))
        yield from islice(lines, LOG_HEAD)
        yield from deque(lines, maxlen=LOG_TAIL)

    def _in_time(self, lines: Iterable[LogLine]) -> Iterator[LogLine]:
        """The lines that come before this look has to end, however slowly Airflow gives them."""
        for index, line in enumerate(lines):
            yield line
            if index % LINES_AT_ONCE == LINES_AT_ONCE - 1 and self.seconds() > self.until + LOOK_SECONDS:
                return


def _says_why(step: Step) -> bool:
    """Whether the step's result explains its end: then Airflow's remarks are only about itself."""
    return step.result is not None and (step.result.exit_code is not None or bool(step.result.reason))


def _as_cancelled(step: Step) -> Step:
    """What became of a step of a run that was stopped: Airflow calls it failed, even one that had passed."""
    code = step.result.exit_code if step.result else None
    if step.state is not StepState.FAILED or (code is not None and 0 < code < KILLED):
        return step
    return replace(step, state=StepState.SUCCEEDED if code == 0 else StepState.CANCELLED)
