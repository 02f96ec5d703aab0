"""One of the repository's own commands.

Exit codes: those of the command; 124 when it ran into --timeout, 128+N when signal N killed it.
75 asks for another try.
"""

import argparse
import shutil
from pathlib import Path

from steps.arguments import step_name
from steps.checks.fresh_copy import fresh_copy, show
from steps.program import CommandOf, Step


def run(args: argparse.Namespace, step: Step) -> int:
    """Unpack, run, remove; returns the command's exit code."""
    if step.dryrun:
        show(_shell(args.command), args)
        return 0
    with fresh_copy(args) as copy:
        exit_code = copy.run(_shell(args.command), args.timeout)
    step.cases.add(args.name, failure=f"exit code {exit_code}" if exit_code else "")
    return exit_code


def _shell(command: str) -> list[str]:
    """Return the argv that runs `command`: it stays one argument, whatever is in it."""
    if bash := shutil.which("bash"):
        return [bash, "-euo", "pipefail", "-c", "--", command]
    return ["sh", "-eu", "-c", "--", command]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", type=step_name, required=True, help="name of the step")
    parser.add_argument("--archive", type=Path, required=True, help="the packed tree")
    parser.add_argument("--artifacts", type=Path, required=True, help="folder known as $ARTIFACTS")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="stop it after that long")
    parser.add_argument("command", help="run by bash -euo pipefail -c; put -- before it")


COMMAND = CommandOf("run", "run one command in a fresh copy of the merged tree", _add_arguments, run)
