"""A step that puts a link in the place of its own $ARTIFACTS reaches nobody else's files."""

from pathlib import Path

import pytest

from steps.artifacts.keep import keep_here
from steps.folders import open_below
from steps.limits import Limits


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, Path]:
    others, own = tmp_path / "others", tmp_path / "artifacts" / "test"
    others.mkdir()
    own.parent.mkdir()
    (others / "secret.txt").write_text("secret")
    own.symlink_to(others)
    return own, others


def test_nothing_of_it_is_kept(linked: tuple[Path, Path]) -> None:
    own, _ = linked
    assert keep_here(own, [], Limits()).told()["kept"] == 0


def test_nothing_of_it_is_removed(linked: tuple[Path, Path]) -> None:
    own, others = linked
    keep_here(own, [], Limits(files=0))
    assert (others / "secret.txt").exists()


def test_nothing_of_it_is_read(linked: tuple[Path, Path]) -> None:
    own, _ = linked
    with pytest.raises(OSError, match=r".+"), open_below(own, "secret.txt"):
        pass
