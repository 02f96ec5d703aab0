"""What a run is in Airflow now: steps, what failed ones left behind, and the outcome."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from bot.errors import AirflowRefused
from bot.models import Outcome, Phase, StepResult, StepState
from bot.runs.outcome import derive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.models import DagRun, LogLine, Run, RunRef, Step
    from bot.ports import DagRunReader

    Excerpt = Callable[[Iterable[LogLine]], tuple[str, ...]]

XCOM_KEY = "preflight"
MAX_LOG_LINES = 2_000_000
MAX_TEXT = 2000


def follow(run: Run, dag_run: DagRun | None, airflow: DagRunReader, excerpt: Excerpt) -> Run:
    """The run with what Airflow knows now; FINISHED once it is over.

    Each step's result, and a failed step's excerpt of the log, is read once per try. Raises
    AirflowUnavailable if Airflow should be asked again later.
    """
    if run.ref is None:
        raise ValueError("a run without a DAG run can't be followed")
    if dag_run is None:
        return _lost(run)
    known = {(step.key, step.try_number): step for step in run.steps}
    steps = tuple(
        _complete(step, known.get((step.key, step.try_number)), run.ref, airflow, excerpt)
        for step in dag_run.steps
    )
    now = replace(run, phase=Phase.ACTIVE, note="", steps=steps, started_at=dag_run.started_at)
    over = derive(replace(dag_run, steps=steps), run.cancel)
    if over is None:
        return now
    outcome, reason = over
    return replace(
        now,
        phase=Phase.FINISHED,
        outcome=outcome,
        reason=reason,
        finished_at=dag_run.ended_at or run.finished_at,
    )


def _lost(run: Run) -> Run:
    if run.cancel is not None:
        return replace(run, phase=Phase.FINISHED, outcome=Outcome.CANCELLED, reason=run.cancel, note="")
    return replace(
        run,
        phase=Phase.FINISHED,
        outcome=Outcome.ERROR,
        reason="Airflow no longer has this run: somebody deleted it",
        note="",
    )


def _complete(
    step: Step,
    known: Step | None,
    ref: RunRef,
    airflow: DagRunReader,
    excerpt: Excerpt,
) -> Step:
    """The step with its result and excerpt, looked up where they are not known yet."""
    if known is not None and known.state is step.state:
        step = replace(step, result=known.result, excerpt=known.excerpt)
    if step.state not in (StepState.SUCCEEDED, StepState.FAILED):
        return step
    if step.result is None:
        step = replace(step, result=_result(step, ref, airflow))
    if step.state is StepState.FAILED and step.excerpt is None:
        step = replace(step, excerpt=_excerpt(step, ref, airflow, excerpt))
    return step


def _result(step: Step, ref: RunRef, airflow: DagRunReader) -> StepResult:
    """What the step's binary left; a DAG of another kind, or a killed process, leaves nothing."""
    try:
        value = airflow.xcom(ref, step, XCOM_KEY)
    except AirflowRefused:
        value = None
    if not isinstance(value, dict):
        return StepResult()
    exit_code = value.get("exit_code")
    return StepResult(
        exit_code=exit_code if isinstance(exit_code, int) else None,
        reason=_text(value.get("reason")),
        reproduce=_text(value.get("reproduce")),
        argv=_text(value.get("argv")),
    )


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _excerpt(
    step: Step,
    ref: RunRef,
    airflow: DagRunReader,
    excerpt: Excerpt,
) -> tuple[str, ...]:
    try:
        return excerpt(islice(airflow.log(ref, step), MAX_LOG_LINES))
    except AirflowRefused:
        return ()
