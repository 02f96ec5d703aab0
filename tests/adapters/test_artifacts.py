"""Where artifacts are kept: the same promises by a local folder and by an object store."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from bot.adapters.artifacts import FsspecArtifacts
from bot.errors import AirflowUnavailable, ArtifactsUnavailable, SettingsError
from bot.models import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["a folder", "a file:// URL", "an object store"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "an object store":
        url = f"memory://{uuid.uuid4()}/deep"
        yield url
        files, root = fsspec.core.url_to_fs(url)
        if files.exists(root):
            files.rm(root, recursive=True)
    else:
        yield str(tmp_path / "a" / "b") if request.param == "a folder" else f"file://{tmp_path}/kept"


@pytest.fixture
def artifacts(url: str) -> FsspecArtifacts:
    return FsspecArtifacts(url)


def content(artifacts: FsspecArtifacts, path: str, most: int = 1_000_000) -> bytes | None:
    pieces = artifacts.read(path, most)
    return None if pieces is None else b"".join(pieces)


class TestWhereverTheyAre:
    def test_what_was_written_can_be_read(self, artifacts: FsspecArtifacts) -> None:
        artifacts.write("logs/unit/1/build-log.txt", [b"one\n", b"", b"two\n"])
        assert content(artifacts, "logs/unit/1/build-log.txt") == b"one\ntwo\n"

    def test_a_file_takes_the_place_of_another(self, artifacts: FsspecArtifacts) -> None:
        artifacts.write("a/x", [b"a longer one"])
        artifacts.write("a/x", [b"one"])
        assert content(artifacts, "a/x") == b"one"
        assert artifacts.list("a", 10) == (Artifact("x", 3),)

    def test_a_file_may_be_empty(self, artifacts: FsspecArtifacts) -> None:
        artifacts.write("a/x", [])
        assert content(artifacts, "a/x") == b""

    def test_a_large_file_comes_in_pieces(self, artifacts: FsspecArtifacts) -> None:
        piece = bytes(range(256)) * 256
        artifacts.write("a/x", (piece for _ in range(40)))
        pieces = list(artifacts.read("a/x", 10_000_000) or ())
        assert b"".join(pieces) == piece * 40
        assert max(map(len, pieces)) <= 256 * 1024

    @pytest.mark.parametrize("most", [0, 1, 5, 6, 7])
    def test_no_more_is_read_than_asked_for(self, artifacts: FsspecArtifacts, most: int) -> None:
        artifacts.write("a/x", [b"123456"])
        assert content(artifacts, "a/x", most) == b"123456"[:most]

    @pytest.mark.parametrize("path", ["a/no", "no/x", "a"])
    def test_what_is_no_file_is_none(self, artifacts: FsspecArtifacts, path: str) -> None:
        artifacts.write("a/x", [b"1"])
        assert artifacts.read(path, 10) is None

    def test_nothing_is_there_before_the_first_write(self, artifacts: FsspecArtifacts) -> None:
        assert artifacts.read("a/x", 10) is None
        assert artifacts.list("a", 10) == ()

    def test_files_are_listed_by_path(self, artifacts: FsspecArtifacts) -> None:
        for path in ("a/b/c/d", "a/b-c", "a/b/a", "a/b.txt", "a/z", "other/x", "a/b/Ä ü.txt"):
            artifacts.write(f"run/{path}", [b"12"])
        assert [one.path for one in artifacts.list("run/a", 100)] == [
            "b-c", "b.txt", "b/a", "b/c/d", "b/Ä ü.txt", "z",
        ]  # fmt: skip
        assert artifacts.list("run/a", 2) == (Artifact("b-c", 2), Artifact("b.txt", 2))
        assert artifacts.list("run/a/z", 2) == ()
        assert artifacts.list("ru", 2) == ()

    def test_a_write_that_breaks_off_leaves_what_was_there(self, artifacts: FsspecArtifacts) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half of"
            raise AirflowUnavailable("Airflow went away")

        artifacts.write("a/x", [b"whole"])
        for path in ("a/x", "a/y"):
            with pytest.raises(AirflowUnavailable, match="went away"):
                artifacts.write(path, broken())
        assert content(artifacts, "a/x") == b"whole"
        assert artifacts.list("a", 10) == (Artifact("x", 5),)

    @pytest.mark.parametrize(
        "path",
        ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "./a", "a/./b", "a//b", "a/", "a\0b",
         "a\nb", "a\u202eb", "x" * 2000, "\ud800"],
    )  # fmt: skip
    def test_a_path_that_leaves_the_root_is_refused(self, artifacts: FsspecArtifacts, path: str) -> None:
        with pytest.raises(ValueError, match="no path below the root"):
            artifacts.write(path, [b"1"])
        with pytest.raises(ValueError, match="no path below the root"):
            artifacts.read(path, 1)
        with pytest.raises(ValueError, match="no path below the root"):
            artifacts.list(path, 1)

    def test_names_that_look_like_patterns_are_plain_names(self, artifacts: FsspecArtifacts) -> None:
        for name in ("a*", "a?", "[a]", "a::b", "memory:b", "a%2F..", "~"):
            artifacts.write(f"odd/{name}", [name.encode()])
            assert content(artifacts, f"odd/{name}") == name.encode()
        assert len(artifacts.list("odd", 100)) == 7


class TestALocalFolder:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret").write_text("secret")
        (tmp_path / "root" / "a").mkdir(parents=True)
        (tmp_path / "root" / "a" / "x").write_text("x")
        return tmp_path / "root"

    @pytest.fixture
    def artifacts(self, root: Path) -> FsspecArtifacts:
        return FsspecArtifacts(str(root))

    def test_nothing_is_below_a_file(self, artifacts: FsspecArtifacts) -> None:
        assert artifacts.read("a/x/y", 10) is None
        assert artifacts.list("a/x", 10) == ()

    def test_links_that_lead_out_are_refused(self, artifacts: FsspecArtifacts, root: Path) -> None:
        (root / "a" / "file").symlink_to(root.parent / "outside" / "secret")
        (root / "a" / "folder").symlink_to(root.parent / "outside")
        (root / "a" / "itself").symlink_to(root / "a" / "itself")
        (root / "a" / "nowhere").symlink_to(root.parent / "nowhere")
        for path in ("a/file", "a/folder/secret", "a/itself", "a/nowhere"):
            with pytest.raises(ValueError, match="leads through a link"):
                artifacts.read(path, 10)
            with pytest.raises(ValueError, match="leads through a link"):
                artifacts.write(path, [b"1"])
        with pytest.raises(ValueError, match="leads through a link"):
            artifacts.list("a/folder", 10)
        assert artifacts.list("a", 10) == (Artifact("x", 1),)
        assert (root.parent / "outside" / "secret").read_text() == "secret"
        assert not (root.parent / "nowhere").exists()

    def test_neither_are_links_within_followed(self, artifacts: FsspecArtifacts, root: Path) -> None:
        """They may lead from a public repository's run into the folder of a private one's."""
        (root / "a" / "link").symlink_to(root / "a" / "x")
        (root / "b").symlink_to(root / "a")
        assert artifacts.list("a", 10) == (Artifact("x", 1),)
        for path in ("a/link", "b/x"):
            with pytest.raises(ValueError, match="leads through a link"):
                artifacts.read(path, 10)

    def test_the_root_itself_may_be_a_link(self, root: Path) -> None:
        (root.parent / "link").symlink_to(root)
        assert content(FsspecArtifacts(str(root.parent / "link")), "a/x") == b"x"

    @pytest.mark.timeout(10)
    def test_a_pipe_is_no_file(self, artifacts: FsspecArtifacts, root: Path) -> None:
        os.mkfifo(root / "a" / "pipe")
        assert artifacts.read("a/pipe", 10) is None
        assert artifacts.list("a", 10) == (Artifact("x", 1),)

    def test_names_that_no_page_could_show_are_left_out(self, artifacts: FsspecArtifacts, root: Path) -> None:
        for name in (b"a\nb", b"\xff", "a\u202eb".encode()):
            (root / "a" / os.fsdecode(name)).write_text("1")
        assert artifacts.list("a", 10) == (Artifact("x", 1),)

    def test_endless_folders_are_listed_to_a_depth(self, artifacts: FsspecArtifacts, root: Path) -> None:
        deep = root.joinpath("a", *["d"] * 500)
        deep.mkdir(parents=True)
        (deep / "y").write_text("1")
        (root / "a" / "d" / "z").write_text("1")
        assert [one.path for one in artifacts.list("a", 10)] == ["d/z", "x"]

    def test_nothing_unfinished_is_left_or_listed(self, artifacts: FsspecArtifacts, root: Path) -> None:
        def listed() -> Iterator[bytes]:
            yield b"1"
            assert artifacts.list("a", 10) == (Artifact("x", 1),)

        artifacts.write("a/y", listed())
        assert sorted(path.name for path in (root / "a").iterdir()) == ["x", "y"]

    def test_others_may_read_what_was_written(self, artifacts: FsspecArtifacts, root: Path) -> None:
        artifacts.write("a/y", [b"1"])
        assert (root / "a" / "y").stat().st_mode == (root / "a" / "x").stat().st_mode

    def test_a_place_that_fails_says_what_to_look_at(self, artifacts: FsspecArtifacts, root: Path) -> None:
        with pytest.raises(ArtifactsUnavailable) as caught:
            artifacts.write("a/x/y", [b"1"])
        assert str(caught.value).startswith(f"can't write a/x/y at {root}: ")
        assert str(caught.value).endswith("Is it there, and may the bot read and write it?")


class TestAnObjectStore:
    def test_whatever_it_raises_is_artifacts_unavailable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class HttpError(Exception):
            """Each object store's library has exceptions of its own."""

        def fails(*_: object, **__: object) -> None:
            raise HttpError("503, Backend Error")

        for method in ("put_file", "open", "find"):
            monkeypatch.setattr(MemoryFileSystem, method, fails)
        artifacts = FsspecArtifacts("memory://x")
        for act in (
            lambda: artifacts.write("a/x", [b"1"]),
            lambda: artifacts.list("a", 1),
            lambda: artifacts.read("a/x", 1),
        ):
            with pytest.raises(ArtifactsUnavailable, match="HttpError: 503, Backend Error"):
                act()

    def test_one_that_fails_while_it_is_read_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        artifacts = FsspecArtifacts(f"memory://{uuid.uuid4()}")
        artifacts.write("a/x", [b"1"])
        pieces = artifacts.read("a/x", 10)
        monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.read", lambda *_: 1 / 0)
        assert pieces is not None
        with pytest.raises(ArtifactsUnavailable, match="ZeroDivisionError"):
            list(pieces)

    @pytest.mark.parametrize(
        ("url", "says"),
        [("gs://bucket/x", "gcsfs"), ("s3://bucket", "s3fs"), ("nosuch://x", "nosuch")],
    )
    def test_one_that_nothing_here_can_reach_is_a_wrong_setting(self, url: str, says: str) -> None:
        with pytest.raises(SettingsError, match=says):
            FsspecArtifacts(url)

    def test_a_password_in_its_url_is_not_told(self) -> None:
        with pytest.raises(SettingsError) as caught:
            FsspecArtifacts("nosuch://alice:hunter2@host/x")
        assert "hunter2" not in str(caught.value)
