"""The steps of each finished run, folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import StepState
from bot.prose import code, plain
from bot.report import texts
from bot.report.comments.causes import cause
from bot.report.comments.markdown import fold, html_code, link, table
from bot.report.comments.room import fitting, size
from bot.report.comments.rows import step_name
from bot.report.comments.tests import counted, unread
from bot.report.duration import human, seconds_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, Step
    from bot.report.comments.rows import Row
    from bot.report.links import Links

_DETAILED = 100  # steps of one run; a run of more is better read on its page
_REMARKS = 5  # on steps, below the table
_HEADER = ("Step", "Result", "Time")
_ALIGNMENT = (":--", ":--", "--:")


def step_folds(rows: Sequence[Row], links: Links, room: int) -> list[str]:
    """A fold for each finished run that had steps, in at most `room` characters; the others are counted.

    A run that still goes on has none: its status shows its progress, and each change here costs an edit.
    """
    finished = [(row.name, row.run) for row in rows if row.run and row.run.outcome and row.run.steps]
    folds = [_fold(name, run, links, linked=True) for name, run in finished]
    if sum(size(text) + 2 for text in folds) > room:
        room -= size(texts.more_step_tables(len(finished))) + 2
        folds = list(fitting((_fold(name, run, links, linked=False) for name, run in finished), room, 2))
    missing = len(finished) - len(folds)
    return [*folds, texts.more_step_tables(missing)] if missing else folds


def step_table(run: Run, links: Links, room: int) -> str:
    """The steps of a redacted run as a table, in at most `room` characters; the others are counted.

    Empty for a run without steps.
    """
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    if not steps:
        return ""
    whole = _table(run, steps[:_DETAILED], links, linked=True)
    if size(whole) > room:
        whole = _table(run, steps[:_DETAILED], links, linked=False)
    rows = whole.split("\n")
    kept = list(fitting(rows, room - size(texts.more_steps(len(steps))) - 2, between=1))
    missing = len(steps) - max(0, len(kept) - 2)
    return "\n".join(kept) + (f"\n\n{texts.more_steps(missing)}" if missing else "")


def _fold(pipeline: str, run: Run, links: Links, *, linked: bool) -> str:
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    parts = [_table(run, steps[:_DETAILED], links, linked=linked)]
    if len(steps) > _DETAILED:
        parts.append(texts.more_steps(len(steps) - _DETAILED))
    remarks = [remark for step in steps for remark in _remarks(step)]
    parts += remarks[:_REMARKS]
    ways = _ways(run, links)
    return fold(f"{texts.STEPS_OF} {html_code(pipeline)}", "\n\n".join((*parts, *ways)))


def _table(run: Run, steps: Sequence[Step], links: Links, *, linked: bool) -> str:
    return table(_HEADER, _ALIGNMENT, (_cells(run, step, links, linked=linked) for step in steps))


def _cells(run: Run, step: Step, links: Links, *, linked: bool) -> tuple[str, str, str]:
    took = seconds_between(step.started_at, step.ended_at) if step.state.finished else None
    name = code(step_name(step))
    has_log = linked and step.try_number > 0 and step.state is not StepState.SKIPPED
    name = link(name, links.step_log(run.id, step)) if has_log else name
    return (f"{texts.STEP_ICONS[step.state]} {name}", _result(step), "" if took is None else human(took))


def _result(step: Step) -> str:
    word = texts.STEP_WORDS[step.state]
    if step.state is StepState.FAILED:
        word = f"{word}: {plain(cause(step))}"
    attempt = texts.on_try(step.try_number)
    if attempt and step.state is not StepState.SKIPPED:
        word = f"{word} ({attempt})"
    tests = counted(step.result.tests) if step.result and step.result.tests else ""
    return f"{word}; {tests}" if tests else word


def _remarks(step: Step) -> list[str]:
    """What of a step could not be read or kept."""
    result = step.result
    if result is None:
        return []
    name = code(step_name(step))
    unreadable = unread(result.tests) if result.tests and step.state is not StepState.FAILED else []
    dropped = [texts.not_kept(name, plain(result.dropped))] if result.dropped.strip() else []
    return [*(f"{name}: {text}" for text in unreadable), *dropped]


def _ways(run: Run, links: Links) -> list[str]:
    """Where to read on: the run's page, Airflow, and what it left, if it left anything."""
    kept = sum(step.result.artifacts for step in run.steps if step.result)
    ways = [
        (texts.RUN_PAGE.capitalize(), links.run_page(run.id)),
        (texts.AIRFLOW, links.airflow_run(run)),
        (texts.artifacts(kept), links.artifacts(run.id) if kept else ""),
    ]
    found = [link(label, url) for label, url in ways if url]
    return [" · ".join(found)] if found else []
