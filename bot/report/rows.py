"""A verdict as people see it: what kind of result, in which words."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import Outcome, Phase, StatusState, StepState
from bot.report import texts
from bot.report.duration import human, seconds_between
from bot.report.markdown import code, plain
from bot.report.redact import redact
from bot.report.status import result_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, Step, Verdict


class Kind(enum.Enum):
    """What there is to say about a pipeline at this head; the value is its icon."""

    PASSED = "✅"
    FAILED = "❌"
    ERROR = "⚠️"
    CANCELLED = "🚫"
    RUNNING = "⏳"
    WAITING = "⏸️"
    SKIPPED = "⏭️"


_OUTCOMES = {
    Outcome.SUCCESS: Kind.PASSED,
    Outcome.FAILURE: Kind.FAILED,
    Outcome.ERROR: Kind.ERROR,
    Outcome.CANCELLED: Kind.CANCELLED,
}
_FIXED = {
    StatusState.SUCCESS: Kind.SKIPPED,
    StatusState.PENDING: Kind.WAITING,
    StatusState.FAILURE: Kind.FAILED,
    StatusState.ERROR: Kind.ERROR,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comment's table. `result` is Markdown; `took` is empty while the run goes on."""

    kind: Kind
    name: str
    result: str
    took: str = ""
    run: Run | None = None

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """The steps that failed, in the DAG's order; a stopped run's are not its fault."""
        if self.run is None or self.kind is Kind.CANCELLED:
            return ()
        return failed(self.run.steps)


def row_of(verdict: Verdict) -> Row:
    """The verdict in words. Nothing in it changes while nothing but time passes."""
    name = verdict.pipeline or verdict.context
    run = verdict.run
    if run is None:
        status = verdict.status
        if status is None:
            raise ValueError(f"the verdict on {verdict.context} has neither a run nor a status")
        return Row(_FIXED[status.state], name, plain(redact(status.description)))
    if run.outcome is None:
        return Row(Kind.RUNNING, name, _unfinished(run), run=run)
    took = seconds_between(run.started_at, run.finished_at)
    result = plain(redact(result_of(run)))
    return Row(_OUTCOMES[run.outcome], name, result, "" if took is None else human(took), run)


def failed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that failed, in the DAG's order."""
    return tuple(step for step in steps if step.state is StepState.FAILED)


def _unfinished(run: Run) -> str:
    """Without progress, which the status shows: so the comment is edited only for what matters."""
    if run.cancel is not None:
        return plain(redact(texts.cancelling(run.cancel)))
    if run.phase is Phase.WANTED and run.note:
        return plain(redact(run.note))
    names = [code(redact(step.name)) for step in failed(run.steps)]
    return f"{texts.IN_PROGRESS}, {texts.listing(names)} {texts.FAILED}" if names else texts.IN_PROGRESS
