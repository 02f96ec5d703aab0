"""A step's program: several commands, each with `--dryrun` and `--junit_path`, all ending alike.

Exit codes: 0 done; 75 it may pass later (Airflow tries again); 2 a mistake on the command line; 128+N when
signal N stopped it; others final.
"""

import argparse
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from steps.cases import Cases, in_words
from steps.command_line import EX_TEMPFAIL, Parser, fail, hand_on, speak_plainly
from steps.errors import StepFailed, TryAgain
from steps.process import end_with_parent
from steps.signals import SIGNALS
from steps.tools import Tools


@dataclass(frozen=True)
class Step:
    """What a command works with."""

    tools: Tools
    """Runs programs, or prints them in a dry run."""
    cases: Cases
    """Where each check is told of."""
    dryrun: bool


@dataclass(frozen=True)
class CommandOf:
    """One command of a program."""

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], object]
    run: Callable[[argparse.Namespace, Step], Mapping[str, Any] | int | None]
    """Does it. A mapping that it returns is handed on as XComs; a number is the exit code, for a command that
    ends as another program did. StepFailed and TryAgain say why it failed; SystemExit (128+N) that a signal
    stopped it, on which it has some two seconds to clean up."""


def run_program(
    prog: str, description: str, commands: Sequence[CommandOf], argv: Sequence[str] | None
) -> int:
    """Run the command that `argv` names; returns the exit code.

    Raises:
        SystemExit: a signal stopped it (128+N), or the command line is mistaken (2).
    """
    speak_plainly()
    args = _parser(prog, description, commands).parse_args(argv)
    command: CommandOf = args.command_of
    step = Step(
        tools=Tools(dryrun=args.dryrun),
        cases=Cases(f"{prog} {command.name}", None if args.dryrun else args.junit_path),
        dryrun=args.dryrun,
    )
    before = {number: signal.signal(number, _stop) for number in SIGNALS}
    try:
        end_with_parent(os.environ)
        exit_code = _ended(command, args, step)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return exit_code


def _ended(command: CommandOf, args: argparse.Namespace, step: Step) -> int:
    """Run it, write what was checked, and say how it ended; returns the exit code."""
    values: Mapping[str, Any] = {}
    try:
        returned = command.run(args, step)
        exit_code = returned if isinstance(returned, int) else 0
        values = {} if returned is None or isinstance(returned, int) else returned
    except TryAgain as error:
        exit_code = _failed(command, step, str(error), EX_TEMPFAIL)
    except (StepFailed, OSError) as error:
        exit_code = _failed(command, step, in_words(error), 1)
    except BaseException as error:  # a signal, or a mistake of ours: both are told like other failures
        _failed(command, step, repr(error) if isinstance(error, Exception) else in_words(error), 1)
        _write(step.cases)
        raise
    if not _write(step.cases):
        exit_code = exit_code or 1
    elif exit_code == 0 and not step.dryrun:
        hand_on(values)
    return exit_code


def _failed(command: CommandOf, step: Step, reason: str, exit_code: int) -> int:
    if not step.cases.told:
        step.cases.add(command.name, failure=reason)
    return fail(reason, exit_code)


def _write(cases: Cases) -> bool:
    try:
        cases.write()
    except OSError as error:
        fail(f"what was checked can't be written: {error}")
        return False
    return True


def _stop(number: int, _frame: FrameType | None) -> None:
    """End by an exception, once: what cleans up is not stopped again."""
    for each in SIGNALS:
        signal.signal(each, lambda *_: None)  # not SIG_IGN, which programs that clean up would inherit
    raise SystemExit(128 + number)


def _parser(prog: str, description: str, commands: Sequence[CommandOf]) -> argparse.ArgumentParser:
    parser = Parser(prog=f"python -m steps.{prog}", description=description)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands:
        sub = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(sub)
        sub.add_argument("--dryrun", action="store_true", help="print the commands and run none")
        sub.add_argument(
            "--junit_path", type=Path, metavar="FILE", help="write what was checked there, as JUnit XML"
        )
        sub.set_defaults(command_of=command)
    return parser
