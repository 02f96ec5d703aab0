"""The merged tree as one file: packed once, unpacked by every step, pruned when too old to resume from."""

import contextlib
import os
import secrets
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "source.tar.gz"
KEPT_DAYS = 7
_PARTIAL = ".source-"


class ArchiveError(Exception):
    """An archive can't be used; the message says why and what to do."""


def pack(tree: Path, archive: Path, labels: Mapping[str, str]) -> None:
    """Write `tree` to `archive` in one go: nobody ever sees half of it. `labels` say what it holds."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.parent / f"{_PARTIAL}{secrets.token_hex(8)}.tmp"
    try:
        with tarfile.open(partial, "w:gz", compresslevel=1, pax_headers=dict(labels)) as tar:
            tar.add(tree, arcname=".", filter=_anonymous)
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)


def labels_of(archive: Path) -> Mapping[str, str]:
    """Return the labels that `archive` was packed with; none when it isn't there or isn't ours."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.next()
            return dict(tar.pax_headers)
    except (OSError, EOFError, tarfile.TarError):
        return {}


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`; nothing is ever written outside of it.

    Raises:
        ArchiveError: the archive is gone or broken.
    """
    outward: list[tuple[Path, str]] = []

    def safe(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
        try:
            return tarfile.data_filter(member, path)
        except (tarfile.AbsoluteLinkError, tarfile.LinkOutsideDestinationError):
            if member.issym() and _inside(member.name):
                outward.append((Path(path, member.name), member.linkname))
                return None
            raise

    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter=safe)  # noqa: S202 - `safe` is the standard library's data filter
        for link, target in outward:  # last, so that nothing can have been written through them
            link.symlink_to(target)
    except FileNotFoundError:
        raise ArchiveError(
            f"the merged tree {archive} is gone (it is kept for {KEPT_DAYS} days): start the pipeline anew"
        ) from None
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ArchiveError(f"the merged tree {archive} can't be unpacked: {error}") from error


def prune(root: Path, *, seconds: float = 2.0) -> int:
    """Remove archives below `root` that are older than KEPT_DAYS; returns how many.

    Takes `seconds` at most, in random order, so that each call gets somewhere else in a long history.
    Never raises: housekeeping fails no step.
    """
    oldest = time.time() - KEPT_DAYS * 86_400
    deadline = time.monotonic() + seconds
    removed = 0
    with contextlib.suppress(OSError):
        for file in _archives(root, deadline):
            with contextlib.suppress(OSError):
                if file.stat(follow_symlinks=False).st_mtime < oldest:
                    file.unlink()
                    removed += 1
    return removed


def _archives(root: Path, deadline: float) -> Iterator[Path]:
    folders = [root]
    while folders and time.monotonic() < deadline:
        here = folders.pop(secrets.randbelow(len(folders)))
        with contextlib.suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and entry.name != "artifacts":
                    folders.append(Path(entry.path))
                elif entry.name == NAME or entry.name.startswith(_PARTIAL):
                    yield Path(entry.path)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


def _inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")
