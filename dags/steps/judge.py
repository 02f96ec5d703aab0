"""How a whole run went, from the states of its tasks: what no single step can tell.

python -m steps.judge run --state=TASK=STATE ... [--may-skip=TASK] [--cleanup=TASK]

A step that failed tells so itself, and makes its DAG run red. This one fails where nobody else would: where
the run was stopped, so that tasks never started (Airflow calls them skipped, and the run a success), and
where a task that cleans up failed, which Airflow ignores.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

from steps.errors import StepFailed
from steps.program import CommandOf, Step, run_program

_SHOWN = 5
_FAILED = ("failed", "upstream_failed")


def judge(args: argparse.Namespace, step: Step) -> None:
    """Print how all tasks went; raise if the run was stopped or not cleaned up."""
    states: Mapping[str, str] = dict(args.state)
    for task, state in states.items():
        print(f"{state:16} {task}")
    if step.dryrun:
        return
    with step.cases.case("the run is cleaned up"):
        if left := [task for task in args.cleanup if states.get(task) in _FAILED]:
            raise StepFailed(f"{_names(left)} failed: what should have been removed may be there still")
    with step.cases.case("the run was not stopped"):
        stopped = [task for task in states if states[task] == "skipped" and task not in args.may_skip]
        if stopped:
            raise StepFailed(f"the run was stopped before {_names(stopped)} could run")


def _names(tasks: Sequence[str]) -> str:
    more = f" and {len(tasks) - _SHOWN} more" if len(tasks) > _SHOWN else ""
    return ", ".join(tasks[:_SHOWN]) + more


def _state(text: str) -> tuple[str, str]:
    task, equals, state = text.partition("=")
    if not (task and equals and state):
        raise argparse.ArgumentTypeError(f"{text!r} is not TASK=STATE, such as build=success")
    return task, state


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=_state,
        action="append",
        default=[],
        metavar="TASK=STATE",
        help="how a task went, in Airflow's words: success, failed, upstream_failed, skipped",
    )
    parser.add_argument("--may-skip", action="append", default=[], metavar="TASK", help="it may be skipped")
    parser.add_argument("--cleanup", action="append", default=[], metavar="TASK", help="it cleans up")


_COMMANDS = (CommandOf("run", "judge a run by the states of its tasks", _add_arguments, judge),)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    return run_program("judge", "How a whole run went, from the states of its tasks.", _COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
