"""`python -m tests.images.prepare`: see that podman can be used here, or install it with apt-get.

Exit code 0 when it can, 3 when not: then nothing was tested, and the message says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = (
    "podman",
    "buildah",
    "runc",  # crun, which podman prefers, doesn't start on machines with both kinds of cgroups
    "catatonit",  # the first process of a pod
    "netavark",
    "aardvark-dns",  # names of pods
    "iptables",
    "debootstrap",  # makes a base image where none can be pulled
)
PROGRAMS = ("podman", "runc", "iptables")
CANNOT = 3


def missing_packages() -> list[str]:
    """Those that aren't installed, on a system with dpkg."""
    return [
        name for name in PACKAGES if not _succeeds("dpkg-query", "--show", "--showformat=${Version}", name)
    ]


def why_not() -> str | None:
    """Why images can't be tried out here, after installing what may be installed; None if they can."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.geteuid() != 0:
        return "it needs root: podman makes networks, and volumes of several users"
    if shutil.which("apt-get") is None:
        lacking = [name for name in PROGRAMS if shutil.which(name) is None]
        return f"{', '.join(lacking)} missing, and there is no apt-get to install it" if lacking else None
    if missing := missing_packages():
        print(f"test-deploy: installing {' '.join(missing)} with apt-get ...", flush=True)  # noqa: T201 - a command line speaks
        for command in (("update",), ("install", "--yes", "--no-install-recommends", *missing)):
            if not _apt(*command):
                return f"`apt-get {' '.join(command)}` failed, as it says above"
    return None


def _apt(*arguments: str) -> bool:
    options = ("--quiet=2", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *options, *arguments], env=environ, check=False).returncode == 0


def _succeeds(*command: str) -> bool:
    quiet = subprocess.DEVNULL
    return subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode == 0


def main() -> int:
    """Prepare; returns the exit code."""
    why = why_not()
    if why is None:
        return 0
    print(f"test-deploy: nothing was tested: {why}.", file=sys.stderr)  # noqa: T201 - likewise
    return CANNOT


if __name__ == "__main__":
    sys.exit(main())
