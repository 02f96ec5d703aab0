"""What podman plays of deployment.yaml: the same pods, less what `podman kube play` can't do.

Of podman 4.3: it knows no Services (a pod's network aliases stand in for them), takes each Deployment as one
pod, starts init containers anew for ever unless their pod restarts on failure only, crashes on volumes of
Secrets (ConfigMaps stand in for them), shares the emptyDirs of all pods that have one name, loses the owner
of a mount point behind the link /var/run, and publishes every port on the machine. All else stays as shipped.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")
_CERTIFICATES = "/run/github-ca"
_NOT_PLAYED = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


@dataclass(frozen=True)
class Manifests:
    """The documents of deployment.yaml."""

    documents: list[dict[str, Any]]

    @classmethod
    def read(cls, file: Path) -> Manifests:
        """Read them."""
        return cls(list(yaml.safe_load_all(file.read_text())))

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """Those of one kind, by name."""
        return {one["metadata"]["name"]: one for one in self.documents if one["kind"] == kind}

    def with_config(self, name: str, changes: Mapping[str, str]) -> Manifests:
        """With other values in a ConfigMap: what every installation sets for itself."""
        changed = copy.deepcopy(self)
        changed.of_kind("ConfigMap")[name]["data"].update(changes)
        return changed

    def with_images(self, images: Mapping[str, str]) -> Manifests:
        """With other images, by the plain name of those that are shipped."""
        changed = copy.deepcopy(self)
        for container in changed.containers():
            plain = container["image"].partition(":")[0]
            container["image"] = images.get(plain, container["image"])
        return changed

    def trusting(self, certificate: str) -> Manifests:
        """With a certificate that programs trust, as for a company's own GitHub behind its own authority."""
        changed = copy.deepcopy(self)
        changed.documents.append(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "github-ca"},
                "data": {"ca.pem": certificate},
            }
        )
        for deployment in changed.of_kind("Deployment").values():
            pod = deployment["spec"]["template"]["spec"]
            pod.setdefault("volumes", []).append({"name": "github-ca", "configMap": {"name": "github-ca"}})
        for container in changed.containers():
            mount = {"name": "github-ca", "mountPath": _CERTIFICATES, "readOnly": True}
            container.setdefault("volumeMounts", []).append(mount)
            variables = [{"name": name, "value": f"{_CERTIFICATES}/ca.pem"} for name in CERTIFICATE_VARIABLES]
            container.setdefault("env", []).extend(variables)
        return changed

    def with_secrets(self, folder: Path) -> Manifests:
        """With ConfigMaps in place of Secrets: of the files in `folder`/SECRET/KEY, as kubectl does."""
        changed = copy.deepcopy(self)
        for secret in sorted(folder.iterdir()):
            data = {file.name: file.read_text() for file in sorted(secret.iterdir())}
            changed.documents.append(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": secret.name}, "data": data}
            )
        for deployment in changed.of_kind("Deployment").values():
            for volume in deployment["spec"]["template"]["spec"].get("volumes", []):
                if source := volume.pop("secret", None):
                    items = {"items": source["items"]} if "items" in source else {}
                    volume["configMap"] = {"name": source["secretName"], **items}
        for container in changed.containers():
            for variable in container.get("env", []):
                if reference := variable.get("valueFrom", {}).pop("secretKeyRef", None):
                    variable["valueFrom"]["configMapKeyRef"] = reference
        return changed

    def images(self) -> set[str]:
        """All images of Deployments."""
        return {container["image"] for container in self.containers()}

    def aliases(self, deployment: str) -> list[str]:
        """The names of the Services that lead to a Deployment's pods."""
        labels = self.of_kind("Deployment")[deployment]["spec"]["template"]["metadata"]["labels"]
        return [
            name
            for name, service in self.of_kind("Service").items()
            if service["spec"].get("selector", {}).items() <= labels.items()
        ]

    def playable(self, deployment: str) -> str:
        """One Deployment with all ConfigMaps, as `podman kube play` takes it."""
        played = copy.deepcopy(self.of_kind("Deployment")[deployment])
        played["spec"]["replicas"] = 1
        pod = played["spec"]["template"]["spec"]
        if "initContainers" in pod:
            pod["restartPolicy"] = "OnFailure"
        own = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        for volume in pod["volumes"]:
            if volume["name"] in own:
                volume.update(name=f"{deployment}-{volume['name']}", emptyDir={})
        for container in (*pod.get("initContainers", []), *pod["containers"]):
            for name in _NOT_PLAYED:
                container.pop(name, None)
            for mount in container["volumeMounts"]:
                mount["mountPath"] = mount["mountPath"].replace("/var/run/", "/run/")
                if mount["name"] in own:
                    mount["name"] = f"{deployment}-{mount['name']}"
        return yaml.safe_dump_all([*self.of_kind("ConfigMap").values(), played])

    def containers(self) -> Iterator[dict[str, Any]]:
        """All containers of Deployments, those of the beginning too."""
        for deployment in self.of_kind("Deployment").values():
            pod = deployment["spec"]["template"]["spec"]
            yield from pod.get("initContainers", [])
            yield from pod["containers"]
