"""Where runs' artifacts are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.models import Artifact


class ArtifactStore(Protocol):
    """Where runs' artifacts are kept, addressed by paths below one root. Raises ArtifactsUnavailable.

    A path that leaves the root ("../x") or is absolute is refused with ValueError.
    """

    def write(self, path: str, content: Iterable[bytes]) -> None:
        """Put a file there, whole or not at all, over one that is there."""
        ...

    def list(self, folder: str, most: int) -> Sequence[Artifact]:
        """The files below a folder, by path, at most so many; none if there is no such folder."""
        ...

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        """The file in pieces, at most so many bytes; None if there is none."""
        ...
