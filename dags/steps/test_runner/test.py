"""One test in the cluster: made from its spec, watched to its end, judged, and always deleted."""

import argparse
import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from steps.deploy.target import Target, add_target, connect, target_of
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.test_runner.cluster import Cluster
from steps.test_runner.manifest import Manifest, complete
from steps.test_runner.spec import read_spec
from steps.test_runner.template import fill
from steps.test_runner.verdict import FAILURE, SUCCESS
from steps.test_runner.watch import Patience, Watch

_SETTING = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,47}[a-z0-9])?")

_EMPTY = {"apiVersion": "batch/v1", "kind": "Job"}


def test(args: argparse.Namespace, step: Step) -> None:
    """Run it.

    Raises:
        StepFailed, TryAgain: it did not succeed.
    """
    target = target_of(args)
    name = args.name or _name(args.spec, target)
    with step.cases.case(f"{args.spec} can be run"):
        manifest = _manifest(args, target, name)
    with step.cases.case("credentials"):
        connect(args, step.tools)
    cluster = Cluster(step.tools, target.namespace, manifest)
    if step.dryrun:
        _show(cluster)
        return
    patience = Patience(
        timeout=args.timeout,
        stuck=args.stuck,
        poll=args.poll,
        success=args.success or SUCCESS,
        failure=args.failure or FAILURE,
    )
    with step.cases.case(f"{manifest.kind} of {args.spec}"), _removed(cluster):
        cluster.remove()  # what a try left that was killed
        cluster.apply()
        Watch(cluster, patience, args.artifacts).run()
    print(f"{manifest.kind} {manifest.name} succeeded.")


def _manifest(args: argparse.Namespace, target: Target, name: str) -> Manifest:
    own = {
        "name": name,
        "namespace": target.namespace,
        "release": target.release,
        "cluster": target.cluster,
    }
    given = dict(args.set)
    if taken := sorted(own.keys() & given.keys()):
        raise StepFailed(f"--set={taken[0]} is not possible: ${{{taken[0]}}} is what the run says it is")
    if args.dryrun and args.archive is not None and not args.archive.exists():
        print(
            f"# {args.archive} is not there yet: instead of what {args.spec} describes an empty Job is shown"
        )
        return Manifest(_EMPTY | {"metadata": {"name": name}})
    content = fill(read_spec(args.spec, args.archive), own | given)
    return complete(content, name=name, namespace=target.namespace, timeout=args.timeout)


def _name(spec: str, target: Target) -> str:
    """Return a name that a run's retries share, and no other spec of the run."""
    stem = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(spec).stem.lower()).strip("-")[:30].strip("-") or "test"
    place = f"{target.cluster}/{target.namespace}/{target.release}/{spec}"
    return f"{stem}-{hashlib.sha256(place.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def _removed(cluster: Cluster) -> Iterator[None]:
    """Delete the object at the end, whatever the end is; where that fails, its words are not lost."""
    hurry = False
    try:
        yield
    except (SystemExit, KeyboardInterrupt):
        hurry = True
        raise
    finally:
        try:
            cluster.remove(hurry=hurry)
        except (StepFailed, TryAgain) as error:
            print(f"{cluster.manifest.kind} {cluster.manifest.name} could not be deleted: {error}")


def _show(cluster: Cluster) -> None:
    """Print in a dry run what would be asked."""
    cluster.remove()
    cluster.apply()
    cluster.pods(cluster.object())
    cluster.events([])
    cluster.remove()


def _setting(text: str) -> tuple[str, str]:
    found = _SETTING.fullmatch(text)
    if found is None or not found["value"].isprintable():
        raise argparse.ArgumentTypeError(f"not NAME=VALUE in one line: {text!r}")
    return found["name"], found["value"]


def _run_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} can't be a name: small letters, digits and '-', at most 49, no '-' at either end"
        )
    return text


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    given = os.environ.get("ARTIFACTS")
    parser.add_argument("--spec", required=True, metavar="FILE", help="template of the object, in YAML")
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help="the packed source tree that --spec is in"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="what ${NAME} stands for in the spec; name, namespace, release and cluster are known",
    )
    parser.add_argument(
        "--name",
        type=_run_name,
        help="what the object is called (default: made from spec and target, so that a retry has the same)",
    )
    parser.add_argument(
        "--artifacts",
        type=Path,
        metavar="FOLDER",
        default=Path(given) if given else None,
        help="where logs and events are kept (default: $ARTIFACTS)",
    )
    seconds = (
        ("--timeout", 1800.0, "how long it may take to end"),
        ("--stuck", 300.0, "how long a pod may be unable to start, for its image for one"),
        ("--poll", 5.0, "how long to wait between two looks, but for the first"),
    )
    for option, default, meaning in seconds:
        parser.add_argument(
            option, type=float, default=default, metavar="SECONDS", help=f"{meaning} (default: {default:g})"
        )
    for option, default_types in (("--success", SUCCESS), ("--failure", FAILURE)):
        parser.add_argument(
            option,
            action="append",
            metavar="TYPE",
            help=f"condition or phase that means {option[2:]} (default: {', '.join(default_types)})",
        )
    add_target(parser)


COMMAND = CommandOf("test", "run a Kubernetes Job or custom resource and judge it", _add_arguments, test)
