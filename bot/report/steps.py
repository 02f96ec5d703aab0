"""The steps of each finished run, folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import StepState
from bot.prose import code, plain
from bot.report import texts
from bot.report.duration import human, seconds_between
from bot.report.markdown import fold, html_code, table
from bot.report.redact import redact
from bot.report.room import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, Step
    from bot.report.rows import Row

_DETAILED = 100  # steps of one run; a run of more is better read on its page


def step_folds(rows: Sequence[Row], room: int) -> list[str]:
    """A fold for each finished run that had steps, in at most `room` characters; the others are counted.

    A run that still goes on has none: its status shows its progress, and each change here costs an edit.
    """
    finished = [(row.name, row.run) for row in rows if row.run and row.run.outcome and row.run.steps]
    folds = list(fitting((_fold(name, run) for name, run in finished), room, between=2))
    missing = len(finished) - len(folds)
    return [*folds, texts.more_step_tables(missing)] if missing else folds


def _fold(pipeline: str, run: Run) -> str:
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    body = table(("Step", "Result", "Time"), (":--", ":--", "--:"), map(_cells, steps[:_DETAILED]))
    if len(steps) > _DETAILED:
        body += f"\n\n{texts.more_steps(len(steps) - _DETAILED)}"
    return fold(f"{texts.STEPS_OF} {html_code(pipeline)}", body)


def _cells(step: Step) -> tuple[str, str, str]:
    took = seconds_between(step.started_at, step.ended_at) if step.state.finished else None
    return (
        f"{texts.STEP_ICONS[step.state]} {code(redact(step.name))}",
        _result(step),
        "" if took is None else human(took),
    )


def _result(step: Step) -> str:
    word = texts.STEP_WORDS[step.state]
    if step.state is StepState.FAILED and step.result and step.result.reason.strip():
        word = f"{word}: {plain(redact(step.result.reason))}"
    attempt = texts.on_try(step.try_number)
    return f"{word} ({attempt})" if attempt and step.state is not StepState.SKIPPED else word
