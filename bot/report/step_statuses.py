"""A status for each step of a run, beside the run's own: `preflight/NAME/STEP`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.models import Outcome, Phase, Status, StatusState, StepState
from bot.prose import count, elide, one_line
from bot.report import texts
from bot.report.causes import cause
from bot.report.description import without_astral
from bot.report.duration import human, seconds_between
from bot.report.redact import redact
from bot.report.rows import step_name
from bot.report.status import describe_run, fit, result_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.models import Run, Step
    from bot.report.links import Links

CONTEXT_LIMIT = 255
"""GitHub's limit on a context's characters; it takes those that differ in case only for one."""

STEPS = 50
"""How many steps get a status of their own: GitHub shows each on the pull request."""

REST = "…"
AGAIN = "to run again"
NOT_PART = "not part of this run"

_PENDING, _SUCCESS = StatusState.PENDING, StatusState.SUCCESS
_FAILURE, _ERROR = StatusState.FAILURE, StatusState.ERROR
_STOPPED = (Outcome.CANCELLED, Outcome.TIMED_OUT, Outcome.ERROR)


def step_statuses(run: Run, links: Links, now: datetime) -> list[Status]:
    """What the run's steps show, in the DAG's order; those beyond the first 50 share one."""
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    shown = steps if len(steps) <= STEPS else steps[: STEPS - 1]
    statuses = [
        Status(f"{run.context}/{name}", *describe_step(run, step), links.step_log(run.id, step))
        for name, step in zip(_names(shown, CONTEXT_LIMIT - len(run.context) - 1), shown, strict=True)
    ]
    if len(shown) < len(steps):
        state, _ = describe_run(run, now)
        rest = f"{count(len(steps) - len(shown), 'more step')}: see the run page"
        statuses.append(Status(f"{run.context}/{REST}", state, rest, links.run_page(run.id)))
    return statuses


def describe_step(run: Run, step: Step) -> tuple[StatusState, str]:
    """The state of a step, and what it is doing or how it ended."""
    state, said = _unfinished(run, step) or _finished(run, step)
    attempt = texts.on_try(step.try_number) if step.state in (StepState.RUNNING, StepState.FAILED) else ""
    return state, fit(f"{said} ({attempt})" if attempt and state is not _ERROR else said, [step.name])


def _unfinished(run: Run, step: Step) -> tuple[StatusState, str] | None:
    if run.phase is Phase.RESUMING and step.state not in (StepState.SUCCEEDED, StepState.SKIPPED):
        return _PENDING, AGAIN
    if step.state.finished:
        return None
    if run.finished:  # nobody will tell us any more what became of it
        return _ERROR, result_of(run)
    return _PENDING, texts.STEP_WORDS[step.state]


def _finished(run: Run, step: Step) -> tuple[StatusState, str]:
    if step.state is StepState.SUCCEEDED:
        took = seconds_between(step.started_at, step.ended_at)
        return _SUCCESS, texts.PASSED if took is None else f"{texts.PASSED} in {human(took)}"
    if step.state is StepState.FAILED:
        return _FAILURE, f"{texts.FAILED}: {cause(step)}"
    if step.state is StepState.CANCELLED or (step.state is StepState.BLOCKED and run.outcome in _STOPPED):
        return _ERROR, result_of(run) if run.finished else texts.CANCELLED
    return _ERROR if step.state is StepState.BLOCKED else _SUCCESS, texts.STEP_WORDS[step.state]


def leftover(context: str, own: Status, runs: Iterable[Run]) -> Status:
    """What a step's context says that the head shows, but that no run shown there has (any more).

    `own` is the pipeline's status. While a run goes on, it may still get to the step. It only is no part of
    a run that ended and that had steps; else what is true for the pipeline is true for it.
    """
    if own.state is _PENDING:
        return Status(context, _PENDING, texts.QUEUED, own.target_url)
    if any(run.steps for run in runs):
        return Status(context, _SUCCESS, NOT_PART, own.target_url)
    return Status(context, own.state, own.description, own.target_url)


def _names(steps: Sequence[Step], room: int) -> list[str]:
    """What the steps are called in contexts: no two alike, whatever is cleaned from them or cut."""
    names: list[str] = []
    taken: set[str] = set()
    for step in steps:
        plain = _clean(step, room)
        name, number = plain, 2
        while name.casefold() in taken:
            suffix = f" ({number})"
            name, number = elide(plain, room - len(suffix)) + suffix, number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _clean(step: Step, room: int) -> str:
    """The step's name as GitHub takes it in a context."""
    whole = without_astral(one_line(redact(step_name(step))))
    name = "".join(character if character.isprintable() else "?" for character in whole) or "step"
    if len(name) <= room:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{elide(name, room - len(digest) - 1)} {digest}"
