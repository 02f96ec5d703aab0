"""Fills the cluster: GPU driver, Helm chart; and waits until what it deploys runs."""

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steps.deploy import names
from steps.deploy.target import Target, add_target, connect
from steps.deploy.waiting import Patience, add_patience
from steps.errors import StepFailed, TryAgain
from steps.program import CommandOf, Step
from steps.tools import ToolError, Tools

_GPU = "nvidia.com/gpu"
_STUCK = re.compile(r"another operation \(install/upgrade/rollback\) is in progress|has no deployed releases")
_WORKLOADS = "deployments,statefulsets,daemonsets"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument(
        "--chart",
        default="",
        help="folder, .tgz file, or oci:// reference; without it there is a namespace only",
    )
    parser.add_argument(
        "--values", type=Path, action="append", default=[], metavar="FILE", help="values for the chart"
    )
    for option in ("--set", "--set-string"):
        parser.add_argument(
            option,
            type=names.setting,
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="one value; nothing secret: command lines can be read by others",
        )
    parser.add_argument(
        "--image", type=names.image, help="from this machine's engine into the cluster's nodes first (kind)"
    )
    parser.add_argument(
        "--gpu-driver",
        metavar="MANIFEST",
        help="file or https URL of a manifest that installs it, where create-cluster --accelerator did not",
    )
    parser.add_argument(
        "--gpus", type=names.count, default=0, help="wait until the nodes offer that many GPUs"
    )
    add_patience(parser, timeout=900)


def _run(args: argparse.Namespace, step: Step) -> Mapping[str, Any]:
    with step.cases.case("credentials"):
        target = connect(args, step.tools)
    if args.image:
        with step.cases.case(f"image {args.image}"):
            _load(args.image, target, step.tools)
    if args.gpu_driver:
        with step.cases.case("GPU driver"):
            step.tools.run("kubectl", "apply", f"--filename={args.gpu_driver}")
    if args.gpus:
        with step.cases.case(f"{args.gpus} GPUs"):
            _wait_for_gpus(args.gpus, step.tools, Patience(args.timeout, args.poll))
    if args.chart:
        with step.cases.case(f"chart {args.chart}"):
            _install(args, target, step.tools)
    elif target.provider != "current":
        with step.cases.case(f"namespace {target.namespace}"):
            _make_namespace(target.namespace, step.tools)
    for workload in _workloads(target, step.tools):
        with step.cases.case(workload):
            _wait_for(workload, args.timeout, target, step.tools)
    return {"namespace": target.namespace, "release": target.release}


def _load(image: str, target: Target, tools: Tools) -> None:
    """Give the nodes an image that no registry has."""
    if target.provider != "kind":
        raise StepFailed("--image is for --provider=kind: other clusters pull images from a registry")
    tools.run("kind", "load", "docker-image", image, f"--name={target.cluster}")


def _wait_for_gpus(wanted: int, tools: Tools, patience: Patience) -> None:
    """Wait until the driver runs: only then do nodes offer their GPUs."""
    while answer := tools.ask("kubectl", "get", "nodes", "--output=json"):
        nodes = json.loads(answer)["items"]
        offered = sum(int(each.get("status", {}).get("allocatable", {}).get(_GPU, 0)) for each in nodes)
        if offered >= wanted:
            return
        patience.wait(
            f"the nodes offer {offered} of {wanted} GPUs", "look at the driver's pods in kube-system"
        )


def _install(args: argparse.Namespace, target: Target, tools: Tools) -> None:
    """Install or upgrade; a release that a killed try left half made is taken out first."""
    where = (f"--namespace={target.namespace}",)
    argv = [
        *("helm", "upgrade", "--install", target.release, args.chart, *where),
        *([] if target.provider == "current" else ["--create-namespace"]),
        *(f"--values={each}" for each in args.values),
        *(f"--set={each}" for each in args.set),
        *(f"--set-string={each}" for each in args.set_string),
        *("--wait", f"--timeout={args.timeout:.0f}s"),
    ]
    try:
        try:
            tools.run(*argv)
        except ToolError as error:
            if not _STUCK.search(error.said):
                raise
            print("an earlier try left the release half made: taking it out")
            tools.run("helm", "uninstall", target.release, *where, "--ignore-not-found", "--wait")
            tools.run(*argv)
    except (StepFailed, TryAgain):
        _show_why(target, tools)
        raise


def _make_namespace(namespace: str, tools: Tools) -> None:
    """Make what helm would have made, for tests that bring all they need."""
    try:
        tools.run("kubectl", "create", "namespace", namespace)
    except ToolError as error:
        if not re.search(r"already ?exists", error.said, re.IGNORECASE):
            raise


def _workloads(target: Target, tools: Tools) -> list[str]:
    """Return what the namespace is to run, as KIND/NAME."""
    where = (f"--namespace={target.namespace}", "--output=name")
    return tools.ask("kubectl", "get", _WORKLOADS, *where).split()


def _wait_for(workload: str, timeout: float, target: Target, tools: Tools) -> None:
    where = (f"--namespace={target.namespace}", f"--timeout={timeout:.0f}s")
    try:
        tools.run("kubectl", "rollout", "status", workload, *where)
    except (StepFailed, TryAgain):
        _show_why(target, tools)
        raise


def _show_why(target: Target, tools: Tools) -> None:
    """Print what tells why something doesn't run; no more than a help."""
    for what in (("pods", "--output=wide"), ("events", "--sort-by=.lastTimestamp")):
        try:
            tools.run("kubectl", "get", *what, f"--namespace={target.namespace}")
        except (StepFailed, TryAgain) as error:
            print(f"can't be shown: {error}")


COMMAND = CommandOf("setup", "install the Helm chart and wait until it runs", _add_arguments, _run)
