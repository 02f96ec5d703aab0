"""Where artifacts are kept: beside the folder that a step wrote into, or anywhere that fsspec reaches."""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from fsspec.core import url_to_fs

from steps.layout import is_junit_of

_PIECE = 1024**2


class Storage(Protocol):
    """A run's `artifacts` folder, or the root of all artifacts."""

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        """Write a file: what `content` has, `size` bytes at most. Raises whatever goes wrong."""
        ...


class Documents(Storage, Protocol):
    """A place for small files that are read again, too."""

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; None if there is none."""
        ...

    def write(self, path: str, content: bytes, *, new: bool = False) -> None:
        """Write a file whole or not at all.

        Raises:
            FileExistsError: it was to be `new`, and is there.
        """
        ...

    def alone(self, path: str) -> contextlib.AbstractContextManager[None]:
        """Keep others from changing the file meanwhile, where the storage can do that."""
        ...


def documents_at(url: str) -> Documents:
    """Return the place that a folder's path or a URL names."""
    scheme, separator, path = url.rpartition("://")
    local = "::" not in url and (not separator or scheme in {"file", "local"})
    return LocalStorage(Path(path).expanduser()) if local else RemoteStorage(url, "")


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        """Write a file, whole or not at all."""
        with self._partial(path) as (partial, target):
            with partial.open("xb") as file:
                for piece in _pieces(content, size):
                    file.write(piece)
            partial.replace(target)

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; None if there is none."""
        try:
            with self._within(path).open("rb") as file:
                return file.read(most)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, content: bytes, *, new: bool = False) -> None:
        """Write a file whole or not at all."""
        with self._partial(path) as (partial, target):
            partial.write_bytes(content)
            if new:
                target.hardlink_to(partial)  # unlike a rename, it refuses to replace
            else:
                partial.replace(target)

    @contextlib.contextmanager
    def alone(self, path: str) -> Iterator[None]:
        """Keep others that ask the same out, on all machines if the file system's locks are shared."""
        target = self._within(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.with_name(f".{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _partial(self, path: str) -> Iterator[tuple[Path, Path]]:
        """Yield a name for an unfinished file, gone at the end, and that of the finished one."""
        target = self._within(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            yield partial, target
        finally:
            partial.unlink(missing_ok=True)

    def _within(self, path: str) -> Path:
        """Return where a file is. A link below the folder is a step's own work, and is refused."""
        parent = self._folder.resolve() / Path(path).parent
        if parent.resolve() != parent:
            raise OSError(f"{path} leads through a link")
        return parent / Path(path).name


class RemoteStorage:
    """A folder below a URL that fsspec knows."""

    def __init__(self, url: str, path: str) -> None:
        self._files, root = url_to_fs(url, use_listings_cache=False)
        self._folder = f"{root.rstrip('/')}/{path}".rstrip("/")

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

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first `most` bytes of a file; None if there is none."""
        try:
            with self._files.open(f"{self._folder}/{path}", "rb") as file:
                content: bytes = file.read(most)
        except FileNotFoundError:
            return None
        return content

    def write(self, path: str, content: bytes, *, new: bool = False) -> None:
        """Write a file in one request: object stores take it whole or not at all."""
        self._files.pipe_file(f"{self._folder}/{path}", content, mode="create" if new else "overwrite")

    @contextlib.contextmanager
    def alone(self, path: str) -> Iterator[None]:  # noqa: ARG002 - which file it is does not matter
        """Do nothing: object stores have no locks."""
        yield

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
