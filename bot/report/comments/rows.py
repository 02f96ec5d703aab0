"""A verdict as people see it: what kind of result, in which words."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import NO_PAST, PREFIX, Outcome, Phase, StatusState, StepState
from bot.prose import code, listing, plain
from bot.report import texts
from bot.report.comments.pace import pace
from bot.report.duration import seconds_between
from bot.report.logs.redact import redact
from bot.report.logs.redacted import redacted_past, redacted_run
from bot.report.statuses.status import result_of, waits_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Past, Run, Step, Verdict


class Kind(enum.Enum):
    """What there is to say about a pipeline at this head; the value is its icon."""

    PASSED = "✅"
    FAILED = "❌"
    ERROR = "⚠️"
    TIMED_OUT = "⏱️"
    CANCELLED = "🚫"
    OVERRIDDEN = "☑️"
    RUNNING = "⏳"
    WAITING = "⏸️"
    SKIPPED = "⏭️"


_OUTCOMES = {
    Outcome.SUCCESS: Kind.PASSED,
    Outcome.FAILURE: Kind.FAILED,
    Outcome.ERROR: Kind.ERROR,
    Outcome.CANCELLED: Kind.CANCELLED,
    Outcome.TIMED_OUT: Kind.TIMED_OUT,
}
_FIXED = {
    StatusState.SUCCESS: Kind.SKIPPED,
    StatusState.PENDING: Kind.WAITING,
    StatusState.FAILURE: Kind.FAILED,
    StatusState.ERROR: Kind.ERROR,
}


_AHEAD = re.compile(r"(?<=^queued): \d+ ahead$")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comment's table. `result` is Markdown; `took` is empty while the run goes on.

    `run` and `past` are redacted. An `optional` row is not held against the pull request.
    """

    kind: Kind
    name: str
    result: str
    took: str = ""
    run: Run | None = None
    past: Past = NO_PAST

    @property
    def optional(self) -> bool:
        """Whether the pull request is fine without it."""
        return self.run is not None and self.run.rules.optional

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """The steps that failed, in the DAG's order.

        A cancelled run's are not its fault, and those of a run that is about to go on run again.
        """
        if self.run is None or self.kind is Kind.CANCELLED or self.run.phase is Phase.RESUMING:
            return ()
        return failed(self.run.steps)


def row_of(verdict: Verdict, past: Past = NO_PAST, secrets: Sequence[str] = ()) -> Row:
    """The verdict in words, without secrets. Nothing in it changes while nothing but time passes."""
    name = redact(verdict.context.removeprefix(PREFIX) if verdict.pipeline else verdict.context, secrets)
    if verdict.run is None:
        status = verdict.status
        if status is None:
            raise ValueError(f"the verdict on {verdict.context} has neither a run nor a status")
        kind = Kind.OVERRIDDEN if verdict.override else _FIXED[status.state]
        return Row(kind, name, plain(redact(status.description, secrets)))
    run = redacted_run(verdict.run, secrets)
    if run.outcome is None:
        return Row(Kind.RUNNING, name, standing(run), run=run)
    took = seconds_between(run.started_at, run.finished_at)
    whole = run.outcome is Outcome.SUCCESS
    timing = "" if took is None else pace(took, past.usual, whole=whole)
    return Row(_OUTCOMES[run.outcome], name, plain(result_of(run)), timing, run, redacted_past(past, secrets))


def failed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that failed, in the DAG's order."""
    return tuple(step for step in steps if step.state is StepState.FAILED)


def step_name(step: Step) -> str:
    """What people call it; a mapped step without a name of its own is told apart by its index."""
    nameless = step.map_index >= 0 and step.name == step.task_id
    return f"{step.name} [{step.map_index}]" if nameless else step.name


def standing(run: Run) -> str:
    """What an unfinished run (redacted) is doing, as Markdown.

    Without its progress, which the status shows: so a comment is edited only for what matters.
    """
    waits = _AHEAD.sub("", waits_for(run))
    if waits:
        return plain(waits)
    names = [code(step_name(step)) for step in failed(run.steps)]
    return f"{texts.IN_PROGRESS}, {listing(names)} {texts.FAILED}" if names else texts.IN_PROGRESS
