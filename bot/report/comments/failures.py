"""Why steps failed: reason, failing tests, the log's lines that matter, and how to repeat it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.models import Outcome, StepState
from bot.prose import code, listing, plain
from bot.report import texts
from bot.report.comments.causes import cause
from bot.report.comments.markdown import fence, fenced_command, fold, link
from bot.report.comments.room import fitting, size
from bot.report.comments.rows import step_name
from bot.report.comments.tests import failing_tests
from bot.report.logs.excerpt import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import FlakyTest, Run, Step
    from bot.report.comments.rows import Row
    from bot.report.links import Links


@dataclass(frozen=True, slots=True)
class _Detail:
    """How many lines of its log and how many failing tests a section shows."""

    lines: int
    tests: int


# The first that lets all failures fit.
_DETAILS = (_Detail(40, 20), _Detail(20, 10), _Detail(10, 5), _Detail(5, 3), _Detail(0, 1))

_DETAILED = 30  # nobody reads more
_UNFOLDED = 3  # so many sections show short excerpts without a click
_UNFOLDED_LINES = 20
_COMMAND_LIMIT = 1_000  # characters; half a command is worse than none
_NEVER = datetime.max.replace(tzinfo=UTC)


def failure_sections(rows: Sequence[Row], links: Links, room: int) -> list[str]:
    """A section for each failed step, in at most `room` characters; what does not fit is counted.

    What is held against the pull request comes first, and within a run the step that failed first: others
    may have failed because of it.
    """
    failures = [
        _Failure(row.name, row.run, step, row.past.flaky)
        for row in sorted(rows, key=lambda row: row.optional)
        if row.run
        for step in sorted(row.failed_steps, key=_ended)
    ]
    timeouts = [text for row in rows if row.run for text in _timed_out(row.name, row.run, links)]
    timeouts = list(fitting(timeouts, room, between=2))
    room -= sum(size(text) + 2 for text in timeouts)
    sections: list[str] = []
    for detail in _DETAILS:
        sections = [
            failure.section(links, detail, unfolded=index < _UNFOLDED)
            for index, failure in enumerate(failures[:_DETAILED])
        ]
        if sum(size(section) + 2 for section in sections) <= room:
            break
    else:
        sections = list(fitting(sections, room, between=2))
    missing = len(failures) - len(sections)
    return [*timeouts, *sections, *([texts.more_failed_steps(missing)] if missing else [])]


@dataclass(frozen=True, slots=True)
class _Failure:
    """A step that failed, and where."""

    pipeline: str
    run: Run
    step: Step
    flaky: Sequence[FlakyTest]

    def section(self, links: Links, detail: _Detail, *, unfolded: bool) -> str:
        """Its Markdown: a line that says why, then whatever explains it."""
        tests = failing_tests(self.run, self.step, self.flaky, detail.tests)
        return "\n\n".join(
            (self._head(links), *tests, *self._log(detail, unfolded=unfolded), *self._command())
        )

    def _head(self, links: Links) -> str:
        attempt = texts.on_try(self.step.try_number)
        why = plain(cause(self.step)) + (f" ({attempt})" if attempt else "")
        name = f"{code(self.pipeline)} / {code(step_name(self.step))}"
        head = f"❌ **{name}** {texts.FAILED}: {why}{_more(self.run, self.step, links)}"
        first = _failed_before(self.run, self.step)
        return f"{head}. {texts.began_after(code(step_name(first)))}" if first else head

    def _log(self, detail: _Detail, *, unfolded: bool) -> list[str]:
        """The lines that matter: folded where the failing tests tell the same, and where they are many."""
        excerpt = self.step.excerpt
        if not excerpt or not detail.lines:
            return []
        lines = fence(_shortened(excerpt, detail.lines))
        tests = self.step.result.tests if self.step.result else None
        told = tests is not None and bool(tests.failures)
        if unfolded and not told and len(excerpt) <= _UNFOLDED_LINES:
            return [lines]
        return [fold(texts.LINES_THAT_MATTER, lines)]

    def _command(self) -> list[str]:
        command = self.step.result.reproduce if self.step.result else ""
        if not command:
            return []
        if size(command) > _COMMAND_LIMIT:
            return [texts.REPRODUCE_TOO_LONG]
        return [texts.REPRODUCE, fenced_command(command)]


def _timed_out(name: str, run: Run, links: Links) -> list[str]:
    """Which steps took a run's time: those that were stopped while they ran."""
    stopped = [step for step in run.steps if step.state is StepState.CANCELLED and step.started_at]
    if run.outcome is not Outcome.TIMED_OUT or not stopped:
        return []
    names = listing([code(step_name(step)) for step in stopped])
    return [f"⏱️ **{code(name)}** {texts.timed_out_in(names)}{_more(run, stopped[0], links)}"]


def _more(run: Run, step: Step, links: Links) -> str:
    """Where to read on: " (full log, Airflow)"."""
    ways = ((texts.LOG, links.step_log(run.id, step)), (texts.AIRFLOW, links.airflow_run(run)))
    found = [link(label, url) for label, url in ways if url]
    return f" ({', '.join(found)})" if found else ""


def _failed_before(run: Run, step: Step) -> Step | None:
    """The step that had failed first when this one began; those mapped from one task don't count."""
    began = step.started_at
    if began is None:
        return None
    earlier = [
        other
        for other in run.steps
        if other.state is StepState.FAILED and other.task_id != step.task_id and _ended(other) <= began
    ]
    return min(earlier, key=_ended, default=None)


def _ended(step: Step) -> datetime:
    return step.ended_at or _NEVER


def _shortened(lines: Sequence[str], limit: int) -> Sequence[str]:
    """The first and the last of the lines, which hold the cause and the verdict."""
    if len(lines) <= limit:
        return lines
    return [*lines[: limit // 2], GAP, *lines[len(lines) - (limit - limit // 2 - 1) :]]
