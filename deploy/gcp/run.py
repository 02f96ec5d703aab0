"""`deploy/gcp/setup`: asks gcloud what is there, and creates what is not."""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.gcp.plan import Options, plan
from steps.deploy.names import bucket_of
from steps.errors import StepFailed, TryAgain
from steps.tools import ToolError, Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.gcp.plan import Part

_NOT_THERE = re.compile(r"NOT_FOUND|not found|does not exist|HTTPError 404", re.IGNORECASE)
_THERE = re.compile(r"already exists|ALREADY_EXISTS|already own it|HTTPError 409", re.IGNORECASE)
_TRIES = 6
_PAUSE_SECONDS = 10.0
_NEXT = """
What waits needs the subscriptions. If you use Pub/Sub, make them, then run this again:
  PREFLIGHT_PUBSUB_PROJECT={project} PREFLIGHT_PUBSUB_PREFIX={prefix} python -m bot pubsub-setup"""


def main(
    argv: Sequence[str] | None = None,
    *,
    tools: Callable[[bool], Tools] = lambda dryrun: Tools(dryrun=dryrun),
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Bring a project to what the plan says; returns the exit code."""
    args = _parser().parse_args(argv)
    hands = tools(args.dryrun)
    try:
        waiting = [part for part in plan(_options(args, hands)) if not bring(part, hands, pause)]
    except (StepFailed, TryAgain, OSError) as error:
        print(f"error: {error}\nAll that came before is there. Mend this and run it again.", file=sys.stderr)
        return 1
    if waiting:
        print(_NEXT.format(project=args.project, prefix=args.prefix))
    return 0


def _options(args: argparse.Namespace, tools: Tools) -> Options:
    """What was asked for, and the project's number, which gcloud knows."""
    describe = ("gcloud", "projects", "describe", args.project, "--format=value(projectNumber)")
    options = Options(
        project=args.project,
        region=args.region,
        bucket=args.bucket or bucket_of("preflight", args.project),
        repository=args.repository,
        namespace=args.namespace,
        keys=args.keys,
        executor=args.executor,
        prefix=args.prefix,
    )
    number = tools.ask(*describe).strip()
    return replace(options, number=number) if number else options


def bring(part: Part, tools: Tools, pause: Callable[[float], None]) -> bool:
    """Create the part unless it is there; in a dry run print the command that would.

    False if it has to wait for what another program makes.

    Raises:
        StepFailed: gcloud refuses.
        TryAgain: Google Cloud can't now.
    """
    if not tools.dryrun and not _answers(part.needs, tools):
        print(f"waits:   {part.what}")
        return False
    if not tools.dryrun and _is_there(part, tools):
        print(f"there:   {part.what}")
        return True
    if not tools.dryrun:
        print(f"making:  {part.what}")
    if part.makes is not None and not tools.dryrun:
        part.makes.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _create(part, tools, pause)
    return True


def _is_there(part: Part, tools: Tools) -> bool:
    if part.makes is not None:
        return part.makes.exists()
    return bool(part.check) and _answers(part.check, tools)


def _answers(check: Sequence[str], tools: Tools) -> bool:
    """Whether a check finds what it asks for; one that asks nothing does."""
    if not check:
        return True
    try:
        tools.ask(*check)
    except ToolError as error:
        if _NOT_THERE.search(error.said):
            return False
        raise
    return True


def _create(part: Part, tools: Tools, pause: Callable[[float], None]) -> None:
    """Do it. An account made a moment ago is not known everywhere yet: a role for it is tried again."""
    for left in reversed(range(_TRIES)):
        try:
            tools.run(*part.create, stdin=part.stdin)
        except ToolError as error:
            if part.check and _THERE.search(error.said):  # somebody else was faster
                return
            if part.check or not left or not _NOT_THERE.search(error.said):
                raise
            pause(_PAUSE_SECONDS)
        else:
            return


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/gcp/setup", description=__doc__)
    option = parser.add_argument
    option("--project", required=True, type=_project, help="id of the project")
    option("--region", default="us-central1", help="of bucket and images (default: us-central1)")
    option("--bucket", help="for artifacts and logs (default: PROJECT-preflight)")
    option("--repository", default="preflight", help="for images (default: preflight)")
    option("--namespace", default="preflight", help="of the pods, for Workload Identity (default: preflight)")
    option("--prefix", default="preflight", help="of topics, as PREFLIGHT_PUBSUB_PREFIX (default: preflight)")
    option("--keys", type=Path, metavar="DIR", help="make keys there, in place of Workload Identity")
    option(
        "--executor",
        choices=("local", "kubernetes"),
        default="local",
        help="Airflow's: with `local` pull requests run in the scheduler's pod, so only the bot gets "
        "Workload Identity, and Airflow and pipelines need --keys (default: local)",
    )
    option("--dryrun", action="store_true", help="print every command and run none")
    return parser


def _project(text: str) -> str:
    if not re.fullmatch(r"([a-z][a-z0-9.]{0,61}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", text):
        raise argparse.ArgumentTypeError(f"not the id of a project: {text!r}")
    return text
