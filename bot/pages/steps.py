"""The steps of a run as its page shows them, with as much of their logs as can be had in a few seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import Phase, StepState
from bot.pages.logs import BUSY
from bot.report.command import shown_command
from bot.report.duration import human, seconds_between
from bot.report.links import step_anchor
from bot.report.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import Run, Step
    from bot.pages.logs import LogReader

LOG_SECONDS = 5.0  # of one page's reading
MARKS = {
    StepState.SUCCEEDED: "✅",
    StepState.FAILED: "❌",
    StepState.RUNNING: "🔄",
    StepState.RETRYING: "🔁",
    StepState.SKIPPED: "⏭️",
    StepState.BLOCKED: "⛔",
    StepState.REMOVED: "⏭️",
    StepState.WAITING: "⏳",
    StepState.CANCELLED: "🚫",
}
WOULD_RUN, WOULD_RUN_NOTHING = ("📋", "would run"), ("▫️", "no command")


@dataclass(frozen=True, slots=True)
class StepPart:
    """One step in words; `missing` says why there is no more of its log."""

    name: str
    anchor: str
    mark: str
    state: str
    tries: int
    took: str
    reason: str
    reproduce: str
    command: str
    log: Sequence[str]
    failed: bool
    missing: str


def step_parts(run: Run, logs: LogReader, now: datetime) -> list[StepPart]:
    """All steps in their order; the logs of those that failed are read first."""
    deadline = time.monotonic() + LOG_SECONDS
    by_need = sorted(run.steps, key=lambda step: step.state is not StepState.FAILED)
    parts = {step.key: _part(run, step, logs, now, deadline) for step in by_need}
    return [parts[step.key] for step in run.steps]


def _part(run: Run, step: Step, logs: LogReader, now: datetime, deadline: float) -> StepPart:
    seconds = seconds_between(step.started_at, step.ended_at or now)
    log, missing = _log(run, step, logs, deadline - time.monotonic())
    result = step.result
    command = shown_command(result.argv, logs.secrets) if result else ""
    mark, state = MARKS[step.state], step.state.value
    if run.dryrun and step.state is StepState.SUCCEEDED:
        mark, state = WOULD_RUN if command else WOULD_RUN_NOTHING
    return StepPart(
        name=step.name,
        anchor=step_anchor(step),
        mark=mark,
        state=state,
        tries=step.try_number,
        took="" if seconds is None or step.state is StepState.WAITING else human(seconds),
        reason=redact(result.reason, logs.secrets) if result else "",
        reproduce=shown_command(result.reproduce, logs.secrets) if result else "",
        command=command,
        log=log,
        failed=step.state is StepState.FAILED,
        missing=missing,
    )


def _log(run: Run, step: Step, logs: LogReader, seconds: float) -> tuple[Sequence[str], str]:
    if run.phase is Phase.WANTED:
        return (), ""
    return logs.read(run, step, seconds) if seconds > 0 else (step.excerpt or (), BUSY)
