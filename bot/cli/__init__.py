"""The command line: `python -m bot COMMAND`, one module per command, found by its name.

A module has HELP, `add_arguments(parser)` and `run(asked)`, which returns the exit code. It imports
what it works with only in `run`: `web` must set something up before, and `validate` needs little of it.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import io
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from bot.errors import AirflowRefused, GitHubNotFound, GitHubRefused, PreflightError, Temporary

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, FAILED, MISUSED = 0, 1, 2


class Command(Protocol):
    """What the module of a command has."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can follow the command's name."""
        ...

    def run(self, asked: argparse.Namespace) -> int:
        """Do it; the exit code. A PreflightError that it raises is said to whoever called."""
        ...


class Unreadable(PreflightError):
    """A file that the command line names can't be read."""


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code: 0 fine, 1 failed, 2 wrongly called or set up."""
    asked = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal can't show is no reason to fail
    try:
        code: int = asked.run(asked)
    except PreflightError as error:
        print(f"preflight: {error}".replace("\n", "\npreflight: "), file=sys.stderr)
        failed = isinstance(error, Temporary | GitHubRefused | GitHubNotFound | AirflowRefused)
        return FAILED if failed else MISUSED
    return code


@functools.cache
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Runs Airflow pipelines on pull requests."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for found in pkgutil.iter_modules(__path__):
        command = cast("Command", importlib.import_module(f"{__name__}.{found.name}"))
        name = found.name.replace("_", "-")
        added = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser


def read(path: str) -> bytes:
    """The content of a file that the command line names; Unreadable."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unreadable(f"can't read {path}: {reason}") from error
