"""The words of statuses and comments, but for the headline's and a decision's (`bot.policy.texts`)."""

from __future__ import annotations

from bot.models import StepState
from bot.prose import count

QUEUED = "queued"
STARTING = "starting in Airflow"
IN_PROGRESS = "in progress"
NEXT_STEP = "next step starting"
PASSED = "passed"
FAILED = "failed"
CANCELLED = "cancelled"
TIMED_OUT = "timed out"
OPTIONAL = "(optional)"
NOT_STARTED = "not run: "  # how a reason begins that speaks for itself
NO_RESULT = "no reason is known: see the log of the run"

NOTHING_TO_TEST = "no pipeline's paths match what it changes"
LINES_THAT_MATTER = "The lines that matter"
REPRODUCE = "To reproduce it:"
REPRODUCE_TOO_LONG = "The command that reproduces it is too long for a comment: see the run page."
LOG = "full log"
AIRFLOW = "Airflow"
STEPS_OF = "Steps of"
OUT_OF_MEMORY = "out of memory"
FLAKY_WITHIN = "failed, then passed"
PERHAPS_MEMORY = "perhaps out of memory"
NO_EXIT_CODE = "no exit code is known"

NOT_RUN = "What follows was not run."
RUN_PAGE = "run page"
COMMANDS_OF = "Commands of"
NO_COMMANDS = "no commands"
NO_COMMAND = "no command"
COMMAND_TOO_LONG = "its command is too long for a comment: see the run page."

RETEST_FAILED = "Push a fix, or comment `/retest` to run again what failed."
RETEST = "Comment `/retest` to run again what did not pass."

STEP_WORDS = {
    StepState.WAITING: "waiting",
    StepState.RUNNING: "running",
    StepState.RETRYING: "about to be retried",
    StepState.SUCCEEDED: "passed",
    StepState.FAILED: "failed",
    StepState.BLOCKED: "not started: a step before it failed",
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


def steps_passed(passed: int, skipped: int) -> str:
    """What a green run has to say."""
    return f"{count(passed, 'step')} passed" + (f", {skipped} skipped" if skipped else "")


def progress(passed: int, planned: int) -> str:
    """How far a run is."""
    return f"{passed}/{count(planned, 'step')} passed"


def resuming(steps: int) -> str:
    """A run that had ended is about to go on."""
    return f"resuming: {count(steps, 'step')} to run again"


def cancelling(reason: str) -> str:
    """We asked Airflow to stop the run."""
    return f"cancelling: {reason}"


def stopping(reason: str) -> str:
    """We asked Airflow to stop the run, which took too long."""
    return f"stopping: {reason}"


def cancelled(reason: str) -> str:
    """The run was stopped."""
    return f"{CANCELLED}: {reason}" if reason else CANCELLED


def error(reason: str) -> str:
    """The run could not be run as asked."""
    return reason if reason.startswith(NOT_STARTED) else f"error: {reason or NO_RESULT}"


def on_try(number: int) -> str:
    """Which try it is, unless it is the first."""
    return f"try {number}" if number > 1 else ""


def exited(code: int) -> str:
    """Why a step failed that said no more."""
    return f"exit {code}"


def killed(number: int) -> str:
    """Why a step failed that a signal ended."""
    return f"killed by signal {number}"


def began_after(step: str) -> str:
    """A step (in Markdown) had failed before this one even began, and may be why it failed."""
    return f"It began after {step} had failed."


def timed_out_in(steps: str) -> str:
    """What a run did that took too long; `steps` is Markdown."""
    return f"timed out while {steps} ran"


def usually(took: str, usual: str) -> str:
    """How long a run took that was unusually slow or fast."""
    return f"{took}, usually {usual}"


def fixed(what: str) -> str:
    """What failed in the run before and passes now (in Markdown)."""
    return f"Fixed: {what}."


def newly_failing(what: str) -> str:
    """What passed in the run before and fails now (in Markdown)."""
    return f"Newly failing: {what}."


def within(tests: str, pipeline: str) -> str:
    """Tests, and where they are (in Markdown)."""
    return f"{tests} in {pipeline}"


def flaky(what: str) -> str:
    """Tests (in Markdown) that failed and then passed with the same commit."""
    return f"Flaky: {what}."


def flakiness(failed: int, runs: int) -> str:
    """How often a test failed of late."""
    return f"failed in {failed:,} of its last {count(runs, 'run')}"


def tests_failed(failed: int, total: int) -> str:
    """How many tests of a step failed."""
    return f"{failed:,} of {count(max(failed, total), 'test')} failed"


def tests_passed(total: int, skipped: int) -> str:
    """What a step's tests came to where none failed."""
    return count(total, "test") + (f", {skipped:,} skipped" if skipped else "")


def no_test_failed(total: int, *, all_read: bool) -> str:
    """The step failed for another reason, as far as we know."""
    return f"{count(total, 'test')} {'ran' if all_read else 'could be read'}, and none failed."


def more_tests(number: int) -> str:
    """What did not fit."""
    return f"and {number:,} more"


def unread_tests(notes: str) -> str:
    """What a step's JUnit files did not tell; `notes` is Markdown."""
    return f"Not all test results could be read: {notes}"


def artifacts(number: int) -> str:
    """What is behind the link to a run's artifacts."""
    return count(number, "artifact")


def not_kept(step: str, dropped: str) -> str:
    """What a step left and was not kept; both are Markdown."""
    return f"Not kept of {step}: {dropped}"


def more_failed_steps(number: int) -> str:
    """What did not fit."""
    return f"{count(number, 'more failed step')}: see the run pages."


def more_steps(number: int) -> str:
    """What did not fit."""
    return f"{count(number, 'more step')}: see the run page."


def more_step_tables(number: int) -> str:
    """What did not fit."""
    return f"The steps of {count(number, 'more pipeline')} are on the run pages."


def more_pipelines(number: int) -> str:
    """What did not fit."""
    return f"and {count(number, 'more pipeline')}"


def more_dry_runs(number: int) -> str:
    """What did not fit."""
    return f"and {count(number, 'more dry run')}"
