"""How runs and steps stand, in a word and as a kind, which chooses icon and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import Outcome, Phase, StepState

if TYPE_CHECKING:
    from bot.models import Run, Step

PASSED, FAILED, RUNNING, WAITING, STOPPED, SKIPPED = (
    "passed",
    "failed",
    "running",
    "waiting",
    "stopped",
    "skipped",
)

OUTCOMES = {
    Outcome.SUCCESS: "passed",
    Outcome.FAILURE: "failed",
    Outcome.ERROR: "error",
    Outcome.CANCELLED: "cancelled",
    Outcome.TIMED_OUT: "timed out",
}
_OUTCOME_KINDS = {
    Outcome.SUCCESS: PASSED,
    Outcome.FAILURE: FAILED,
    Outcome.ERROR: FAILED,
    Outcome.CANCELLED: STOPPED,
    Outcome.TIMED_OUT: FAILED,
}
_PHASES = {
    Phase.WANTED: ("waiting", WAITING),
    Phase.RESUMING: ("resuming", RUNNING),
    Phase.ACTIVE: ("running", RUNNING),
    Phase.FINISHED: ("finished", STOPPED),
}
_STEP_KINDS = {
    StepState.WAITING: WAITING,
    StepState.RUNNING: RUNNING,
    StepState.RETRYING: RUNNING,
    StepState.SUCCEEDED: PASSED,
    StepState.FAILED: FAILED,
    StepState.BLOCKED: SKIPPED,
    StepState.SKIPPED: SKIPPED,
    StepState.REMOVED: SKIPPED,
    StepState.CANCELLED: STOPPED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A word for people, and what it looks like."""

    word: str
    kind: str


def standing(run: Run) -> Standing:
    """How the run stands. A dry run that worked has passed nothing: it printed."""
    if run.outcome is None:
        return Standing(*_PHASES[run.phase])
    if run.dryrun and run.outcome is Outcome.SUCCESS:
        return Standing("printed", PASSED)
    return Standing(OUTCOMES[run.outcome], _OUTCOME_KINDS[run.outcome])


def step_standing(step: Step, *, dryrun: bool = False, command: bool = False) -> Standing:
    """How the step stands; in a dry run, what it would do."""
    if dryrun and step.state is StepState.SUCCEEDED:
        return Standing("would run", PASSED) if command else Standing("no command", SKIPPED)
    return Standing(step.state.value, _STEP_KINDS[step.state])
