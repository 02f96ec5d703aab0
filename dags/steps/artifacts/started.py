"""`started.json` of a run."""

import argparse
import time

from steps.artifacts import prow
from steps.artifacts.place import BY_HAND, add_place, add_run, place, told
from steps.artifacts.send import without_password
from steps.program import CommandOf, Step


def _run(args: argparse.Namespace, step: Step) -> None:
    content = prow.started(told(args), args.timestamp or int(time.time()))
    write(args.url, f"{args.path}/{prow.STARTED}", content, step)


def write(url: str, path: str, content: bytes, step: Step) -> None:
    """Write a document; in a dry run show it."""
    if step.dryrun:
        print(f"would write {without_password(url)}/{path}:\n{content.decode()}", end="")
        return
    with step.cases.case(path.rpartition("/")[2]), place(url) as documents:
        documents.write(path, content)
    print(f"wrote {path}")


def add_timestamp(parser: argparse.ArgumentParser) -> None:
    """Add the time that is written."""
    parser.add_argument(
        "--timestamp", type=int, metavar="SECONDS", help="time since 1970 that is written (default: now)"
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    add_timestamp(parser)
    add_run(parser)


COMMAND = CommandOf("started", f"say that a run has begun. {BY_HAND}", _add_arguments, _run)
