"""The words of statuses and comments, but for the headline's and a decision's (`bot.policy.texts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import StepState

if TYPE_CHECKING:
    from collections.abc import Sequence

QUEUED = "queued"
STARTING = "starting in Airflow"
IN_PROGRESS = "in progress"
NEXT_STEP = "next step starting"
PASSED = "passed"
FAILED = "failed"
CANCELLED = "cancelled"
NO_RESULT = "no reason is known: see the log of the run"

NOTHING_TO_TEST = "no pipeline's paths match what it changes"
LINES_THAT_MATTER = "The lines that matter"
REPRODUCE = "To reproduce it:"
REPRODUCE_TOO_LONG = "The command that reproduces it is too long for a comment: see the run's page."
LOG = "log"
STEPS_OF = "Steps of"

STEP_WORDS = {
    StepState.WAITING: "waiting",
    StepState.RUNNING: "running",
    StepState.RETRYING: "about to be retried",
    StepState.SUCCEEDED: "passed",
    StepState.FAILED: "failed",
    StepState.BLOCKED: "not started",
    StepState.SKIPPED: "skipped",
    StepState.REMOVED: "removed",
    StepState.CANCELLED: "cancelled",
}

STEP_ICONS = {
    StepState.WAITING: "⏳",
    StepState.RUNNING: "⏳",
    StepState.RETRYING: "⏳",
    StepState.SUCCEEDED: "✅",
    StepState.FAILED: "❌",
    StepState.BLOCKED: "🚫",
    StepState.SKIPPED: "⏭️",
    StepState.REMOVED: "⏭️",
    StepState.CANCELLED: "🚫",
}


def count(number: int, noun: str) -> str:
    """A number of things: "1 step", "3 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: Sequence[str], limit: int = 3) -> str:
    """Names in a row, the rest counted: "a, b, c and 4 more"."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def steps_passed(passed: int, skipped: int) -> str:
    """What a green run has to say."""
    return f"{count(passed, 'step')} passed" + (f", {skipped} skipped" if skipped else "")


def progress(passed: int, planned: int) -> str:
    """How far a run is."""
    return f"{passed}/{count(planned, 'step')} passed"


def cancelling(reason: str) -> str:
    """We asked Airflow to stop the run."""
    return f"cancelling: {reason}"


def cancelled(reason: str) -> str:
    """The run was stopped."""
    return f"{CANCELLED}: {reason}" if reason else CANCELLED


def error(reason: str) -> str:
    """The run could not be run as asked."""
    return f"error: {reason or NO_RESULT}"


def on_try(number: int) -> str:
    """Which try it is, unless it is the first."""
    return f"try {number}" if number > 1 else ""


def run_again(command: str, *, fixable: bool) -> str:
    """What to do about a red pull request; `fixable` where a step failed."""
    return (
        f"Push a fix, or comment {command} to run again." if fixable else f"Comment {command} to run again."
    )


def more_failed_steps(number: int) -> str:
    """What did not fit."""
    return f"{count(number, 'more failed step')}: see the pages of the runs."


def more_steps(number: int) -> str:
    """What did not fit."""
    return f"{count(number, 'more step')}: see the page of the run."


def more_step_tables(number: int) -> str:
    """What did not fit."""
    return f"The steps of {count(number, 'more pipeline')} are on the pages of the runs."


def more_pipelines(number: int) -> str:
    """What did not fit."""
    return f"and {count(number, 'more pipeline')}"
