"""The port `ArtifactStore`, wherever the artifacts are."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

import fsspec

from bot.adapters.artifacts.folder import LocalFolder
from bot.adapters.artifacts.objects import ObjectStore
from bot.adapters.artifacts.paths import NotBelowRoot, checked
from bot.errors import ArtifactsUnavailable, PreflightError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.models import Artifact

LOCAL = frozenset({"file", "local"})
"""fsspec's names for the folders of this machine."""

_LONGEST_REASON = 300


class FsspecArtifacts:
    """Below the root that a local folder's path or an URL names; asks nothing before it is used.

    SettingsError if fsspec does not know such URLs, or a package is missing that they need.
    """

    def __init__(self, url: str) -> None:
        self._shown = re.sub(r"//[^/@]*@", "//", url)  # a password may stand in it
        protocol = fsspec.utils.get_protocol(url)
        try:
            fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"artifacts can't be kept at {self._shown}: {error}. Mend the URL, or install the package"
                " that it needs beside the bot"
            ) from None
        local = protocol in LOCAL and "::" not in url
        self._place = LocalFolder(re.sub("^(file|local)://", "", url)) if local else ObjectStore(url)

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """See ArtifactStore. What the content itself raises on purpose is raised, and nothing written."""
        with self._explained(f"write {path}"):
            self._place.write(checked(path), content)

    def list(self, folder: str, most: int) -> Sequence[Artifact]:
        """See ArtifactStore."""
        with self._explained(f"list {folder}"):
            return tuple(islice(self._place.files(checked(folder)), most))

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        """See ArtifactStore."""
        with self._explained(f"read {path}"):
            pieces = self._place.read(checked(path))
        return None if pieces is None else self._bounded(pieces, path, most)

    def _bounded(self, pieces: Iterator[bytes], path: str, most: int) -> Iterator[bytes]:
        with self._explained(f"read {path}"):
            for piece in pieces:
                yield piece[:most]
                most -= len(piece)
                if most <= 0:
                    return

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except (PreflightError, NotBelowRoot):
            raise
        except Exception as error:  # each object store has exceptions of its own
            why = f"{type(error).__name__}: {error}"[:_LONGEST_REASON]
            raise ArtifactsUnavailable(
                f"can't {what} at {self._shown}: {why}. Is it there, and may the bot read and write it?"
            ) from error
