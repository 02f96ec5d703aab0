"""Artifacts in a local folder. No link below it is followed, nor listed."""

from __future__ import annotations

import os
import secrets
import stat
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.artifacts.paths import NotBelowRoot
from bot.models import Artifact

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

DEEPEST = 30
"""Folders within folders that are listed."""

WIDEST = 100_000
"""Entries of one folder that are looked at."""

_PIECE = 64 * 1024
_UNFINISHED = ".preflight-"


class LocalFolder:
    """The root as a folder of this machine; made when first written to."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Write beside it, then put it in its place: nobody ever sees a part of it."""
        target = self._within(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
        try:
            with unfinished.open("xb") as file:
                file.writelines(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    def files(self, folder: str) -> Iterator[Artifact]:
        """The files below a folder, by path."""
        return self._walk(self._within(folder), "", DEEPEST)

    def read(self, path: str) -> Iterator[bytes] | None:
        """The file's content; None for what is none: a pipe would never end."""
        try:
            descriptor = os.open(
                self._within(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            )
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        return _pieces(os.fdopen(descriptor, "rb", buffering=0))

    def _within(self, path: str) -> Path:
        """Where it is. A link below the root is a step's own work, and may lead into another run's folder."""
        target = self._root.resolve() / path
        try:
            resolved = target.resolve()
        except RuntimeError:  # a link to itself
            resolved = None
        if resolved != target:
            raise NotBelowRoot(f"{path!r} leads through a link")
        return target

    def _walk(self, folder: Path, above: str, depth: int) -> Iterator[Artifact]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(islice(entries, WIDEST), key=_order)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in found:
            path = above + entry.name
            if not entry.name.isprintable():
                continue  # it could not be asked for, nor be shown
            if entry.is_dir(follow_symlinks=False):
                if depth:
                    yield from self._walk(folder / entry.name, f"{path}/", depth - 1)
            elif entry.is_file(follow_symlinks=False) and not entry.name.startswith(_UNFINISHED):
                yield Artifact(path, entry.stat(follow_symlinks=False).st_size)


def _order(entry: os.DirEntry[str]) -> str:
    """Where its path, or those below it, stand among paths."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _pieces(file: io.FileIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
