"""The manifests as Kubernetes would get them, each kustomization rendered once."""

from __future__ import annotations

import functools
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from deploy.kustomize.render import DEPLOYMENT, HERE, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REQUIRED = "PREFLIGHT_REQUIRE_KUBECTL"
"""Set, it makes a failure of what is skipped where there is no kubectl."""
OVERLAYS = ("external-postgres", "high-availability", "kubernetes-executor", "pubsub", "workload-identity")
FOLDERS: Mapping[str, Path] = {"base": HERE / "base"} | {name: HERE / "overlays" / name for name in OVERLAYS}


@dataclass(frozen=True)
class Workload:
    """What runs pods: a Deployment, a CronJob, or the template of the steps' pods."""

    name: str
    kind: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Its containers and those that run before them."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """What its containers listen on, by name."""
        return {
            port["name"]: port["containerPort"] for one in self.containers for port in one.get("ports", [])
        }


@dataclass(frozen=True)
class Manifests:
    """All documents of one kustomization."""

    documents: tuple[dict[str, Any], ...]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Those of a kind, by name."""
        return {one["metadata"]["name"]: one for one in self.documents if one["kind"] == kind}

    @property
    def workloads(self) -> list[Workload]:
        """All that runs pods."""
        found = [_workload(one, one["spec"]["template"]) for one in self.of("Deployment").values()]
        jobs = self.of("CronJob").values()
        found += [_workload(one, one["spec"]["jobTemplate"]["spec"]["template"]) for one in jobs]
        return found + [_workload(pod, pod) for pod in self.pod_templates]

    @property
    def pod_templates(self) -> list[dict[str, Any]]:
        """Pods that Airflow makes: they are in a ConfigMap, as text."""
        files = (file for one in self.of("ConfigMap").values() for file in sorted(one["data"].items()))
        return [yaml.safe_load(text) for name, text in files if name.startswith("pod-template")]

    def workload(self, name: str) -> Workload:
        """The one of that name."""
        (found,) = [one for one in self.workloads if one.name == name]
        return found

    def selected(self, selector: Mapping[str, Any]) -> list[Workload]:
        """Whose pods a label selector finds."""
        return [one for one in self.workloads if matches(selector, one.labels)]

    def strings(self) -> Iterator[str]:
        """Every value in every document."""
        for document in self.documents:
            yield from _strings(document)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector finds what has these labels; one that says nothing finds all."""
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions), "teach this function the operator"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


@functools.cache
def manifests(name: str) -> Manifests:
    """The base or an overlay, by name; without kubectl only the base, as it was rendered last."""
    if name == "base" and shutil.which("kubectl") is None:
        return Manifests(tuple(yaml.safe_load_all(DEPLOYMENT.read_text())))
    needs_kubectl()
    return Manifests(tuple(yaml.safe_load_all(render(FOLDERS[name]))))


def needs_kubectl() -> None:
    """Skip the test where there is no kubectl, or fail where one is required."""
    if shutil.which("kubectl") is None:
        missing = "no kubectl on PATH: it renders the overlays (no cluster is needed)"
        pytest.fail(missing) if os.environ.get(REQUIRED) else pytest.skip(missing)


def _workload(document: dict[str, Any], pod: dict[str, Any]) -> Workload:
    return Workload(document["metadata"]["name"], document["kind"], pod["metadata"]["labels"], pod["spec"])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, str):
        yield value
