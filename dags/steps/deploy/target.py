"""Where a step works: which cluster, namespace and release; and how its programs reach it."""

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from steps.deploy import names
from steps.errors import StepFailed
from steps.tools import Tools

Provider = Literal["gke", "kind", "current"]
_OVERRIDE = "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"
_ANSWER_SECONDS = 180.0


@dataclass(frozen=True)
class Target:
    """A cluster, and a place in it."""

    provider: Provider
    cluster: str
    """Its name; with provider `current` that of a namespace which stands for one."""
    project: str
    location: str
    """Zone or region; only with provider `gke`."""
    namespace: str
    release: str


def add_target(parser: argparse.ArgumentParser, *, cluster: bool = True) -> None:
    """Add the options that say where to work; a command over all clusters has no `cluster`."""
    group = parser.add_argument_group("target")
    group.add_argument(
        "--provider",
        choices=("gke", "kind", "current"),
        default="gke",
        help="a cluster of Google Kubernetes Engine, one of kind on this machine, or a namespace in the "
        "cluster that kubectl points at (default: gke)",
    )
    group.add_argument("--project", type=names.project, help="project in Google Cloud (gke)")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--zone", type=names.zone, help="zone of the cluster (gke)")
    where.add_argument("--region", type=names.region, help="region, for a regional cluster (gke)")
    if not cluster:
        return
    group.add_argument(
        "--cluster", type=names.cluster, required=True, help="name of the cluster; of the namespace (current)"
    )
    group.add_argument("--namespace", type=names.namespace, help="default: the cluster's name")
    group.add_argument("--release", type=names.release, help="of the Helm chart; default: the cluster's name")


def target_of(args: argparse.Namespace) -> Target:
    """Return what the options say.

    Raises:
        StepFailed: they don't fit together.
    """
    cluster = str(getattr(args, "cluster", ""))
    namespace = getattr(args, "namespace", None) or cluster
    location = args.zone or args.region or ""
    if args.provider == "gke" and not args.project:
        raise StepFailed("--provider=gke needs --project")
    if args.provider == "gke" and cluster and not location:
        raise StepFailed("--provider=gke needs --zone or --region")
    if args.provider == "current" and namespace != cluster:
        raise StepFailed(
            f"with --provider=current the namespace is {cluster!r}, made for this run: leave --namespace out"
        )
    return Target(
        provider=cast("Provider", args.provider),
        cluster=cluster,
        project=args.project or "",
        location=location,
        namespace=namespace,
        release=getattr(args, "release", None) or cluster,
    )


def authenticate(tools: Tools) -> None:
    """Let gcloud use the key that GOOGLE_APPLICATION_CREDENTIALS names, which by itself it does not.

    By a variable, so that no key and no login is left behind; gcloud knows it as the property
    auth/credential_file_override. Without a key gcloud's own login is used, or the machine's or pod's.
    """
    if tools.environ.get("GOOGLE_APPLICATION_CREDENTIALS") and _OVERRIDE not in tools.environ:
        _export(tools, _OVERRIDE, tools.environ["GOOGLE_APPLICATION_CREDENTIALS"])


def credentials_file(cluster: str, tools: Tools) -> Path:
    """Return where the credentials for a cluster are kept, below $HOME; its folder is there."""
    file = Path(tools.environ.get("HOME") or Path.home(), ".kube", f"preflight-{cluster}")
    if not tools.dryrun:
        file.parent.mkdir(parents=True, exist_ok=True)
    return file


def connect(args: argparse.Namespace, tools: Tools) -> Target:
    """Get credentials for the cluster into a file below $HOME that nobody else uses; returns the target.

    From then on kubectl and helm, run by `tools`, talk to that cluster.

    Raises:
        StepFailed, TryAgain: there is no such cluster, or it can't be reached.
    """
    target = target_of(args)
    if target.provider == "current":
        return target
    if target.provider == "gke":
        authenticate(tools)
        _export(tools, "KUBECONFIG", str(credentials_file(target.cluster, tools)))
        where = (f"--project={target.project}", f"--location={target.location}")
        argv = ("gcloud", "container", "clusters", "get-credentials", target.cluster, *where)
        tools.run(*argv, timeout=_ANSWER_SECONDS)
    else:
        _export(tools, "KUBECONFIG", str(credentials_file(target.cluster, tools)))
        tools.run("kind", "export", "kubeconfig", f"--name={target.cluster}", timeout=_ANSWER_SECONDS)
    return target


def _export(tools: Tools, name: str, value: str) -> None:
    tools.environ[name] = value
    if tools.dryrun:
        print(f"export {name}={shlex.quote(value)}")
