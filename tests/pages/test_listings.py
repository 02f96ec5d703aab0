"""The names of the files that a run left."""

from __future__ import annotations

import pytest

from bot.models import ARTIFACTS_PATH, Artifact
from bot.pages.listings import ArtifactListings, size_text
from tests.pages.showing import Artifacts, active, ended


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (34_122, "34 kB"),
        (1_234_567, "1.2 MB"),
        (120_000_000, "120 MB"),
        (5_000_000_000, "5.0 GB"),
        (7_000_000_000_000, "7000 GB"),
    ],
)
def test_sizes_are_for_people(size: int, said: str) -> None:
    assert size_text(size) == said


def test_viewers_share_a_list_until_the_run_ends() -> None:
    store = Artifacts([Artifact("a.txt", 1)])
    listings = ArtifactListings(store)
    conf = {ARTIFACTS_PATH: "folder"}
    for _ in range(3):
        assert listings.of(active(conf=conf)).files == [Artifact("a.txt", 1)]
    assert store.folders == ["folder"]
    store.files.append(Artifact("finished.json", 2))
    assert len(listings.of(ended(conf=conf)).files) == 2


def test_a_folder_that_the_store_refuses_is_no_error() -> None:
    class Refusing(Artifacts):
        def list(self, folder: str, most: int) -> list[Artifact]:
            raise ValueError(f"{folder} leaves the root ({most})")

    assert ArtifactListings(Refusing()).of(ended(conf={ARTIFACTS_PATH: "../x"})).missing
