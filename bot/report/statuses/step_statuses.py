"""A status for each step of a run, beside the run's own: `preflight/NAME/STEP`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.models import Outcome, Phase, Status, StatusState, StepState
from bot.prose import count, elide, one_line
from bot.report import texts
from bot.report.comments.causes import cause
from bot.report.comments.rows import step_name
from bot.report.duration import human, seconds_between
from bot.report.logs.redact import redact
from bot.report.statuses.description import without_astral
from bot.report.statuses.status import describe_run, fit, result_of

if TYPE_CHECKING:
    from collections.abc import Sequence
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


def step_statuses(run: Run, links: Links, now: datetime) -> dict[Status, bool]:
    """What the run's steps show, in the DAG's order, and whether each has begun.

    Those beyond the first 50 share one. What has not begun need not be shown: before, nothing is known of it,
    of a mapped step not even its name.
    """
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    shown = steps if len(steps) <= STEPS else steps[: STEPS - 1]
    contexts = [f"{run.context}/{name}" for name in _names(shown, CONTEXT_LIMIT - len(run.context) - 1)]
    statuses = {
        Status(context, *describe_step(run, step), links.step_log(run.id, step)): _has_begun(step)
        for context, step in zip(contexts, shown, strict=True)
    }
    if len(shown) < len(steps):
        state, _ = describe_run(run, now)
        rest = f"{count(len(steps) - len(shown), 'more step')}: see the run page"
        statuses[Status(f"{run.context}/{REST}", state, rest, links.run_page(run.id))] = True
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


def leftover(context: str, own: Status, *, has_steps: bool) -> Status:
    """What a step's context says that the head shows, but that no run shown there has (yet, or any more).

    What is true for the pipeline, whose status is `own`, is true for it: it turns green only where a run
    with other steps passed without it.
    """
    said = own.description
    if own.state is _PENDING:
        said = texts.QUEUED
    elif own.state is _SUCCESS and has_steps:
        said = NOT_PART
    return Status(context, own.state, said, own.target_url)


def _has_begun(step: Step) -> bool:
    """Whether it has; or it was skipped, and never will. Airflow names a mapped one a moment later."""
    if step.state in (StepState.WAITING, StepState.BLOCKED):
        return False
    if step.state is StepState.CANCELLED:
        return step.started_at is not None
    return step.state.finished or step.name != f"{step.task_id}[{step.map_index}]"


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
