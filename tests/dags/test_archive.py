import io
import os
import tarfile
import time
from pathlib import Path

import pytest

from steps.archive import ArchiveError, labels_of, pack, prune, unpack


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "source.tar.gz"


def test_a_tree_comes_back_as_it_was(tmp_path: Path, archive: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "run.sh").write_text("#!/bin/sh\n")
    (tree / "run.sh").chmod(0o755)
    (tree / "-q").write_text("x")
    (tree / "inside").symlink_to("run.sh")
    (tree / "outside").symlink_to("/etc/passwd")
    (tree / "up").symlink_to("../../up")
    pack(tree, archive, {"preflight.head": "0f"})
    unpack(archive, tmp_path / "copy")
    assert sorted(os.listdir(tmp_path / "copy")) == sorted(os.listdir(tree))  # noqa: PTH208 - names are compared
    assert os.access(tmp_path / "copy" / "run.sh", os.X_OK)
    links = {name: str((tmp_path / "copy" / name).readlink()) for name in ("inside", "outside", "up")}
    assert links == {"inside": "run.sh", "outside": "/etc/passwd", "up": "../../up"}
    assert labels_of(archive)["preflight.head"] == "0f"


def test_nothing_half_written_is_ever_seen(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pack(tmp_path / "missing", archive, {})
    assert list(archive.parent.iterdir()) == []


def hostile(archive: Path, *members: tarfile.TarInfo) -> None:
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        for member in members:
            member.size = 1 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"x") if member.isreg() else None)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([tarfile.TarInfo("../pwned")], id="climbs"),
        pytest.param(
            [link("out", "../../runs"), tarfile.TarInfo("out/../../pwned")], id="through a link and up"
        ),
        pytest.param([link("../pwned", "/etc/passwd")], id="a link outside"),
        pytest.param([link("hard", "../../secret", tarfile.LNKTYPE)], id="a hard link out"),
        pytest.param([link("device", "", tarfile.CHRTYPE)], id="a device"),
    ],
)
def test_nothing_is_written_outside(tmp_path: Path, archive: Path, members: list[tarfile.TarInfo]) -> None:
    hostile(archive, *members)
    with pytest.raises(ArchiveError):
        unpack(archive, tmp_path / "a" / "copy")
    assert not list(tmp_path.glob("**/pwned"))


def test_nothing_is_written_through_an_outward_link(tmp_path: Path, archive: Path) -> None:
    hostile(archive, link("out", str(tmp_path)), tarfile.TarInfo("out/pwned"))
    with pytest.raises(ArchiveError):
        unpack(archive, tmp_path / "a" / "copy")
    assert not (tmp_path / "pwned").exists()


def test_pruning_removes_old_archives_and_leaves_artifacts(tmp_path: Path) -> None:
    old = time.time() - 8 * 86_400
    for name in (
        "a/source.tar.gz",
        "a/.source-12.tmp",
        "a/artifacts/unit/source.tar.gz",
        "a/b/c/source.tar.gz",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (old, old))
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "source.tar.gz").touch()
    assert prune(tmp_path) == 3
    left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.glob("**/*") if file.is_file())
    assert left == ["a/artifacts/unit/source.tar.gz", "new/source.tar.gz"]


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_pruning_never_fails(tmp_path: Path, seconds: float) -> None:
    assert prune(tmp_path / "missing", seconds=seconds) == 0
