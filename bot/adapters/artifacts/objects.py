"""Artifacts in an object store, or in whatever else fsspec knows."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import fsspec

from bot.models import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PIECE = 256 * 1024


class ObjectStore:
    """The root as an URL. fsspec keeps a connection for each thread and process."""

    def __init__(self, url: str) -> None:
        self._url = url

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Send the whole file at once: a stream that broke off would be stored as if it were whole."""
        files, root = self._root()
        with tempfile.NamedTemporaryFile() as file:
            file.writelines(content)
            file.flush()
            files.put_file(file.name, f"{root}/{path}")

    def files(self, folder: str) -> Iterator[Artifact]:
        """The files below a folder, by path."""
        files, root = self._root()
        below = f"{root}/{folder}/"
        try:
            found = files.find(below, detail=True)
        except FileNotFoundError:
            found = {}
        for name, about in sorted(found.items()):
            if name.startswith(below) and about.get("type") == "file" and name.isprintable():
                yield Artifact(name.removeprefix(below), int(about.get("size") or 0))

    def read(self, path: str) -> Iterator[bytes] | None:
        """The file's content; None if there is none."""
        files, root = self._root()
        try:
            file = files.open(f"{root}/{path}", "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return _pieces(file)

    def _root(self) -> tuple[Any, str]:
        """The file system, which remembers no listings, and the root's path in it."""
        files, root = fsspec.core.url_to_fs(self._url, use_listings_cache=False)
        return files, root.rstrip("/")


def _pieces(file: Any) -> Iterator[bytes]:  # noqa: ANN401 - fsspec has no annotations
    with file:
        while piece := file.read(_PIECE):
            yield piece
