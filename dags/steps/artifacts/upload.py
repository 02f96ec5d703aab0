"""A run's folder of artifacts, and its log, put where they are kept; they stay here, too."""

import argparse
import os
from pathlib import Path

from steps.artifacts import prow
from steps.artifacts.keep import tell
from steps.artifacts.place import BY_HAND, add_place, place
from steps.artifacts.send import send, without_password
from steps.errors import StepFailed
from steps.folders import Entry, entries
from steps.limits import Limits, choose, in_words
from steps.program import CommandOf, Step


def _run(args: argparse.Namespace, step: Step) -> None:
    kept, dropped = choose(entries(args.folder), (), Limits.of(os.environ))
    if step.dryrun:
        where = f"{without_password(args.url)}/{args.path}"
        for entry in kept:
            print(f"would put {entry.path} ({in_words(entry.size)}) at {where}/artifacts/{entry.path}")
        if args.build_log:
            print(f"would put {args.build_log} at {where}/{prow.BUILD_LOG}")
        tell(dropped)
        return
    with step.cases.case("artifacts"), place(args.url) as documents:
        wanted = {f"{args.path}/artifacts/{entry.path}": entry for entry in kept}
        stored = send(args.folder, wanted, documents, args.seconds)
        failed = [entry for target, entry in wanted.items() if stored.get(target) != ""]
    tell(dropped)
    if args.build_log:
        with step.cases.case(prow.BUILD_LOG), place(args.url) as documents, args.build_log.open("rb") as log:
            documents.put(f"{args.path}/{prow.BUILD_LOG}", log, args.build_log.stat().st_size)
    _judge(kept, failed)


def _judge(kept: list[Entry], failed: list[Entry]) -> None:
    if failed:
        raise StepFailed(f"{len(failed)} of {len(kept)} files were not stored, {failed[0].path} for one")
    print(
        f"stored {len(kept)} {'file' if len(kept) == 1 else 'files'}, {in_words(sum(e.size for e in kept))}"
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument(
        "--folder", type=Path, required=True, help="what is in it goes to `artifacts` of the run, as it lies"
    )
    parser.add_argument(
        "--build-log", type=Path, metavar="FILE", help="the run's log, which Spyglass shows first"
    )
    parser.add_argument("--seconds", type=float, default=600, help="stop after that long")


COMMAND = CommandOf("upload", f"put artifacts where they are kept. {BY_HAND}", _add_arguments, _run)
