"""Downloads kubectl, helm and gcloud for the Airflow image, and installs what has the right checksum.

    python tools.py --into /opt/tools kubectl helm gcloud

Versions and checksums are here and nowhere else. To renew one, take both from its vendor: for kubectl the
`.sha256` beside the binary, for helm its release notes, for gcloud the page of versioned archives. Needs the
standard library only: it runs while the image is built.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS = 60.0
_CHUNK = 1 << 20
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class ToolNotInstalled(Exception):
    """A tool could not be had; the message says why."""


@dataclass(frozen=True)
class Tool:
    """One program at one version."""

    version: str
    url: str
    """With `{version}` and `{machine}`, as the vendor names machines."""
    sha256: Mapping[str, str]
    """By machine, as Debian names them: amd64, arm64."""
    program: str
    """Its path in the archive, with `{machine}`; what is fetched may also be the program itself."""
    machines: Mapping[str, str]
    """How the vendor names Debian's machines."""
    folder: bool = False
    """The whole archive is kept; all programs beside this one are put on PATH."""
    then: tuple[str, ...] = ()
    """What the installed program is run with before that, to complete itself."""


_DEBIANS_NAMES = {"amd64": "amd64", "arm64": "arm64"}
TOOLS = {
    "kubectl": Tool(
        version="1.35.1",
        url="https://dl.k8s.io/release/v{version}/bin/linux/{machine}/kubectl",
        sha256={
            "amd64": "36e2f4ac66259232341dd7866952d64a958846470f6a9a6a813b9117bd965207",
            "arm64": "706256e21a4e9192ee62d1a007ac0bfcff2b0b26e92cc7baad487a6a5d08ff82",
        },
        program="kubectl",
        machines=_DEBIANS_NAMES,
    ),
    "helm": Tool(
        version="3.18.4",
        url="https://get.helm.sh/helm-v{version}-linux-{machine}.tar.gz",
        sha256={
            "amd64": "f8180838c23d7c7d797b208861fecb591d9ce1690d8704ed1e4cb8e2add966c1",
            "arm64": "c0a45e67eef0c7416a8a8c9e9d5d2d30d70e4f4d3f7bea5de28241fffa8f3b89",
        },
        program="linux-{machine}/helm",
        machines=_DEBIANS_NAMES,
    ),
    "gcloud": Tool(
        version="542.0.0",
        url="https://dl.google.com/dl/cloudsdk/channels/rapid/downloads/google-cloud-sdk-{version}-linux-{machine}.tar.gz",
        sha256={
            "amd64": "6ac032650f507e61cf0b68a462be7e97edc9352cb3b95ce9a0d32cd8a4cfdfd5",
            "arm64": "6b732c2e38da8d03395688fd4460b6d28a63a6d6d140836f4ecc1eee198be5e7",
        },
        program="google-cloud-sdk/bin/gcloud",
        machines={"amd64": "x86_64", "arm64": "arm"},
        folder=True,
        # With it kubectl signs in to GKE. gcloud checks it by the list that belongs to its own version.
        then=("components", "install", "gke-gcloud-auth-plugin", "--quiet"),
    ),
}


def install(tool: Tool, name: str, into: Path, machine: str) -> Path:
    """Install one tool so that it is `into`/bin/`name`, and return that.

    Raises:
        ToolNotInstalled: it is not made for this machine, can't be fetched, is not what its checksum says, or
            could not complete itself.
    """
    if machine not in tool.sha256:
        raise ToolNotInstalled(f"{name} {tool.version} is not made for {machine}.")
    url = tool.url.format(version=tool.version, machine=tool.machines[machine])
    inside = tool.program.format(machine=tool.machines[machine])
    programs = into / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "download"
        digest = _download(url, file)
        if digest != tool.sha256[machine]:
            raise ToolNotInstalled(f"{url} has the checksum {digest}, should have {tool.sha256[machine]}.")
        if tool.folder:
            _unpack_all(tool, file, into / inside, programs, into)
        else:
            _unpack_one(file, inside, programs / name)
    return programs / name


def _download(url: str, file: Path) -> str:
    """Fetch it, and return its SHA-256."""
    digest = hashlib.sha256()
    try:
        with urlopen(url, timeout=_SECONDS) as response, file.open("wb") as target:  # noqa: S310 - our own table
            while chunk := response.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
    except OSError as error:
        raise ToolNotInstalled(f"{url} can't be fetched: {error}") from error
    return digest.hexdigest()


def _unpack_one(file: Path, inside: str, program: Path) -> None:
    if tarfile.is_tarfile(file):
        with tarfile.open(file) as archive:
            member = archive.extractfile(inside)
            if member is None:
                raise ToolNotInstalled(f"the archive holds no {inside}.")
            program.write_bytes(member.read())
    else:
        shutil.copyfile(file, program)
    program.chmod(0o755)


def _unpack_all(tool: Tool, file: Path, program: Path, programs: Path, into: Path) -> None:
    with tarfile.open(file) as archive:
        archive.extractall(into)  # noqa: S202 - its checksum is right, so it is what we know
    if tool.then:
        code = subprocess.run([program, *tool.then], check=False).returncode
        if code != 0:
            raise ToolNotInstalled(f"`{program.name} {' '.join(tool.then)}` ended with exit code {code}.")
    for beside in sorted(program.parent.iterdir()):
        if beside.is_file() and os.access(beside, os.X_OK):
            (programs / beside.name).symlink_to(beside)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what is named; returns the exit code."""
    parser = argparse.ArgumentParser(description="Install pinned tools.")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=", ".join(TOOLS))
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.tools) - set(TOOLS)):
        parser.error(f"no such tool: {', '.join(unknown)}; there are {', '.join(TOOLS)}")
    asked.into.mkdir(parents=True, exist_ok=True)
    machine = MACHINES.get(os.uname().machine, os.uname().machine)
    for name in asked.tools:
        try:
            install(TOOLS[name], name, asked.into, machine)
        except ToolNotInstalled as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(f"{name} {TOOLS[name].version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
