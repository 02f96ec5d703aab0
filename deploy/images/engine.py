"""What builds and pushes images: docker, podman or buildah, whichever is there and works."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

NAMES = ("docker", "podman", "buildah")
_SECONDS = 20


@dataclass(frozen=True)
class Engine:
    """One that answered."""

    name: str

    def build(
        self,
        image: str,
        target: str,
        arguments: Mapping[str, str],
        options: Sequence[str],
        context: Path,
    ) -> list[str]:
        """The command that builds a target of the Dockerfile; `arguments` without a value are left out."""
        command = [self.name, "build", f"--target={target}", f"--tag={image}"]
        if self.name != "docker":
            command.append("--format=docker")  # OCI's own format has no place for a health check
        if self.name == "buildah":
            command.append("--layers")
        command += [f"--build-arg={name}={value}" for name, value in arguments.items() if value]
        return [*command, *options, str(context)]

    def pull(self, image: str) -> list[str]:
        """The command that fetches an image."""
        return [self.name, "pull", image]

    def has(self, image: str) -> list[str]:
        """The command that succeeds where the image is on this machine."""
        if self.name == "buildah":
            return [self.name, "inspect", "--type=image", image]
        return [self.name, "image", "inspect", image]

    def tag(self, image: str, name: str) -> list[str]:
        """The command that gives an image another name."""
        return [self.name, "tag", image, name]

    def push(self, image: str) -> list[str]:
        """The command that sends an image to the registry that its name begins with."""
        return [self.name, "push", image]


def succeeds(command: Sequence[str]) -> bool:
    """Whether the command is there and succeeds within some seconds; what it says is lost."""
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


def find_engine(
    names: Sequence[str] = NAMES, answers: Callable[[Sequence[str]], bool] = succeeds
) -> Engine | None:
    """The first that answers: a docker client without an engine behind it does not count."""
    return next((Engine(name) for name in names if answers([name, "info"])), None)
