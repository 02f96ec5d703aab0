"""A folder that a step filled, looked at as what it is: the work of anybody's code.

Links are never followed, what is no file is never opened, and nothing counts on a file still being there.
"""

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from steps.workspace import remove

MAX_ENTRIES = 100_000
MAX_DEPTH = 32


@dataclass(frozen=True)
class Entry:
    """Something below a folder, by its path relative to it."""

    path: str
    size: int = 0
    changed: int = 0
    """Nanoseconds since the epoch."""
    oddity: str = ""
    """Why it is no file to read or keep; empty for a file."""


def entries(folder: Path) -> Iterator[Entry]:
    """Yield files and oddities below `folder`, MAX_ENTRIES at most, folder by folder and by name."""
    if not _is_folder(folder):
        yield Entry("", oddity="a link in place of the folder")
        return
    left = MAX_ENTRIES
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        inner = []
        for name in _names(folder / parent, left):
            left -= 1
            entry = _entry(folder, parent + name)
            if entry is None:
                inner.append(f"{parent}{name}/")
            elif entry.oddity != "gone":
                yield entry
        if left <= 0:
            yield Entry(parent, oddity=f"beyond the first {MAX_ENTRIES} entries")
            return
        waiting += reversed(inner)


def _is_folder(folder: Path) -> bool:
    """Whether it is one itself, or is not there at all: a link to one isn't."""
    try:
        return stat.S_ISDIR(os.lstat(folder).st_mode)
    except OSError:
        return True


def _names(folder: Path, most: int) -> list[str]:
    names = []
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            names.append(entry.name)
            if len(names) >= most:
                break
    return sorted(names)


def _entry(folder: Path, path: str) -> Entry | None:
    """Return what is there; None for a folder to look into."""
    try:
        status = os.lstat(folder / path)
    except OSError:
        return Entry(path, oddity="gone")
    if stat.S_ISLNK(status.st_mode):
        return Entry(path, oddity="a link")
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, oddity="too deep a folder") if path.count("/") >= MAX_DEPTH else None
    if not stat.S_ISREG(status.st_mode):
        return Entry(path, oddity="no file")
    if not path.isprintable():  # bytes that are no text, which Python reads as surrogates, aren't either
        return Entry(path, oddity="named strangely")
    return Entry(path, size=status.st_size, changed=status.st_mtime_ns)


def open_below(folder: Path, path: str) -> BinaryIO:
    """Open a file of `folder` for reading, through no link at all.

    Raises:
        OSError: it is gone, or is no file, or there is a link on the way.
    """
    *parents, name = path.split("/")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for parent in parents:
            inner = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
            os.close(opened)
            opened = inner
        # A pipe that took the file's place must not keep us waiting.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
    finally:
        os.close(opened)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{path} is no file any more")
    return os.fdopen(file, "rb")


def is_empty(folder: Path) -> bool:
    """Whether nothing is in `folder`, or it is not there."""
    if not _is_folder(folder):
        return False
    try:
        with os.scandir(folder) as found:
            return next(found, None) is None
    except OSError:
        return True


def sweep(folder: Path, kept: Collection[str]) -> None:
    """Remove all that is not kept, and folders that nothing is kept of."""
    if not _is_folder(folder):
        folder.unlink(missing_ok=True)
        return
    needed = {parent for path in kept for parent in _parents(path)}
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(folder / parent) as found:
            for entry in found:
                path = parent + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if path in needed:
                        waiting.append(f"{path}/")
                    else:
                        remove(Path(entry.path))
                elif path not in kept:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)  # noqa: PTH108 - a path is all that is needed, a million times


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
