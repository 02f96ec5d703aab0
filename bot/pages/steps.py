"""The steps of a run as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import StepState
from bot.pages.results import tests_of
from bot.pages.timeline import timeline
from bot.pages.words import step_standing
from bot.report.comments.causes import cause
from bot.report.comments.rows import step_name
from bot.report.duration import human, seconds_between
from bot.report.links import step_anchor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import Run, Step
    from bot.pages.logs import Log
    from bot.pages.results import StepTests
    from bot.pages.text import Cleaner
    from bot.pages.timeline import Bar
    from bot.pages.words import Standing

LOGS_SHOWN = 8  # steps whose log's end a run's page shows: the others' are a click away
LOG_LINES = 40
_BY_NEED = (StepState.FAILED, StepState.RUNNING, StepState.RETRYING)


@dataclass(frozen=True, slots=True)
class LogEnd:
    """The last lines of a step's log, `first` being the first one's number, 0 where they have none."""

    first: int
    texts: Sequence[str]
    missing: str


@dataclass(frozen=True, slots=True)
class StepPart:
    """One step. `slug` is its name in addresses; `log` is None where the page shows none of its log."""

    name: str
    slug: str
    anchor: str
    standing: Standing
    tries: int
    took: str
    bar: Bar | None
    reason: str
    reproduce: str
    command: str
    excerpt: Sequence[str]
    tests: StepTests | None
    dropped: str
    log: LogEnd | None
    has_log: bool

    @property
    def open(self) -> bool:
        """Whether it is what people come for."""
        return self.standing.kind in ("failed", "running")


def slug(step: Step) -> str:
    """The step in an address: its task, and its index after a "~" (which no task's name holds)."""
    return step.task_id if step.map_index < 0 else f"{step.task_id}~{step.map_index}"


def with_logs(run: Run) -> list[Step]:
    """The steps whose logs the run's page shows the end of: first what failed, then what is running."""
    if run.dryrun:
        return []
    begun = [step for step in run.steps if has_log(step)]
    need = {state: rank for rank, state in enumerate(_BY_NEED)}
    return sorted(begun, key=lambda step: need.get(step.state, len(need)))[:LOGS_SHOWN]


def has_log(step: Step) -> bool:
    """Whether it began."""
    return step.try_number > 0 and step.state not in (StepState.WAITING, StepState.BLOCKED)


def step_parts(
    run: Run, logs: Mapping[tuple[str, int], Log], now: datetime, clean: Cleaner
) -> list[StepPart]:
    """All steps of a (redacted) run in their order."""
    bars = timeline(run.steps, now).bars
    return [_part(run, step, bars.get(step.key), logs.get(step.key), now, clean) for step in run.steps]


def _part(  # noqa: PLR0917 - what its caller has at hand
    run: Run, step: Step, bar: Bar | None, log: Log | None, now: datetime, clean: Cleaner
) -> StepPart:
    seconds = seconds_between(step.started_at, step.ended_at or now)
    command = clean.command(step.result.argv) if step.result else ""
    return StepPart(
        name=clean.line(step_name(step)),
        slug=slug(step),
        anchor=step_anchor(step),
        standing=step_standing(step, dryrun=run.dryrun, command=bool(command)),
        tries=step.try_number,
        took="" if seconds is None or step.state is StepState.WAITING else human(seconds),
        bar=bar,
        reason=clean.line(_reason(step)),
        reproduce=clean.command(step.result.reproduce) if step.result else "",
        command=command,
        excerpt=() if log is not None and not log.numbered else step.excerpt or (),
        tests=tests_of(run, step, clean),
        dropped=clean.line(step.result.dropped) if step.result else "",
        log=None if log is None else _end(log),
        has_log=has_log(step),
    )


def _reason(step: Step) -> str:
    if step.state is StepState.FAILED:
        return cause(step)
    return step.result.reason if step.result else ""


def _end(log: Log) -> LogEnd:
    lines = log.lines()
    shown = lines.texts[-LOG_LINES:]
    return LogEnd(lines.last - len(shown) + 1 if log.numbered else 0, shown, log.missing)
