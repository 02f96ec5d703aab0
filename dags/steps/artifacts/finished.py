"""`finished.json` of a run: the last file that is written."""

import argparse
import time

from steps.artifacts import prow
from steps.artifacts.place import BY_HAND, add_place, add_run, told
from steps.artifacts.started import add_timestamp, write
from steps.program import CommandOf, Step


def _run(args: argparse.Namespace, step: Step) -> None:
    content = prow.finished(told(args), args.timestamp or int(time.time()), args.result, args.reason)
    write(args.url, f"{args.path}/{prow.FINISHED}", content, step)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--result", choices=sorted(prow.OUTCOMES), required=True, help="how it ended")
    parser.add_argument("--reason", default="", help="why, in one line")
    add_timestamp(parser)
    add_run(parser)


COMMAND = CommandOf("finished", f"say how a run has ended. {BY_HAND}", _add_arguments, _run)
