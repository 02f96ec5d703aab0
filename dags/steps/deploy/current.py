"""Namespaces that stand for clusters, in the cluster that kubectl points at."""

import json
import re
from collections.abc import Mapping
from typing import Any

from steps.deploy.clusters import MARK, Exists, Found, Shape
from steps.tools import ToolError, Tools

_ANSWER_SECONDS = 120.0
# https://kubernetes.io/docs/concepts/security/pod-security-admission/
_POD_SECURITY = "pod-security.kubernetes.io/enforce"


class Current:
    """The namespaces of the cluster that kubectl points at: by KUBECONFIG, ~/.kube/config or its own pod."""

    noun = "namespace"

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def look(self, name: str) -> Found | None:
        """Ask for the namespace."""
        answer = self._ask("get", "namespace", name, "--ignore-not-found", "--output=json")
        return _found(json.loads(answer)) if answer else None

    def create(self, name: str, shape: Shape, labels: Mapping[str, str]) -> None:
        """Create the namespace, which takes no time; its pods are kept from owning the nodes they share."""
        all_labels = {**labels, _POD_SECURITY: shape.pod_security}
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": all_labels},
        }
        try:
            self._tools.run("kubectl", "create", "--filename=-", stdin=json.dumps(manifest, indent=1) + "\n")
        except ToolError as error:
            if re.search(r"already ?exists", error.said, re.IGNORECASE):
                raise Exists from None
            raise

    def delete(self, found: Found) -> None:
        """Ask for its removal, which ends what runs in it."""
        self._ask("delete", "namespace", found.name, "--ignore-not-found", "--wait=false")

    def renew(self, found: Found, expires: str) -> None:
        """Set its label."""
        self._ask("label", "namespace", found.name, f"expires={expires}", "--overwrite")

    def ours(self) -> list[Found]:
        """List those with our mark."""
        answer = self._ask("get", "namespaces", f"--selector={MARK}", "--output=json")
        return [_found(each) for each in (json.loads(answer)["items"] if answer else [])]

    def _ask(self, *words: str) -> str:
        return self._tools.ask("kubectl", *words, timeout=_ANSWER_SECONDS)


def _found(namespace: dict[str, Any]) -> Found:
    """Return a namespace's state; of one that doesn't end, what keeps it."""
    status = namespace.get("status", {})
    going = status.get("phase") == "Terminating"
    kept = [
        str(each.get("message"))
        for each in status.get("conditions", [])
        if each.get("status") == "True" and each.get("message")
    ]
    return Found(
        name=str(namespace["metadata"]["name"]),
        state=str(status.get("phase") or "Active"),
        phase="going" if going else "ready",
        labels=namespace["metadata"].get("labels") or {},
        remark="; ".join(kept),
    )
