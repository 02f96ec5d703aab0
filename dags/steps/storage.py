"""Where artifacts are kept: beside the folder that a step wrote into, or anywhere that fsspec reaches."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from fsspec.core import url_to_fs

from steps.layout import is_junit_of

_PIECE = 1024**2


class Storage(Protocol):
    """A run's `artifacts` folder."""

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        """Write a file: what `content` has, `size` bytes at most. Raises whatever goes wrong."""
        ...


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        """Write a file, whole or not at all."""
        partial = self._folder / f".{secrets.token_hex(8)}.tmp"
        try:
            with partial.open("xb") as file:
                for piece in _pieces(content, size):
                    file.write(piece)
            partial.replace(self._folder / path)
        finally:
            partial.unlink(missing_ok=True)


class RemoteStorage:
    """A folder below a URL that fsspec knows."""

    def __init__(self, url: str, path: str) -> None:
        self._files, root = url_to_fs(url)
        self._folder = f"{root.rstrip('/')}/{path}"

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        """Write a file and the folders that it needs, where there are such."""
        whole = f"{self._folder}/{path}"
        try:
            file = self._files.open(whole, "wb")
        except FileNotFoundError:
            self._files.makedirs(whole.rpartition("/")[0], exist_ok=True)
            file = self._files.open(whole, "wb")
        with file:
            for piece in _pieces(content, size):
                file.write(piece)

    def clear(self, step: str) -> None:
        """Remove all that an earlier try of `step` left."""
        for file in self._files.find(f"{self._folder}/{step}"):
            self._files.rm_file(file)
        with contextlib.suppress(FileNotFoundError):
            for file in self._files.ls(self._folder, detail=False):
                if is_junit_of(step, file.rpartition("/")[2]):
                    self._files.rm_file(file)


def _pieces(content: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := content.read(min(_PIECE, size))):
        yield piece
        size -= len(piece)
