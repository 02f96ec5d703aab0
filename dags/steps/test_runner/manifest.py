"""The object that is run: what it may be, and what it is called."""

import re
from dataclasses import dataclass
from typing import Any

from steps.errors import StepFailed

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_GROUP_VERSION = re.compile(r"(?P<group>[a-z0-9.-]{1,253})/(?P<version>v[a-z0-9]{1,62})")
_KUBERNETES_OWN = re.compile(r"(.+\.)?k8s\.io")
_JOB = ("batch/v1", "Job")
_KEPT_SECONDS = 3600
_SLACK = 600


@dataclass(frozen=True)
class Manifest:
    """A Kubernetes Job or a custom resource, complete."""

    content: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its kind, as people call it."""
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        """Its own name."""
        return str(self.content["metadata"]["name"])

    @property
    def resource(self) -> str:
        """Its kind as kubectl can't mistake it: TFJob.v1.kubeflow.org."""
        group, _, version = str(self.content["apiVersion"]).partition("/")
        return f"{self.kind}.{version}.{group}"


def complete(content: dict[str, Any], *, name: str, namespace: str, timeout: float) -> Manifest:
    """Return what is run, after a look at what it is; `name` is the run's own.

    A Job also gets an end of its own, beyond `timeout` seconds, and is removed an hour after it, unless it
    says otherwise: should we be killed, it goes all the same.

    Raises:
        StepFailed: it is of no kind that can be run, or not named after the run.
    """
    _check_kind(content)
    given = content.get("metadata", {})
    if not isinstance(given, dict) or not isinstance(content.get("spec"), dict):
        raise StepFailed("the spec needs a mapping `spec`, and `metadata`, if it is there, must be one")
    own = given.get("name", name)
    if "generateName" in given or not isinstance(own, str) or name not in own:
        raise StepFailed(
            f"metadata.name has to hold ${{name}} (now {name!r}), so that runs don't meet; or leave it out"
        )
    if not _NAME.fullmatch(own):
        raise StepFailed(
            f"metadata.name {own!r} is no name: small letters, digits and '-', at most 63 of them"
        )
    if given.get("namespace", namespace) != namespace:
        raise StepFailed(
            f"metadata.namespace is {given['namespace']!r}, but the run's is {namespace!r}: leave it out"
        )
    labels = given.get("labels") or {}
    if not isinstance(labels, dict):
        raise StepFailed("metadata.labels must be a mapping")
    labels = {"app.kubernetes.io/managed-by": "preflight"} | labels
    metadata = given | {"name": own, "namespace": namespace, "labels": labels}
    return Manifest(content | {"metadata": metadata, "spec": _ending(content, timeout)})


def _check_kind(content: dict[str, Any]) -> None:
    version, kind = content.get("apiVersion"), content.get("kind")
    if (version, kind) == _JOB:
        return
    found = _GROUP_VERSION.fullmatch(version) if isinstance(version, str) else None
    custom = found is not None and "." in found["group"] and not _KUBERNETES_OWN.fullmatch(found["group"])
    if not custom or not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise StepFailed(
            f"{kind!r} of {version!r} can't be run as a test: only a Job of batch/v1, or a custom resource "
            "such as a TFJob of kubeflow.org/v1"
        )


def _ending(content: dict[str, Any], timeout: float) -> dict[str, Any]:
    spec: dict[str, Any] = content["spec"]
    if content["kind"] != "Job" or content["apiVersion"] != "batch/v1":
        return spec
    return {"ttlSecondsAfterFinished": _KEPT_SECONDS, "activeDeadlineSeconds": int(timeout) + _SLACK} | spec
