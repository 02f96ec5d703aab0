"""Clusters of kind: in containers on this machine. Their nodes bear the labels, since kind keeps none."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from steps.deploy.clusters import Exists, Found, Shape
from steps.deploy.target import credentials_file
from steps.errors import StepFailed, TryAgain
from steps.tools import ToolError, Tools

_ANSWER_SECONDS = 120.0
_CREATE_SECONDS = 900.0
_READY = "5m"


class Kind:
    """The clusters of kind on this machine."""

    noun = "cluster"

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._once = Tools(dryrun=tools.dryrun, environ=tools.environ, tries=1)

    def look(self, name: str) -> Found | None:
        """Look for it among all."""
        return self._found(name) if name in self._names() else None

    def create(self, name: str, shape: Shape, labels: Mapping[str, str]) -> None:
        """Create it and wait until it is ready; one worker for each node beyond the first."""
        roles = ["control-plane", *["worker"] * (shape.nodes - 1)]
        nodes = [{"role": role, "labels": dict(labels)} for role in roles]
        config = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes}
        argv = [
            *("kind", "create", "cluster", f"--name={name}", f"--wait={_READY}"),
            f"--kubeconfig={credentials_file(name, self._tools)}",
            *([f"--image={shape.image}"] if shape.image else []),
            "--config=-",
        ]
        try:
            self._once.run(*argv, stdin=json.dumps(config, indent=1) + "\n", timeout=_CREATE_SECONDS)
        except ToolError as error:
            if re.search(r"already ?exist", error.said, re.IGNORECASE):
                raise Exists from None
            raise

    def delete(self, found: Found) -> None:
        """Remove it, which takes some seconds; one that is gone is none to kind, too."""
        self._tools.run("kind", "delete", "cluster", f"--name={found.name}", timeout=_ANSWER_SECONDS)

    def renew(self, found: Found, expires: str) -> None:
        """Set the label of its nodes."""
        self._kubectl(found.name, "label", "nodes", "--all", f"expires={expires}", "--overwrite")

    def ours(self) -> list[Found]:
        """Return those whose nodes bear our mark; of a cluster that doesn't answer we can't tell."""
        found = [self._found(name) for name in self._names()]
        return [each for each in found if each.labels and each.labels.get("created-by") == "preflight"]

    def _names(self) -> list[str]:
        return self._tools.ask("kind", "get", "clusters", timeout=_ANSWER_SECONDS).split()

    def _found(self, name: str) -> Found:
        try:
            answer = self._kubectl(name, "get", "nodes", "--output=json")
        except (StepFailed, TryAgain):
            return Found(name, "not answering", "broken", None)
        nodes = json.loads(answer)["items"]
        if not nodes:
            return Found(name, "without nodes", "broken", None)
        return Found(name, "running", "ready", nodes[0]["metadata"].get("labels") or {})

    def _kubectl(self, name: str, *words: str) -> str:
        """Ask the cluster itself, by credentials that are gone a moment later."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "config")
            file.touch(mode=0o600)
            file.write_text(self._once.ask("kind", "get", "kubeconfig", f"--name={name}"), encoding="utf-8")
            return self._once.ask("kubectl", f"--kubeconfig={file}", *words, timeout=_ANSWER_SECONDS)
