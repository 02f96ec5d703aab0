"""The repository's own commands, each in a copy of the merged tree of its own.

python -m steps.checks run --name=NAME --archive=FILE --artifacts=FOLDER -- COMMAND

Exit codes: those of COMMAND; 124 when it ran into --timeout, 128+N when signal N killed it.
75 asks for another try.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from steps.archive import ArchiveError, unpack
from steps.arguments import step_name
from steps.command_line import Parser, fail, speak_plainly
from steps.contract import DESCRIPTIONS
from steps.environment import clean
from steps.process import end_all, end_with_parent
from steps.workspace import workspace

EX_TIMEOUT = 124
_GRACE = 2.0  # less than process.GRACE: the copy must be gone before whoever runs us loses patience


def run(args: argparse.Namespace) -> int:
    """Unpack, run, remove; returns the command's exit code."""
    with workspace() as folder:
        source, home, temporary = folder / "source", folder / "home", folder / "tmp"
        for made in (source, home, temporary, args.artifacts):
            made.mkdir(parents=True, exist_ok=True)
        unpack(args.archive, source)
        with subprocess.Popen(
            _shell(args.command),
            cwd=source,
            env=_environment(args, home, temporary),
            stdin=subprocess.DEVNULL,
            process_group=0,
        ) as process:
            try:
                exit_code = process.wait(args.timeout)
            except subprocess.TimeoutExpired:
                print(f"error: timed out after {args.timeout:g}s", flush=True)
                exit_code = EX_TIMEOUT
            finally:
                end_all("group", process.pid, _GRACE)
    return exit_code if exit_code >= 0 else 128 - exit_code


def _shell(command: str) -> list[str]:
    """Return the argv that runs `command`: it stays one argument, whatever is in it."""
    if bash := shutil.which("bash"):
        return [bash, "-euo", "pipefail", "-c", "--", command]
    return ["sh", "-eu", "-c", "--", command]


def _environment(args: argparse.Namespace, home: Path, temporary: Path) -> dict[str, str]:
    own = {"HOME": home, "TMPDIR": temporary, "ARTIFACTS": args.artifacts.resolve(), "CI": "true"}
    return clean(os.environ, inherit=DESCRIPTIONS) | {name: str(value) for name, value in own.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    speak_plainly()
    args = _parser().parse_args(argv)
    end_with_parent(os.environ)
    if args.dryrun:
        names = sorted(_environment(args, Path(), Path()))
        print(f"command: {shlex.join(_shell(args.command))}")
        print(f"working directory: a fresh copy of {args.archive}")
        print(f"environment: {' '.join(names)}")
        return 0
    try:
        return run(args)
    except (ArchiveError, OSError) as error:
        return fail(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m steps.checks", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("run", help="run one command in a fresh copy of the merged tree")
    command.add_argument("--name", type=step_name, required=True, help="name of the step")
    command.add_argument("--archive", type=Path, required=True, help="the packed tree")
    command.add_argument("--artifacts", type=Path, required=True, help="folder known as $ARTIFACTS")
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="stop it after that long")
    command.add_argument("--dryrun", action="store_true", help="print what would run and run nothing")
    command.add_argument("command", help="run by bash -euo pipefail -c; put -- before it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
