"""A container engine that runs containers: docker or podman, where one is there and works."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.images import engine
from deploy.images.engine import succeeds

NAMES = ("docker", "podman")


@dataclass(frozen=True)
class Engine:
    """One that answered."""

    name: str

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        return succeeds([self.name, "image", "inspect", image])

    def is_running(self, container: str) -> bool:
        """Whether a container of that name is there."""
        return succeeds([self.name, "container", "inspect", container])

    def make_network(self, name: str) -> None:
        """Make the network, unless it is there; the error of making it shows when it is used."""
        if not succeeds([self.name, "network", "inspect", name]):
            succeeds([self.name, "network", "create", name])


def find_engine() -> Engine | None:
    """The first engine that answers."""
    found = engine.find_engine(NAMES)
    return None if found is None else Engine(found.name)
