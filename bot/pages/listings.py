"""The names of the files that a run left, for its page: asked for in the background, waited for shortly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ArtifactsUnavailable
from bot.models import ARTIFACTS_PATH
from bot.pages.reads import SharedReads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Artifact, Run
    from bot.ports import ArtifactStore

MOST = 200
AT_ONCE = 2
WAITING = 2
PATIENCE = 2.0
LASTS_SECONDS = 10.0
REMEMBERED = 100_000  # names
SOURCE = "source.tar.gz"
"""The tree that the run's steps share: nothing that the run has made."""

UNAVAILABLE = "The list of artifacts can't be read right now: reload in a moment."


@dataclass(frozen=True, slots=True)
class Listing:
    """Files by path; `more` of them are not named. `missing` says why there is no list."""

    files: Sequence[Artifact] = ()
    more: bool = False
    missing: str = ""


class ArtifactListings:
    """Lists runs' artifacts."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self._reads = SharedReads[Listing](
            at_once=AT_ONCE,
            waiting=WAITING,
            room=REMEMBERED,
            size=lambda listing: len(listing.files) + 1,
            lasts=lambda _, took: max(LASTS_SECONDS, 4 * took),
        )

    def of(self, run: Run) -> Listing:
        """What the run has left so far."""
        folder = run.conf.get(ARTIFACTS_PATH)
        if not isinstance(folder, str) or not folder:
            return Listing()
        key = (run.id, run.finished)
        return self._reads.get({key: lambda: self._list(folder)}, PATIENCE).get(
            key, Listing(missing=UNAVAILABLE)
        )

    def _list(self, folder: str) -> Listing:
        try:
            files = [one for one in self.store.list(folder, MOST + 2) if one.path != SOURCE]
        except (ArtifactsUnavailable, ValueError):
            return Listing(missing=UNAVAILABLE)
        return Listing(files[:MOST], len(files) > MOST)


def size_text(size: int) -> str:
    """A file's size: "812 B", "3.4 kB", "120 MB"."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":  # noqa: PLR2004 - what the units differ by
            return f"{amount:.1f} {unit}" if unit != "B" and amount < 10 else f"{amount:.0f} {unit}"  # noqa: PLR2004 - one digit
        amount /= 1000
    raise AssertionError("a file of any size has a text")
