"""Which workloads on a cluster have our images, and how they get new ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LABEL = "app.kubernetes.io/part-of=preflight"
KINDS = ("deployments", "statefulsets", "cronjobs")
SCHEDULER = "airflow-scheduler"
STEPS_REPOSITORY = "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_REPOSITORY"
STEPS_TAG = "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_CONTAINER_TAG"
"""Where the scheduler has each step run in a pod of its own, these name the pod's image."""
_WITH_ROLLOUT = frozenset({"Deployment", "StatefulSet"})


@dataclass(frozen=True)
class Workload:
    """One that runs containers of our images."""

    kind: str
    name: str
    images: Mapping[str, str]
    """By container, init containers too: the image that it should have."""
    variables: Mapping[str, str]
    """In the environment of its containers: what should be changed there."""

    @property
    def reference(self) -> str:
        """How kubectl names it."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def rolls(self) -> bool:
        """Whether a change makes pods at once, for which one can wait."""
        return self.kind in _WITH_ROLLOUT


def workloads(listed: Mapping[str, Any], images: Mapping[str, str]) -> list[Workload]:
    """Those that have an image of ours, of what `kubectl get ... -o json` listed.

    `images`: by plain name (`preflight-bot`), the image that is wanted, with registry and tag.
    """
    found = []
    for item in listed.get("items", []):
        wanted = {
            container["name"]: images[name]
            for container in _containers(item)
            if (name := plain_name(container["image"])) in images
        }
        names = {one["name"] for container in _containers(item) for one in container.get("env", [])}
        variables = steps_variables(images["preflight-airflow"]) if STEPS_TAG in names else {}
        if wanted:
            found.append(Workload(item["kind"], item["metadata"]["name"], wanted, variables))
    return found


def steps_variables(image: str) -> dict[str, str]:
    """What has Airflow's KubernetesExecutor run steps in this image."""
    repository, _, tag = image.rpartition(":")
    return {STEPS_REPOSITORY: repository, STEPS_TAG: tag}


def plain_name(image: str) -> str:
    """An image's name without registry, tag and digest."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def kustomization(resource: str, rendered: str, images: Mapping[str, str]) -> str:
    """A kustomization of `resource`, which renders as `rendered`, with these images; as JSON, which is YAML.

    What names the steps' image is changed, too: kustomize does not see that it is one.
    """
    renamed = []
    for name, image in images.items():
        new_name, _, tag = image.rpartition(":")
        renamed.append({"name": name, "newName": new_name, "newTag": tag})
    return json.dumps(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [resource],
            "images": renamed,
            "patches": [_steps_patch(images["preflight-airflow"])] if STEPS_TAG in rendered else [],
        },
        indent=2,
    )


def _steps_patch(image: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in steps_variables(image).items()]
    spec = {"template": {"spec": {"containers": [{"name": "scheduler", "env": env}]}}}
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": SCHEDULER}, "spec": spec}
    return {"target": {"kind": "Deployment", "name": SCHEDULER}, "patch": json.dumps(patch)}


def _containers(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    spec = item["spec"]
    if item["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    yield from pod.get("initContainers", [])
    yield from pod.get("containers", [])
