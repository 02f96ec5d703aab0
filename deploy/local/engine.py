"""A container engine: docker or podman, where one is there and works."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("docker", "podman")
_SECONDS = 15


@dataclass(frozen=True)
class Engine:
    """One that answered."""

    name: str

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        return _succeeds([self.name, "image", "inspect", image])

    def is_running(self, container: str) -> bool:
        """Whether a container of that name is there."""
        return _succeeds([self.name, "container", "inspect", container])

    def make_network(self, name: str) -> None:
        """Make the network, unless it is there; the error of making it shows when it is used."""
        if not _succeeds([self.name, "network", "inspect", name]):
            _succeeds([self.name, "network", "create", name])


def find_engine() -> Engine | None:
    """The first engine that answers: a docker client without an engine behind it does not count."""
    return next((Engine(name) for name in NAMES if _succeeds([name, "info"])), None)


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
