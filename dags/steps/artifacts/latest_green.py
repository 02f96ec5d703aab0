"""`latest_green.json` of a pipeline: the newest run that passed, which `release clone lastgreen` reads.

It never goes back: a run that is older than the one there leaves it alone. In a folder a lock makes that
certain. Object stores have none: there the first write is refused if somebody else was first, and what was
written is read again. Two that replace the same file in the same moment may still leave the older one, until
the next run.
"""

import argparse
from datetime import UTC, datetime

from steps.artifacts import prow
from steps.artifacts.place import BY_HAND, Told, add_place, add_run, place, told
from steps.artifacts.send import without_password
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.storage import Documents

_LARGEST = 64 * 1024
_TRIES = 5


def _run(args: argparse.Namespace, step: Step) -> None:
    run = told(args)
    path = prow.latest_green_path(run)
    if step.dryrun:
        created = args.created or datetime.now(UTC)
        shown = prow.latest_green(run, args.path, created).decode()
        print(f"would write {without_password(args.url)}/{path}, unless it is newer:\n{shown}", end="")
        return
    with step.cases.case("latest_green.json"), place(args.url) as documents:
        created = args.created or _created(args.path, documents)
        with documents.alone(path):
            newest = advance(documents, path, run, args.path, created)
    print(f"wrote {path}" if newest else f"{path} stays as it is: it names a run that is as new, or newer")


def advance(documents: Documents, path: str, run: Told, folder: str, created: datetime) -> bool:
    """Let the run be the latest green one, unless a newer one is there; returns whether it is.

    Raises:
        TryAgain: others write all the time.
    """
    content = prow.latest_green(run, folder, created)
    for _ in range(_TRIES):
        there = documents.read(path, _LARGEST)
        if there == content:
            return True
        if there is not None and not prow.is_newer(created, there):
            return False
        try:
            documents.write(path, content, new=there is None)
        except FileExistsError:
            continue  # somebody was first: what is there now?
    raise TryAgain(f"{path} is written by others all the time")


def _created(folder: str, documents: Documents) -> datetime:
    there = documents.read(f"{folder}/{prow.STARTED}", _LARGEST)
    created = prow.started_at(there) if there is not None else None
    if created is None:
        raise StepFailed(f"{folder}/{prow.STARTED} does not say when the run began: give --created")
    return created


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time like 2026-01-31T12:00:00+00:00: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument(
        "--created",
        type=_moment,
        metavar="TIME",
        help="when the run began (default: as its started.json says)",
    )
    add_run(parser)


COMMAND = CommandOf(
    "latest-green", f"say that a run is the newest that passed. {BY_HAND}", _add_arguments, _run
)
