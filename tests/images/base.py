"""The images to begin with, Debian's and PostgreSQL's: pulled, or made from Debian's packages."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.images.podman import Podman

DEBIAN = "docker.io/library/debian:bookworm-slim"
SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP_CONF = Path("/etc/pip.conf")
# What Debian's slim images leave out, too.
_SLIM = ("doc", "groff", "info", "linda", "lintian", "locale", "man")
_HERE = Path(__file__).parent


class BaseImageError(Exception):
    """The base image can neither be pulled nor made; the message says why."""


def debian(podman: Podman) -> None:
    """See that there is Debian's image in the store.

    Raises:
        BaseImageError: it can neither be pulled nor made.
    """
    if podman.has_image(DEBIAN) or podman.pull(DEBIAN):
        return
    sources = debian_sources(_apt_sources())
    mirror = next((uri for uri, suite in sources if suite == SUITES[0]), None)
    if mirror is None:
        raise BaseImageError(
            f"{DEBIAN} can't be pulled, and apt here has no mirror of bookworm to make it from."
        )
    rootfs = podman.folder / "rootfs"
    _run("rm", "-rf", "--one-file-system", rootfs)
    _run("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITES[0], rootfs, mirror)
    slim(rootfs, sources)
    archive = podman.folder / "rootfs.tar"
    _run("tar", "-C", rootfs, "-cf", archive, ".")
    podman.run("import", "--quiet", archive, DEBIAN)
    archive.unlink()
    _run("rm", "-rf", "--one-file-system", rootfs)


def postgres(podman: Podman, image: str) -> None:
    """See that there is an image of this name in the store: PostgreSQL's, or one that takes its settings."""
    if not podman.pull(image):
        podman.run("build", "--quiet", "--pull=never", f"--tag={image}", _HERE / "postgres")


def debian_sources(files: Iterable[str]) -> list[tuple[str, str]]:
    """Mirror and suite of this machine's sources, of those that Debian's image has.

    Reads both formats of sources.list(5): a line for each, and stanzas.
    """
    found = []
    for text in files:
        found += re.findall(r"^deb (?:\[[^]]*\] )?(http\S+) (\S+)", text, flags=re.MULTILINE)
        for stanza in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^(URIs|Suites|Types): *(.*)$", stanza, flags=re.MULTILINE))
            if "deb" in fields.get("Types", "").split():
                found += [
                    (uri, suite) for uri in fields["URIs"].split() for suite in fields["Suites"].split()
                ]
    return [(uri, suite) for uri, suite in found if suite in SUITES]


def slim(rootfs: Path, sources: Iterable[tuple[str, str]]) -> None:
    """Make of a debootstrapped system what Debian's slim image is."""
    excludes = "".join(f"path-exclude /usr/share/{name}/*\n" for name in _SLIM)
    (rootfs / "etc/dpkg/dpkg.cfg.d/slim").write_text(excludes)
    lines = "".join(f"deb {uri} {suite} main\n" for uri, suite in sources)
    (rootfs / "etc/apt/sources.list").write_text(lines)
    (rootfs / "etc/apt/apt.conf.d/proxy").write_text(_apt_proxies())
    unwanted = [f"usr/share/{name}" for name in _SLIM]
    unwanted += ["var/cache/apt/archives", "var/lib/apt/lists"]
    for folder in unwanted:
        if (rootfs / folder).is_dir():
            _run("find", rootfs / folder, "-mindepth", "1", "-delete")


def build_options(folder: Path) -> list[str]:
    """What makes pip in a build trust whom this machine trusts, and ask the package index that it asks."""
    if not CERTIFICATES.exists():
        return []
    inside = "/run/host-certificates.crt"
    pip = configparser.ConfigParser(interpolation=None)
    pip["global"] = {"cert": inside} | _pip_index()
    with (folder / "pip.conf").open("w") as file:
        pip.write(file)
    (folder / "pip.conf").chmod(0o644)
    return [f"--volume={CERTIFICATES}:{inside}:ro", f"--volume={folder / 'pip.conf'}:{_PIP_CONF}:ro"]


def _pip_index() -> dict[str, str]:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read([_PIP_CONF, Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"])
    url: str = os.environ.get("PIP_INDEX_URL", "") or settings.get("global", "index-url", fallback="")
    return {"index-url": url} if url.startswith("http") else {}


def _apt_sources() -> list[str]:
    folder = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *folder.glob("*.list"), *folder.glob("*.sources")]
    return [file.read_text() for file in files if file.is_file()]


def _apt_proxies() -> str:
    settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(
        line for line in settings.splitlines(keepends=True) if re.match(r"Acquire::https?::Proxy ", line)
    )


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise BaseImageError(f"{' '.join(map(str, command))}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
