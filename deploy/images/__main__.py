"""`make build push update`: the images, from the Dockerfile to a cluster. Needs the standard library only."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.images import rollout
from deploy.images.engine import NAMES, Engine, find_engine, succeeds

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("bot", "airflow")
BASE = "docker.io/library/debian"
TAG = "bookworm-slim"
DIGEST = "sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716"
"""Of the base image of 2026-06-10. Renew it now and then: `docker pull debian:bookworm-slim` prints it."""


class ImagesError(Exception):
    """It can't be done; the message says what is missing and what to do."""


def image(target: str, version: str, registry: str = "") -> str:
    """The name of an image, with its tag."""
    prefix = f"{registry.rstrip('/')}/" if registry else ""
    return f"{prefix}preflight-{target}:{version}"


def build(asked: argparse.Namespace) -> None:
    """Build both images, or one.

    Raises:
        ImagesError: nothing here can build, or the build failed.
    """
    engine = _engine(asked.engine)
    arguments = {
        "DEBIAN": asked.debian or _base(engine),
        "VERSION": asked.version,
        "REVISION": asked.revision,
    }
    for target in asked.target or TARGETS:
        more = {"TOOLS": asked.tools, "AIRFLOW_REQUIREMENTS": asked.airflow_requirements}
        name = image(target, asked.version)
        print(f"Building {name} with {engine.name} ...", flush=True)
        options = shlex.split(asked.options)
        _run(engine.build(name, target, arguments | (more if target == "airflow" else {}), options, ROOT))


def push(asked: argparse.Namespace) -> None:
    """Send both images to the registry.

    Raises:
        ImagesError: there is no registry or no image, or it was refused.
    """
    if not asked.registry:
        raise ImagesError("Which registry? For example: make push REGISTRY=registry.example.com/acme")
    engine = _engine(asked.engine)
    for target in TARGETS:
        local, remote = image(target, asked.version), image(target, asked.version, asked.registry)
        if not succeeds(engine.has(local)):
            raise ImagesError(f"{engine.name} has no image {local}. `make build` makes it.")
        _run(engine.tag(local, remote))
        _run(engine.push(remote))


def update(asked: argparse.Namespace) -> None:
    """Roll the images out to the cluster that kubectl points at, and wait until they run.

    Raises:
        ImagesError: kubectl or the cluster is missing, nothing of ours runs there, or it failed.
    """
    if shutil.which("kubectl") is None:
        raise ImagesError("kubectl is missing: it talks to the cluster. Install it, and point it there.")
    images = {f"preflight-{target}": image(target, asked.version, asked.registry) for target in TARGETS}
    kubectl = ["kubectl", f"--namespace={asked.namespace}"]
    if asked.overlay:
        folder = ROOT / ".preflight" / "update"
        folder.mkdir(parents=True, exist_ok=True)
        resource = os.path.relpath(Path(asked.overlay).resolve(), folder)
        rendered = _said(["kubectl", "kustomize", asked.overlay])
        (folder / "kustomization.yaml").write_text(rollout.kustomization(resource, rendered, images))
        _run(["kubectl", "apply", f"--kustomize={folder}"])
    listed = [*kubectl, "get", ",".join(rollout.KINDS), f"--selector={rollout.LABEL}", "--output=json"]
    found = rollout.workloads(json.loads(_said(listed)), images)
    if not found:
        raise ImagesError(
            f"Nothing in the namespace {asked.namespace} has an image of ours. "
            "How to install it first: deploy/RUNBOOK.md"
        )
    if not asked.overlay:
        for workload in found:
            changes = [f"{container}={wanted}" for container, wanted in workload.images.items()]
            _run([*kubectl, "set", "image", workload.reference, *changes])
            if workload.variables:
                changes = [f"{name}={value}" for name, value in workload.variables.items()]
                _run([*kubectl, "set", "env", workload.reference, *changes])
    for workload in found:
        if workload.rolls:
            _run([*kubectl, "rollout", "status", workload.reference, "--timeout=10m"])


def _engine(wanted: str) -> Engine:
    engine = find_engine([wanted] if wanted else NAMES)
    if engine is None and wanted:
        raise ImagesError(f"{wanted} does not answer: `{wanted} info` fails.")
    if engine is None:
        there = [name for name in NAMES if shutil.which(name)]
        why = f"There is {' and '.join(there)}, but no engine answers" if there else "There is none here"
        raise ImagesError(f"Images need docker, podman or buildah. {why} (tried: {', '.join(NAMES)} info).")
    return engine


def _base(engine: Engine) -> str:
    """The base image's tag: the one with the digest, or where it can't be fetched the one that is here."""
    pinned = f"{TAG}@{DIGEST}"
    if succeeds(engine.has(f"{BASE}@{DIGEST}")):
        return pinned
    fetched = subprocess.run(engine.pull(f"{BASE}@{DIGEST}"), capture_output=True, text=True, check=False)
    if fetched.returncode == 0:
        return pinned
    if succeeds(engine.has(f"{BASE}:{TAG}")):
        print(f"{BASE}@{DIGEST} can't be fetched; the {TAG} that is here is taken instead.", flush=True)
        return TAG
    raise ImagesError(
        f"The base image can't be fetched:\n{fetched.stderr.strip()}\n"
        "With another one: make build DEBIAN=TAG, for example DEBIAN=bookworm-slim@sha256:..."
    )


def _said(command: Sequence[str]) -> str:
    """What kubectl prints."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise ImagesError(f"`{shlex.join(command)}` failed: {last}")
    return done.stdout


def _run(command: Sequence[str]) -> None:
    code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        raise ImagesError(f"`{shlex.join(command)}` ended with exit code {code}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        asked.run(asked)
    except ImagesError as error:
        print(f"make {asked.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for run in (build, push, update):
        command = commands.add_parser(run.__name__, help=(run.__doc__ or "").partition("\n")[0])
        command.set_defaults(run=run)
        command.add_argument("--version", required=True, help="the images' tag, and what their label says")
        if run is not update:
            command.add_argument("--engine", default="", help=f"default: the first of {', '.join(NAMES)}")
        if run is not build:
            command.add_argument("--registry", default="", help="what stands before the images' names")
    option = commands.choices["build"].add_argument
    option("--target", action="append", choices=TARGETS, help="only this one")
    option("--revision", default="", help="the commit, for the label")
    option("--debian", default="", metavar="TAG", help=f"of the base image; default {TAG}@{DIGEST}")
    option("--tools", default="", help="in the Airflow image, some of: kubectl helm gcloud")
    option(
        "--airflow-requirements", default="", metavar="FILE", help="instead of requirements-airflow-image.txt"
    )
    option("--options", default="", help="more options of `docker build`, in one word")
    option = commands.choices["update"].add_argument
    option("--namespace", default="preflight")
    option("--overlay", default="", metavar="FOLDER", help="apply this kustomization with the images")
    return parser


if __name__ == "__main__":
    sys.exit(main())
