"""A run as a commit status: what is going on, in at most 140 characters."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import CancelKind, Outcome, Phase, Status, StatusState, StepState
from bot.prose import elide, listing, one_line
from bot.report import texts
from bot.report.duration import coarse, human, seconds_between
from bot.report.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.models import Run, Step, Verdict

DESCRIPTION_LIMIT = 140
NAME_LIMIT = 40

_STATES = {
    Outcome.SUCCESS: StatusState.SUCCESS,
    Outcome.FAILURE: StatusState.FAILURE,
    Outcome.ERROR: StatusState.ERROR,
    Outcome.CANCELLED: StatusState.ERROR,
    Outcome.TIMED_OUT: StatusState.FAILURE,
}
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def status_of(verdict: Verdict, now: datetime, page_url: Callable[[str], str]) -> Status:
    """What the verdict's context shows; `page_url` gives the address of a run's page by the run's id."""
    if verdict.run is not None:
        state, description = describe_run(verdict.run, now)
        return Status(verdict.context, state, description, page_url(verdict.run.id))
    if verdict.status is not None:
        return replace(verdict.status, context=verdict.context, description=fit(verdict.status.description))
    raise ValueError(f"the verdict on {verdict.context} has neither a run nor a status")


def describe_run(run: Run, now: datetime) -> tuple[StatusState, str]:
    """The state of a run, and what it is doing or how it ended."""
    if run.outcome is not None:
        took = seconds_between(run.started_at, run.finished_at)
        passed = run.outcome is Outcome.SUCCESS and took is not None
        timing = f" in {human(took)}" if passed and took is not None else ""
        return _STATES[run.outcome], fit(result_of(run) + timing)
    if run.phase is Phase.WANTED:
        return StatusState.PENDING, fit(waits_for(run) or texts.QUEUED)
    return StatusState.PENDING, fit(waits_for(run) or _progress(run.steps, now))


def waits_for(run: Run) -> str:
    """What keeps an unfinished run from going on in Airflow, empty where that is not known or nothing."""
    if run.cancel is not None:
        timeout = run.cancel_kind is CancelKind.TIMEOUT
        return texts.stopping(run.cancel) if timeout else texts.cancelling(run.cancel)
    if run.phase is Phase.RESUMING:
        again = [step for step in run.steps if step.state not in (StepState.SUCCEEDED, StepState.REMOVED)]
        return run.note or texts.resuming(len(again))
    return run.note if run.phase is Phase.WANTED else ""


def result_of(run: Run) -> str:
    """How a finished run ended, without how long it took and not yet made to fit."""
    if run.outcome is Outcome.SUCCESS:
        passed = _in_state(run.steps, StepState.SUCCEEDED)
        skipped = _in_state(run.steps, StepState.SKIPPED)
        return texts.steps_passed(len(passed), len(skipped)) if passed else texts.PASSED
    if run.outcome is Outcome.CANCELLED:
        return texts.cancelled(run.reason or run.cancel or "")
    if run.outcome is Outcome.TIMED_OUT:
        return run.reason or run.cancel or texts.TIMED_OUT
    return texts.error(run.reason) if run.outcome is Outcome.ERROR else run.reason or texts.FAILED


def fit(description: str) -> str:
    """A description that GitHub takes: one line, 140 characters, none beyond U+FFFF (it answers 422)."""
    return elide(_ASTRAL.sub("\ufffd", one_line(redact(description))), DESCRIPTION_LIMIT)


def _progress(steps: Sequence[Step], now: datetime) -> str:
    planned = [step for step in steps if step.state not in (StepState.SKIPPED, StepState.REMOVED)]
    if not planned:
        return texts.STARTING
    passed = len(_in_state(planned, StepState.SUCCEEDED))
    failed = _in_state(planned, StepState.FAILED)
    trouble = f"{_names(failed)} failed; " if failed else ""
    doing = _activity(planned, now)
    return trouble + texts.progress(passed, len(planned)) + (f", {doing}" if doing else "")


def _activity(steps: Sequence[Step], now: datetime) -> str:
    running = _in_state(steps, StepState.RUNNING)
    if len(running) == 1:
        return _running(running[0], now)
    if running:
        return f"{_names(running)} running"
    retrying = _in_state(steps, StepState.RETRYING)
    if retrying:
        return f"{_names(retrying)} retrying"
    return texts.NEXT_STEP if _in_state(steps, StepState.WAITING) else ""


def _running(step: Step, now: datetime) -> str:
    lasted = coarse(seconds_between(step.started_at, now) or 0)
    text = f"{_names([step])} running" + (f" for {lasted}" if lasted else "")
    attempt = texts.on_try(step.try_number)
    return f"{text} ({attempt})" if attempt else text


def _names(steps: Sequence[Step]) -> str:
    return listing([elide(one_line(step.name), NAME_LIMIT) for step in steps])


def _in_state(steps: Sequence[Step], state: StepState) -> list[Step]:
    return [step for step in steps if step.state is state]
