"""The merged tree as one file: packed once, unpacked by every step, pruned when too old to resume from."""

import contextlib
import os
import secrets
import shutil
import stat
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from steps.errors import StepFailed

NAME = "source.tar.gz"
CHARTS = "charts"
"""The folder beside it for charts that were packed of it."""

KEPT_DAYS = 7
_PARTIAL = ".source-"


class ArchiveError(StepFailed):
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

    Not by `extractall`, whose filters came with Python 3.11.4 only and refuse symbolic links that lead out
    of the tree, which repositories do have. Links are made last, so that nothing is written through them.

    Raises:
        ArchiveError: the archive is gone or broken.
    """
    links: list[tuple[Path, str]] = []
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = _below(folder, member.name)
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                elif member.issym():
                    links.append((path, member.linkname))
                else:
                    _write(tar, member, path)
        for path, target in links:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)
    except FileNotFoundError:
        raise ArchiveError(
            f"the merged tree {archive} is gone (it is kept for {KEPT_DAYS} days): start the pipeline anew"
        ) from None
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError) as error:
        raise ArchiveError(f"the merged tree {archive} can't be unpacked: {error}") from error


def _below(folder: Path, name: str) -> Path:
    if name.startswith("/") or ".." in name.split("/"):
        raise ArchiveError(
            f"the merged tree holds {name!r}, which lies outside of it: start the pipeline anew"
        )
    return folder / name


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """Write one file; a hard link is a copy of what it links to. Devices and the like are refused."""
    content = tar.extractfile(member) if member.isfile() or member.islnk() else None
    if content is None:
        raise ArchiveError(
            f"the merged tree holds {member.name!r}, which is no file: start the pipeline anew"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("xb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
    os.utime(path, (member.mtime, member.mtime))


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
                elif entry.name == NAME or entry.name.startswith(_PARTIAL) or _is_chart(entry):
                    yield Path(entry.path)


def _is_chart(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".tgz") and Path(entry.path).parent.name == CHARTS


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member
