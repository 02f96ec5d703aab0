"""deployment.yaml's pods, played by podman on a network of their own, where they find each other by name."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.images.podman import PodmanError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.manifests import Manifests
    from tests.images.podman import Podman

NETWORK = "preflight"
_FIRST_ADDRESS = 10


@dataclass(frozen=True)
class Network:
    """Where the pods are, and we."""

    gateway: str
    """Our own address there; it is up as soon as a pod is."""
    subnet: str

    def address(self, number: int) -> str:
        """The fixed address of the pod with this number."""
        return str(ipaddress.ip_network(self.subnet)[_FIRST_ADDRESS + number])


def make_network(podman: Podman) -> Network:
    """Make the pods' network, in a range of addresses that is free here."""
    podman.run("network", "create", NETWORK)
    (subnet,) = json.loads(podman.run("network", "inspect", NETWORK))[0]["subnets"]
    return Network(subnet["gateway"], subnet["subnet"])


class Cluster:
    """The pods that are played."""

    def __init__(self, podman: Podman, network: Network, folder: Path) -> None:
        self._podman = podman
        self._network = network
        self._folder = folder
        self._numbers: dict[str, int] = {}

    def address(self, deployment: str) -> str:
        """The address at which the pod of a Deployment is, or will be."""
        return self._network.address(self._numbers.setdefault(deployment, len(self._numbers)))

    def play(self, manifests: Manifests, deployment: str) -> None:
        """Start the pod of a Deployment; its init containers have ended when this returns."""
        file = self._folder / f"{deployment}.yaml"
        file.touch(mode=0o600)
        file.write_text(manifests.playable(deployment))
        aliases = ",".join(f"alias={name}" for name in manifests.aliases(deployment))
        try:
            self._podman.run(
                *("kube", "play", "--quiet", f"--ip={self.address(deployment)}"),
                f"--network={NETWORK}" + (f":{aliases}" if aliases else ""),
                file,
            )
        except PodmanError as error:
            raise PodmanError(f"{error}\n{self.story()}") from error

    def succeeds(self, container: str, *command: str) -> bool:
        """Whether a command that is run in a container ends with exit code 0."""
        try:
            self.exec(container, *command)
        except PodmanError:
            return False
        return True

    def containers(self) -> dict[str, dict[str, object]]:
        """All containers as `podman inspect` describes them, by name."""
        names = self._podman.run("ps", "--all", "--no-trunc", "--format={{.Names}}").split()
        return {one["Name"]: one for one in json.loads(self._podman.run("inspect", *names))} if names else {}

    def exec(self, container: str, *command: str) -> str:
        """What a command prints that is run in a container."""
        return self._podman.run("exec", container, *command)

    def story(self, lines: int = 40) -> str:
        """The ends of all containers' logs, to explain a failure."""
        return "\n".join(
            f"==== {name}\n{self._podman.run('logs', f'--tail={lines}', name, errors=True)}"
            for name in self.containers()
        )
