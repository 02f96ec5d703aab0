"""podman with settings, images and containers of its own below one folder; none is the machine's."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.make import own_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_CONTAINERS = """\
[containers]
# What podman would ask for is more than a container in a container may have.
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{run}/engine"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{run}/storage"
"""
_REGISTRIES = """\
unqualified-search-registries = ["docker.io"]
"""
_SECONDS = 600


class PodmanError(Exception):
    """podman failed; the message is what it said."""


@dataclass(frozen=True)
class Podman:
    """The podman of one folder."""

    folder: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment in which `podman` and `make build` use it."""
        return own_environment() | {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
        }

    def run(self, *arguments: str | Path, given: str = "", errors: bool = False) -> str:
        """Run it with something `given` on its standard input, and return what it printed; its `errors`, too.

        Raises:
            PodmanError: it failed.
        """
        done = subprocess.run(
            ["podman", *arguments],
            input=given,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise PodmanError(f"podman {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}".strip())
        return (done.stdout + (done.stderr if errors else "")).strip()

    def has_image(self, image: str) -> bool:
        """Whether the image is in the store."""
        try:
            self.run("image", "exists", image)
        except PodmanError:
            return False
        return True

    def pull(self, image: str) -> bool:
        """Fetch the image; False where its registry is not reached, or has none."""
        try:
            self.run("pull", "--quiet", image)
        except PodmanError:
            return False
        return True

    def remove_all(self) -> None:
        """Remove all but images: also what a run left that was killed."""
        for what in (("pod", "rm"), ("rm",), ("volume", "rm")):
            self.run(*what, "--all", "--force")
        self.run("secret", "rm", "--all")
        self.run("network", "prune", "--force")


@contextlib.contextmanager
def own_podman(folder: Path) -> Iterator[Podman]:
    """The podman of this folder, for one process at a time; another waits. Nothing runs afterwards."""
    (folder / "networks").mkdir(parents=True, exist_ok=True)
    # Its sockets' paths must be short, and it's for this boot of the machine only.
    run = f"/run/preflight-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    for name, text in (
        ("containers.conf", _CONTAINERS),
        ("storage.conf", _STORAGE),
        ("registries.conf", _REGISTRIES),
    ):
        (folder / name).write_text(text.format(folder=folder, run=run))
    podman = Podman(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        podman.remove_all()
        try:
            yield podman
        finally:
            podman.remove_all()
            shutil.rmtree(run, ignore_errors=True)
