"""Makes the cluster, or finds the one that an earlier try made."""

import argparse
import time
from collections.abc import Mapping
from typing import Any

from steps.deploy import names
from steps.deploy.clusters import Clusters, Exists, Found, Shape, expires_at, labels_for, why_not_ours
from steps.deploy.providers import clusters_of
from steps.deploy.target import add_target, target_of
from steps.deploy.waiting import Patience, add_patience
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step

_SLACK = 1800
"""Seconds by which a cluster may end earlier than a new one would, before it is given more time."""
_REQUESTS = 3
"""How often a creation is asked for that was refused with "try again" and left nothing behind."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--owner", default="", help="who wants it: a label")
    parser.add_argument("--run", default="", help="for which run: a label; another run's cluster is refused")
    parser.add_argument(
        "--lifetime", type=names.lifetime, default="4h", help="after which sweep may delete it (default: 4h)"
    )
    parser.add_argument(
        "--label", type=names.label, action="append", default=[], metavar="KEY=VALUE", help="one more label"
    )
    parser.add_argument("--machine-type", type=names.machine_type, help="of its nodes (gke)")
    parser.add_argument("--nodes", type=names.count, default=1, help="how many (per zone; default: 1)")
    parser.add_argument(
        "--accelerator",
        type=names.accelerator,
        action="append",
        default=[],
        metavar="TYPE[:COUNT]",
        help="on each node, such as nvidia-tesla-t4:1, driver included (gke)",
    )
    parser.add_argument(
        "--node-account",
        type=names.account,
        metavar="EMAIL",
        help="service account of its nodes, which every pod can act as (gke; default: preflight-nodes of the "
        "project, as deploy/gcp/setup makes it)",
    )
    parser.add_argument("--version", type=names.version, help="of Kubernetes (gke)")
    parser.add_argument("--spot", action="store_true", help="cheap nodes that may be taken away (gke)")
    parser.add_argument("--image", type=names.image, help="of the nodes (kind)")
    parser.add_argument(
        "--pod-security",
        choices=("privileged", "baseline", "restricted"),
        default="baseline",
        help="what pods may be there: privileged ones can own the nodes (current; default: baseline)",
    )
    add_patience(parser, timeout=3600)


def _run(args: argparse.Namespace, step: Step) -> Mapping[str, Any]:
    target = target_of(args)
    labels = labels_for(args.owner, args.run, time.time() + args.lifetime, dict(args.label))
    shape = Shape(
        machine_type=args.machine_type or "",
        nodes=args.nodes,
        accelerators=tuple(args.accelerator),
        version=args.version or "",
        spot=args.spot,
        image=args.image or "",
        account=args.node_account or "",
        pod_security=args.pod_security,
    )
    clusters = clusters_of(target, step.tools)
    with step.cases.case(f"{clusters.noun} {target.cluster}"):
        creation = Creation(clusters, target.cluster, shape, labels, args.run)
        if step.dryrun:
            creation.show()
        else:
            creation.ensure(Patience(args.timeout, args.poll))
    return {"cluster": target.cluster}


class Creation:
    """One cluster that there should be, whatever was there before."""

    def __init__(
        self, clusters: Clusters, name: str, shape: Shape, labels: Mapping[str, str], run: str = ""
    ) -> None:
        self._clusters = clusters
        self._name = name
        self._shape = shape
        self._labels = labels
        self._run = run
        self._refusals: list[TryAgain] = []

    def show(self) -> None:
        """Ask for all that may have to be asked for, once: for a dry run."""
        self._clusters.look(self._name)
        self._clusters.create(self._name, self._shape, self._labels)

    def ensure(self, patience: Patience) -> None:
        """Look, and do what brings it nearer, until it is ready.

        Raises:
            StepFailed: it can't be made, or there is one of that name which is not ours.
            TryAgain: it can't be made now, or was not ready in time.
        """
        while (found := self._clusters.look(self._name)) is None or found.phase != "ready":
            if found is None:
                self._request(patience)
            else:
                self._advance(found, patience)
        self._take(found)

    def _request(self, patience: Patience) -> None:
        try:
            self._clusters.create(self._name, self._shape, self._labels)
        except Exists:
            patience.wait(f"{self._name} has come up meanwhile", "look who else makes clusters of that name")
        except TryAgain as refusal:  # or its answer was lost: the next look tells
            self._refusals.append(refusal)
            if len(self._refusals) == _REQUESTS:
                raise
            patience.wait(str(refusal), "try again later, or in another zone")

    def _advance(self, found: Found, patience: Patience) -> None:
        """Bring one that isn't ready nearer to being so."""
        if why := why_not_ours(found, self._run):
            raise StepFailed(f"{why}. Choose another name, or remove it yourself")
        if found.phase == "broken":
            if self._refusals:  # what we asked for just now failed, and left this behind
                raise self._refusals[-1]
            print(f"{found.told}, of an earlier try: removing it")
            self._clusters.delete(found)
        patience.wait(found.told, "look at it in the provider's console; the next try goes on from there")

    def _take(self, found: Found) -> None:
        """Use one that is ready: just made, or by an earlier try."""
        if why := why_not_ours(found, self._run):
            raise StepFailed(f"{why}. Choose another name, or remove it yourself")
        print(found.told)
        if (expires_at(found) or 0) < int(self._labels["expires"]) - _SLACK:
            self._clusters.renew(found, self._labels["expires"])


COMMAND = CommandOf(
    "create-cluster", "make the cluster, or go on with the one of an earlier try", _add_arguments, _run
)
