"""Removes the cluster, whatever state it is in, and sees that it is gone."""

import argparse
import contextlib
import re
from collections.abc import Callable, Iterator

from steps.deploy import names
from steps.deploy.clusters import Clusters, Found, why_not_ours
from steps.deploy.providers import clusters_of
from steps.deploy.target import Target, add_target, connect, credentials_file, target_of
from steps.deploy.waiting import Patience, add_patience
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.tools import Tools

_UNINSTALL = "5m"
_UNINSTALL_SECONDS = 360.0
_NAMESPACE_SECONDS = 120


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--run", default="", help="whose it must be, if its label says")
    parser.add_argument(
        "--settle",
        type=names.seconds,
        default=0,
        metavar="SECONDS",
        help="look again for so long before it counts as gone: for after a cancel, when whoever creates it "
        "may not have ended yet (default: 0)",
    )
    add_patience(parser, timeout=1800)


def _run(args: argparse.Namespace, step: Step) -> None:
    target = target_of(args)
    clusters = clusters_of(target, step.tools)
    with step.cases.case(f"{clusters.noun} {target.cluster} is gone"):
        if target.provider != "kind":
            _empty(args, target, clusters, step.tools)
        removal = Removal(clusters, target.cluster, lambda found: why_not_ours(found, args.run))
        if step.dryrun:
            removal.show()
        else:
            removal.finish(Patience(args.timeout, args.poll), settle=args.settle)
            credentials_file(target.cluster, step.tools).unlink(missing_ok=True)


class Removal:
    """One cluster that there should not be. `refuse` returns why one that is found must stay."""

    def __init__(self, clusters: Clusters, name: str, refuse: Callable[[Found], str]) -> None:
        self._clusters = clusters
        self._name = name
        self._refuse = refuse

    def show(self) -> None:
        """Ask for all that may have to be asked for, once: for a dry run."""
        self._clusters.look(self._name)
        self._clusters.delete(Found(self._name, "there", "ready", None))

    def finish(self, patience: Patience, *, settle: float = 0.0) -> None:
        """Look, and do what brings its end nearer, until nothing was seen for `settle` seconds.

        Raises:
            StepFailed: it must stay, or can't be removed.
            TryAgain: it was still there at the end.
        """
        seen = patience.seconds
        while (found := self._clusters.look(self._name)) or patience.seconds - seen < settle:
            if found:
                seen = patience.seconds
                patience.wait(self._advance(found), "run teardown again; until it is gone it costs money")
            else:
                patience.wait(f"{self._name} is not there", "give it a --timeout above --settle")
        print(f"{self._clusters.noun} {self._name} is gone")

    def begin(self) -> None:
        """Ask for its removal if it is there, and wait for nothing.

        Raises:
            StepFailed: it must stay, or can't be removed.
        """
        if found := self._clusters.look(self._name):
            print(self._advance(found))

    def _advance(self, found: Found) -> str:
        """Ask for its removal, and return how that stands; what can't be done yet is for another round.

        Raises:
            StepFailed: it must stay.
        """
        if why := self._refuse(found):
            raise StepFailed(f"{why}: it stays")
        if found.phase == "going" or (found.phase == "coming" and found.labels is None):
            return found.told  # nothing to ask for, or nothing yet that could be told to be ours
        try:
            self._clusters.delete(found)
        except TryAgain as error:
            return f"{found.told} and can't be removed yet ({error})"
        return f"{found.told}; its removal has begun"


def _empty(args: argparse.Namespace, target: Target, clusters: Clusters, tools: Tools) -> None:
    """Take out what would outlive the cluster; trouble is a remark: what matters is that the cluster goes.

    Of one that stays (current), what the chart put outside of its namespace. Of Google's, load balancers and
    disks: their removal with the cluster is not guaranteed, and nothing knows of them afterwards.
    """
    found = clusters.look(target.cluster)
    if not tools.dryrun and (found is None or found.phase != "ready" or why_not_ours(found, args.run)):
        return
    once = Tools(dryrun=tools.dryrun, environ=tools.environ, tries=1)
    with _as_remark():
        there = connect(args, once)
        with _as_remark():
            _uninstall(there, once)
        with _as_remark():
            _remove_namespace(there, once)


@contextlib.contextmanager
def _as_remark() -> Iterator[None]:
    try:
        yield
    except (StepFailed, TryAgain) as error:
        print(f"what is in it could not all be removed before, and may stay: {error}")


def _uninstall(target: Target, tools: Tools) -> None:
    where = (f"--namespace={target.namespace}", "--ignore-not-found", "--wait", f"--timeout={_UNINSTALL}")
    tools.run("helm", "uninstall", target.release, *where, timeout=_UNINSTALL_SECONDS)


def _remove_namespace(target: Target, tools: Tools) -> None:
    """Remove it with its volumes and services; `current` does so anyway, and is waited for."""
    if target.provider == "gke" and not re.fullmatch(r"default|kube-.*", target.namespace):
        how = ("--ignore-not-found", "--wait", f"--timeout={_NAMESPACE_SECONDS}s")
        tools.run("kubectl", "delete", "namespace", target.namespace, *how, timeout=2 * _NAMESPACE_SECONDS)


COMMAND = CommandOf("teardown", "remove the cluster and see that it is gone", _add_arguments, _run)
