"""A run in one line: what is going on, or how it ended; in at most 140 characters for a commit status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.models import CancelKind, Outcome, Phase, Status, StatusState, StepState
from bot.prose import count, listing, one_line
from bot.report import texts
from bot.report.duration import coarse, human, seconds_between
from bot.report.logs.redact import redact
from bot.report.logs.redacted import redacted_run
from bot.report.statuses.description import short_name, shorten, without_astral
from bot.report.statuses.estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bot.models import Run, Step, Verdict

DESCRIPTION_LIMIT = 140
"""GitHub's, in characters."""

_STATES = {
    Outcome.SUCCESS: StatusState.SUCCESS,
    Outcome.FAILURE: StatusState.FAILURE,
    Outcome.ERROR: StatusState.ERROR,
    Outcome.CANCELLED: StatusState.ERROR,
    Outcome.TIMED_OUT: StatusState.FAILURE,
}


def status_of(
    verdict: Verdict,
    now: datetime,
    page_url: Callable[[str], str],
    usual: float | None = None,
    limit: int = DESCRIPTION_LIMIT,
) -> Status:
    """What the verdict's context shows; `page_url` gives the address of a run's page by the run's id.

    `usual` is how many seconds such a run usually takes, `limit` how long the description may be.
    """
    if verdict.run is not None:
        state, description = describe_run(verdict.run, now, usual, limit)
        return Status(verdict.context, state, description, page_url(verdict.run.id))
    if verdict.status is not None:
        description = fit(verdict.status.description, limit=limit)
        return replace(verdict.status, context=verdict.context, description=description)
    raise ValueError(f"the verdict on {verdict.context} has neither a run nor a status")


def describe_run(
    run: Run, now: datetime, usual: float | None = None, limit: int = DESCRIPTION_LIMIT
) -> tuple[StatusState, str]:
    """The state of a run, and what it is doing or how it ended."""
    state, said = _say(run, now, usual)
    return state, fit(said, names_in(run), limit)


def _say(run: Run, now: datetime, usual: float | None) -> tuple[StatusState, str]:
    if run.outcome is not None:
        took = seconds_between(run.started_at, run.finished_at)
        timing = "" if run.outcome is not Outcome.SUCCESS or took is None else f" in {human(took)}"
        return _STATES[run.outcome], result_of(run) + timing
    if run.phase is Phase.WANTED:
        return StatusState.PENDING, waits_for(run) or texts.QUEUED
    return StatusState.PENDING, waits_for(run) or _progress(run.steps, now, estimate(run, usual, now))


def without_secrets(verdict: Verdict, secrets: Sequence[str]) -> Verdict:
    """The verdict as it may be shown: besides secrets of well-known shapes, these are hidden, too."""
    if verdict.run is not None:
        return replace(verdict, run=redacted_run(verdict.run, secrets))
    if verdict.status is not None:
        said = redact(verdict.status.description, secrets)
        return replace(verdict, status=replace(verdict.status, description=said))
    return verdict


def names_in(run: Run) -> list[str]:
    """What is to stay whole in a description of the run, however long that is."""
    return [_clean(step.name) for step in run.steps]


def waits_for(run: Run) -> str:
    """What keeps an unfinished run from going on in Airflow, empty where that is not known or nothing."""
    if run.cancel is not None:
        timeout = run.cancel_kind is CancelKind.TIMEOUT
        return texts.stopping(run.cancel) if timeout else texts.cancelling(run.cancel)
    if run.phase is Phase.RESUMING:
        again = [step for step in run.steps if step.state not in (StepState.SUCCEEDED, StepState.REMOVED)]
        return run.note or texts.resuming(len(again))
    return run.note


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


def fit(description: str, names: Iterable[str] = (), limit: int = DESCRIPTION_LIMIT) -> str:
    """A description that GitHub takes: one line, 140 characters, none beyond U+FFFF (it answers 422)."""
    return shorten(_clean(description), limit, names)


def _clean(text: str) -> str:
    return without_astral(one_line(redact(text)))


def _progress(steps: Sequence[Step], now: datetime, time_left: str) -> str:
    planned = [step for step in steps if step.state not in (StepState.SKIPPED, StepState.REMOVED)]
    if not planned:
        return texts.STARTING
    passed = len(_in_state(planned, StepState.SUCCEEDED))
    failed = _in_state(planned, StepState.FAILED)
    trouble = f"{_names(failed)} failed; " if failed else ""
    if time_left:
        return f"{trouble}{passed}/{count(len(planned), 'step')}, {time_left}"
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
    return listing([short_name(_clean(step.name)) for step in steps])


def _in_state(steps: Sequence[Step], state: StepState) -> list[Step]:
    return [step for step in steps if step.state is state]
