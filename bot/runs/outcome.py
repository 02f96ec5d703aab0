"""What became of a DAG run, from the states of its steps: the run's own word is not enough.

In Airflow a run that was stopped can end as a success, and a step that always runs hides the failures
before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import CancelKind, DagRunState, Outcome, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import DagRun, Run, Step

STOPPED = "timed out or stopped in Airflow"
NO_STEPS = "the DAG run ended without any step"
ALL_SKIPPED = "every step was skipped, so nothing was tested"
NAMED = 3
"""How many steps a reason names."""


def derive(dag_run: DagRun, stopped: tuple[Outcome, str] | None) -> tuple[Outcome, str] | None:
    """The outcome and its reason in words, None while the run is not over.

    `stopped` is the outcome if we asked the run to stop, None if we did not. A run that had passed
    completely before that took effect has passed.
    """
    if not dag_run.state.finished:
        return None
    steps = [step for step in dag_run.steps if step.state is not StepState.REMOVED]
    passed = sum(step.state is StepState.SUCCEEDED for step in steps)
    if stopped is not None:
        complete = passed == len(steps) > 0 and dag_run.state is DagRunState.SUCCESS
        return (Outcome.SUCCESS, "") if complete else stopped
    return _trouble(dag_run.state, steps) or _without_failure(dag_run.state, steps, passed)


def stopped(run: Run) -> tuple[Outcome, str] | None:
    """How a run ends that was asked to stop, and why; None if it was not."""
    if run.cancel is None:
        return None
    kind = Outcome.TIMED_OUT if run.cancel_kind is CancelKind.TIMEOUT else Outcome.CANCELLED
    return kind, run.cancel


def _trouble(state: DagRunState, steps: Sequence[Step]) -> tuple[Outcome, str] | None:
    """The outcome if a step failed, never started or never ended."""
    failed = [step for step in steps if step.state in (StepState.FAILED, StepState.CANCELLED)]
    if failed:
        return Outcome.FAILURE, _failures(failed)
    unfinished = [step for step in steps if not step.state.finished]
    if unfinished and state is DagRunState.FAILED:
        return Outcome.FAILURE, f"{STOPPED} before {_names(unfinished)} finished"
    if unfinished:
        return Outcome.ERROR, f"Airflow calls it a success, but {_names(unfinished)} did not finish"
    blocked = [step for step in steps if step.state is StepState.BLOCKED]
    if blocked:
        return Outcome.FAILURE, f"{_names(blocked)} could not start"
    return None


def _without_failure(state: DagRunState, steps: Sequence[Step], passed: int) -> tuple[Outcome, str]:
    """The outcome if every step, of which there may be none, passed or was skipped."""
    if not steps:
        return Outcome.ERROR, NO_STEPS
    if state is DagRunState.FAILED:
        return Outcome.FAILURE, STOPPED
    return (Outcome.SUCCESS, "") if passed else (Outcome.ERROR, ALL_SKIPPED)


def _failures(failed: Sequence[Step]) -> str:
    """One step with its whole reason; several together if they failed alike, else each with its own."""
    if len(failed) == 1:
        return _failure(failed[0].name, _reason(failed[0]))
    why = {_short_reason(step) for step in failed}
    if len(why) == 1:
        return _failure(_names(failed), why.pop())
    each = [_failure(step.name, _short_reason(step)) for step in failed[:NAMED]]
    return "; ".join(each) + (f"; {len(failed) - NAMED} more failed" if len(failed) > NAMED else "")


def _failure(names: str, reason: str) -> str:
    return f"{names} failed: {reason}" if reason else f"{names} failed"


def _names(steps: Sequence[Step]) -> str:
    named = ", ".join(step.name for step in steps[:NAMED])
    return f"{named} and {len(steps) - NAMED} more" if len(steps) > NAMED else named


def _reason(step: Step) -> str:
    return step.result.reason.strip() if step.result else ""


def _short_reason(step: Step) -> str:
    """Without how long it took, where an exit code says enough: so that alike failures read alike."""
    if step.result and step.result.exit_code is not None:
        code = f"exit {step.result.exit_code}"
        if _reason(step).startswith(code) or not _reason(step):
            return code
    return _reason(step)
