"""Clusters of Google Kubernetes Engine, through gcloud.

Their states: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#status
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from steps.deploy.clusters import MARK, Exists, Found, Phase, Shape
from steps.deploy.names import address
from steps.errors import StepFailed
from steps.tools import ToolError, Tools
from steps.try_again import is_quota

_PHASES: Mapping[str, Phase] = {
    "PROVISIONING": "coming",
    "RUNNING": "ready",
    "RECONCILING": "ready",
    "DEGRADED": "ready",
    "STOPPING": "going",
    "ERROR": "broken",
}
_ANSWER_SECONDS = 180.0
_CREATE_SECONDS = 3600.0
NODES = "preflight-nodes"
"""The account that deploy/gcp/setup makes for nodes: logs, metrics, and reading images."""
_NO_ACCOUNT = re.compile(r"Service account .* does not exist|does not have access to service account")


class Gke:
    """The clusters of a project, in one zone or region or, where none is named, in all."""

    noun = "cluster"

    def __init__(self, tools: Tools, project: str, location: str) -> None:
        self._tools = tools
        self._once = Tools(dryrun=tools.dryrun, environ=tools.environ, tries=1)
        self._project = project
        self._location = location

    def look(self, name: str) -> Found | None:
        """Ask for the cluster; where there is none, for a creation that has begun."""
        try:
            answer = self._ask("clusters", "describe", name, "--format=json")
        except ToolError as error:
            if not re.search(rf"code=404, message=Not found: \S*/clusters/{name}\b", error.said):
                raise
            return self._on_its_way(name)
        return _found(json.loads(answer)) if answer else None

    def _on_its_way(self, name: str) -> Found | None:
        wanted = f'status!=DONE AND targetLink~"/clusters/{name}$"'
        running = self._ask("operations", "list", f"--filter={wanted}", "--format=json")
        kinds = [each.get("operationType", "") for each in json.loads(running or "[]")]
        if "CREATE_CLUSTER" in kinds:
            return Found(name, "about to be created", "coming", None, self._location)
        if "DELETE_CLUSTER" in kinds:
            return Found(name, "about to be gone", "going", None, self._location)
        return None

    def create(self, name: str, shape: Shape, labels: Mapping[str, str]) -> None:
        """Create it and wait until it runs; gcloud says how it goes.

        Its nodes have an account of their own, for pods can act as their node's, and the project's default
        account may do nearly all. No workload pool: it is the same for all clusters of a project, so whoever
        makes a namespace here would be whom the pool's members of that name are elsewhere.
        https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity#identity_sameness
        """
        account = shape.account or address(NODES, self._project)
        argv = [
            *("gcloud", "container", "clusters", "create", name),
            *self._where(self._location),
            f"--num-nodes={shape.nodes}",
            f"--labels={','.join(f'{key}={value}' for key, value in labels.items())}",
            f"--service-account={account}",
            *([f"--machine-type={shape.machine_type}"] if shape.machine_type else []),
            *(f"--accelerator={each}" for each in shape.accelerators),
            *([f"--cluster-version={shape.version}"] if shape.version else []),
            *(["--spot"] if shape.spot else []),
            "--quiet",
        ]
        try:
            self._once.run(*argv, timeout=_CREATE_SECONDS)
        except ToolError as error:
            if re.search(r"code=409|already ?exists", error.said, re.IGNORECASE):
                raise Exists from None
            if is_quota(error.said):
                raise StepFailed(
                    f"the project {self._project} has no quota left for this cluster: free some, ask for "
                    f"more, or take fewer or smaller nodes, or another region ({error})"
                ) from None
            if _NO_ACCOUNT.search(error.said):
                raise StepFailed(
                    f"the nodes can't have the account {account}: run deploy/gcp/setup, or name another with "
                    f"--node-account ({error})"
                ) from None
            raise

    def delete(self, found: Found) -> None:
        """Ask for its removal, which takes some minutes."""
        where = self._where(found.location or self._location)
        argv = ("gcloud", "container", "clusters", "delete", found.name, *where, "--async", "--quiet")
        try:
            self._once.ask(*argv, timeout=_ANSWER_SECONDS)
        except ToolError as error:
            if not re.search(r"code=404|not ?found", error.said, re.IGNORECASE):
                raise

    def renew(self, found: Found, expires: str) -> None:
        """Set its label; other labels stay."""
        where = self._where(found.location or self._location)
        labels = f"--update-labels=expires={expires}"
        self._tools.ask("gcloud", "container", "clusters", "update", found.name, *where, labels, "--quiet")

    def ours(self) -> list[Found]:
        """List those of the project with our mark, wherever they are."""
        answer = self._ask("clusters", "list", f"--filter=resourceLabels.{MARK}", "--format=json")
        return [_found(each) for each in json.loads(answer or "[]")]

    def _ask(self, *words: str) -> str:
        argv = ("gcloud", "container", *words, *self._where(self._location))
        return self._tools.ask(*argv, timeout=_ANSWER_SECONDS)

    def _where(self, location: str) -> tuple[str, ...]:
        return (f"--project={self._project}", *((f"--location={location}",) if location else ()))


def _found(described: dict[str, Any]) -> Found:
    """Return what gcloud described, as far as it matters here."""
    state = str(described.get("status", "STATUS_UNSPECIFIED"))
    return Found(
        name=str(described["name"]),
        state=state,
        phase=_PHASES.get(state, "coming"),
        labels=described.get("resourceLabels") or {},
        location=str(described.get("location") or described.get("zone") or ""),
        remark=str(described.get("statusMessage") or ""),
    )
