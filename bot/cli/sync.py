"""`python -m bot sync`."""

from __future__ import annotations

import argparse
import os
import re

from bot.cli import OK
from bot.settings import Settings

HELP = "bring a repository's open pull requests into step with GitHub"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which repository, and how far to go."""
    option = parser.add_argument
    option("repository", type=full_name, metavar="OWNER/REPO", help="as on GitHub")
    # Not called `run`, which is the command itself.
    option(
        "--run",
        dest="start",
        action="store_true",
        help="start the automatic pipelines where nothing ever ran",
    )
    option("--dryrun", action="store_true", help="only show what differs")


def full_name(text: str) -> str:
    """A repository's full name; ArgumentTypeError."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not OWNER/REPO")
    return text


def run(asked: argparse.Namespace) -> int:
    """Show what differs, and mend it."""
    from bot.bootstrap import make_in_step  # noqa: PLC0415 - web must not import it this early

    in_step = make_in_step(Settings.from_env(os.environ))
    rows = in_step.sync(asked.repository, run=asked.start, dryrun=asked.dryrun)
    if not rows:
        print(f"{asked.repository} is in step with GitHub")
        return OK
    wide = max(len(row.what) for row in rows)
    for row in rows:
        print(f"#{row.number:<6} {row.what:<{wide}}  {row.done}")
    print("a dry run: nothing was changed" if asked.dryrun else "the worker does it now")
    return OK
