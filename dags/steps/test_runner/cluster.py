"""What is asked of the cluster, by kubectl."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from steps.errors import StepFailed
from steps.test_runner.manifest import Manifest
from steps.tools import Tools

_ANSWER_SECONDS = 60.0
_REMOVAL_SECONDS = 120
_HURRY_SECONDS = 1.8
"""A step that is cancelled is killed 3 s later."""

Object = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """One object of one namespace, and what belongs to it."""

    tools: Tools
    namespace: str
    manifest: Manifest

    def apply(self) -> None:
        """Make the object."""
        document = json.dumps(self.manifest.content, indent=2)
        self.tools.run(
            "kubectl", "apply", *self._where, "--filename=-", stdin=f"{document}\n", timeout=_ANSWER_SECONDS
        )

    def remove(self, *, hurry: bool = False) -> None:
        """Remove the object, and wait until it is gone, unless there is a hurry; if it is gone, well."""
        name = (self.manifest.resource, self.manifest.name)
        argv = ("kubectl", "delete", *name, *self._where, "--ignore-not-found")
        if hurry:
            self._once.run(*argv, "--wait=false", timeout=_HURRY_SECONDS)
        else:
            how = ("--cascade=foreground", f"--timeout={_REMOVAL_SECONDS}s")
            self.tools.run(*argv, *how, timeout=_REMOVAL_SECONDS + _ANSWER_SECONDS)

    def object(self) -> Object:
        """Return the object as it is; empty when it is gone, and in a dry run."""
        name = (self.manifest.resource, self.manifest.name)
        return self._read("get", *name, "--ignore-not-found")

    def pods(self, content: Object) -> list[Object]:
        """Return the pods that the object (as it is) has made, itself or through others."""
        uid = content.get("metadata", {}).get("uid", "")
        return [pod for pod in self._items("pods") if self._is_its(pod, uid)]

    def events(self, pods: list[Object]) -> list[Object]:
        """Return what is told of the object and its pods."""
        names = {self.manifest.name, *(pod["metadata"]["name"] for pod in pods)}
        return [
            event for event in self._items("events") if event.get("involvedObject", {}).get("name") in names
        ]

    def log(self, pod: str, container: str, *, since: str, previous: bool, most: int) -> str:
        """Return what a container has printed, each line after its time."""
        options = [f"--container={container}", "--timestamps", f"--limit-bytes={most}"]
        if since:
            options.append(f"--since-time={since}")
        if previous:
            options.append("--previous")
        return self._once.ask("kubectl", "logs", pod, *self._where, *options, timeout=_ANSWER_SECONDS)

    @property
    def _once(self) -> Tools:
        """The same tools, asked only once."""
        return Tools(environ=self.tools.environ, tries=1)

    @property
    def _where(self) -> tuple[str]:
        return (f"--namespace={self.namespace}",)

    def _is_its(self, pod: Object, uid: str) -> bool:
        """By its owner, or by a label that holds the object's name: Jobs, Kubeflow and others set one."""
        metadata = pod["metadata"]
        owners = [owner.get("uid") for owner in metadata.get("ownerReferences") or []]
        return (bool(uid) and uid in owners) or self.manifest.name in (metadata.get("labels") or {}).values()

    def _items(self, kind: str) -> Iterator[Object]:
        for item in self._read("get", kind).get("items") or []:
            if isinstance(item, dict) and isinstance(item.get("metadata"), dict):
                yield item

    def _read(self, *argv: str) -> Object:
        answer = self.tools.ask("kubectl", *argv, *self._where, "--output=json", timeout=_ANSWER_SECONDS)
        try:
            content = json.loads(answer or "{}")
        except ValueError:
            raise StepFailed(f"kubectl {' '.join(argv)} answers what is no JSON: {answer[:200]!r}") from None
        return content if isinstance(content, dict) else {}
