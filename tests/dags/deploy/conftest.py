"""The commands of steps.deploy, run here against the stand-ins."""

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from steps.cases import Cases
from steps.deploy.__main__ import COMMANDS
from steps.program import Step
from steps.tools import Tools
from tests.dags.tools.stand_ins import StandIns

PROJECT, ZONE = "my-project", "us-central1-a"
TARGETS = {
    "gke": ("--cluster=c1", f"--project={PROJECT}", f"--zone={ZONE}"),
    "kind": ("--provider=kind", "--cluster=c1"),
    "current": ("--provider=current", "--cluster=c1"),
}
"""The options that name the cluster c1, by provider."""


@pytest.fixture
def stand_ins(tmp_path: Path) -> StandIns:
    return StandIns.install(tmp_path / "tools")


@dataclass
class Deploy:
    """Runs commands as the program does; keeps what they pushed, checked and waited for."""

    stand_ins: StandIns
    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    """The pauses before programs were asked again: nobody waits for them here."""
    cases: Cases = field(default_factory=lambda: Cases("deploy"))

    def __call__(self, name: str, *argv: str, dryrun: bool = False) -> Any:  # noqa: ANN401 - what the command returns
        """Run one command; raises what it raises."""
        command = next(each for each in COMMANDS if each.name == name)
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        args = parser.parse_args(["--poll=0", *argv] if name != "test" else argv)
        environ = {"PATH": self.stand_ins.path, "HOME": str(self.home), **self.environ}
        tools = Tools(dryrun=dryrun, environ=environ, pause=self.pauses.append)
        return command.run(args, Step(tools=tools, cases=self.cases, dryrun=dryrun))

    def asked(self) -> list[str]:
        """Return what was asked for that changes something, as verbs in order."""
        verbs = []
        for call in self.stand_ins.calls():
            words = [word for word in call.argv if not word.startswith("-")]
            verbs.append(words[2] if call.program == "gcloud" else words[0])
        return [verb for verb in verbs if verb not in {"describe", "get", "list"}]

    def there(
        self,
        provider: str = "gke",
        *,
        state: str = "",
        looks: int = 0,
        name: str = "c1",
        labels: dict[str, str] | None = None,
    ) -> None:
        """Put a cluster (or namespace) there, with labels of ours unless others are given.

        `state` is one of GKE's, or Terminating; `looks` is how often it is seen before it has changed.
        """
        ours = {"created-by": "preflight", "run": "r1", "expires": f"{time.time() + 14_400:.0f}"}
        held = ours if labels is None else labels
        spaces = {each: {"labels": {}, "phase": "Active"} for each in ("default", "kube-system")}
        kube: dict[str, Any] = {"namespaces": spaces, "objects": {}, "releases": {}}
        with self.stand_ins.change() as cloud:
            if provider == "gke":
                kinds = {"PROVISIONING": "CREATE_CLUSTER", "STOPPING": "DELETE_CLUSTER"}
                operation = f"operation-{name}" if state in kinds else ""
                cloud["operations"][operation] = {"type": kinds.get(state), "target": name}
                where = {"project": PROJECT, "location": ZONE, "operation": operation}
                cloud["gke"][name] = where | {"labels": held, "status": state or "RUNNING", "looks": looks}
                cloud["kube"][f"gke_{PROJECT}_{ZONE}_{name}"] = kube
            elif provider == "kind":
                node = {"kind": "Node", "metadata": {"name": "n", "labels": held}}
                cloud["kind"][name] = {"labels": held}
                cloud["kube"][f"kind-{name}"] = kube | {"objects": {"/node/n": {"object": node, "looks": 0}}}
            else:
                space = {"labels": held, "phase": state or "Active", "looks": looks}
                cloud["kube"]["current"]["namespaces"][name] = space


@pytest.fixture
def deploy(stand_ins: StandIns, tmp_path: Path) -> Deploy:
    home = tmp_path / "home"
    home.mkdir()
    return Deploy(stand_ins, home)


def labels_of(stand_ins: StandIns, provider: str, name: str = "c1") -> dict[str, str]:
    """Return the labels of what is there."""
    cloud = stand_ins.cloud
    held = cloud["kube"]["current"]["namespaces"] if provider == "current" else cloud[provider]
    labels: dict[str, str] = held[name]["labels"]
    return labels


@pytest.fixture
def environment(tmp_path: Path, environment: dict[str, str], stand_ins: StandIns) -> dict[str, str]:
    """What a binary sees, with the stand-ins on its PATH."""
    home = tmp_path / "own-home"
    home.mkdir()
    return environment | {"PATH": stand_ins.path, "HOME": str(home)}
