import os
from pathlib import Path

import pytest

from steps import folders
from steps.folders import entries, is_empty, open_below, sweep


def fill(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(os.fsencode(path))
    return folder


def seen(folder: Path) -> dict[str, str]:
    return {entry.path: entry.oddity for entry in entries(folder)}


class TestWhatIsThere:
    def test_is_told_by_path_and_size(self, tmp_path: Path) -> None:
        fill(tmp_path, "b/c.txt", "a.txt", ".hidden")
        assert [(entry.path, entry.size) for entry in entries(tmp_path)] == [
            (".hidden", 7),
            ("a.txt", 5),
            ("b/c.txt", 7),
        ]

    def test_is_never_looked_at_through_a_link(self, tmp_path: Path) -> None:
        outside = fill(tmp_path / "outside", "secret")
        left = fill(tmp_path / "left", "a")
        (left / "file").symlink_to(outside / "secret")
        (left / "folder").symlink_to(outside)
        (left / "inner").symlink_to("a")
        os.mkfifo(left / "pipe")
        assert seen(left) == {
            "a": "",
            "file": "a link",
            "folder": "a link",
            "inner": "a link",
            "pipe": "no file",
        }

    def test_may_be_named_as_no_text_is(self, tmp_path: Path) -> None:
        fill(tmp_path, "two\nlines", "a\u202eb", os.fsdecode(b"\xff"), "gr\u00fcn")
        assert sorted(seen(tmp_path).values()) == ["", *["named strangely"] * 3]

    def test_may_be_deep(self, tmp_path: Path) -> None:
        fill(tmp_path, "a", "/".join(["d"] * 100))
        found = seen(tmp_path)
        assert list(found.values()) == ["", "too deep a folder"]

    def test_may_be_much(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folders, "MAX_ENTRIES", 3)
        fill(tmp_path, *(f"f{number}" for number in range(5)))
        assert list(seen(tmp_path).values()) == ["", "", "", "beyond the first 3 entries"]

    def test_may_be_nothing(self, tmp_path: Path) -> None:
        assert seen(tmp_path / "missing") == {}
        assert is_empty(tmp_path / "missing")
        assert is_empty(tmp_path)
        assert not is_empty(fill(tmp_path, "a"))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class TestOpening:
    def test_reads_a_file(self, tmp_path: Path) -> None:
        with open_below(fill(tmp_path, "a/b/c"), "a/b/c") as file:
            assert file.read() == b"a/b/c"

    @pytest.mark.parametrize("path", ["link", "folder/secret", "pipe", "missing", "inner", "inner/x/y"])
    def test_refuses_all_else_at_once(self, tmp_path: Path, path: str) -> None:
        outside = fill(tmp_path / "outside", "secret")
        left = fill(tmp_path / "left", "inner/x")
        (left / "link").symlink_to(outside / "secret")
        (left / "folder").symlink_to(outside)
        os.mkfifo(left / "pipe")
        before = open_files()
        with pytest.raises(OSError, match=r".+"):
            open_below(left, path)
        assert open_files() == before


class TestSweeping:
    def test_leaves_what_is_kept(self, tmp_path: Path) -> None:
        left = fill(tmp_path / "left", "a", "b", "c/d/e", "c/d/f", "c/g", "h/i")
        outside = fill(tmp_path / "outside", "secret")
        (left / "c" / "link").symlink_to(outside)
        sweep(left, {"a", "c/d/e"})
        assert {path.relative_to(left).as_posix() for path in left.rglob("*")} == {"a", "c", "c/d", "c/d/e"}
        assert (outside / "secret").exists()


def nested(folder: Path, depth: int) -> None:
    """Nest folders deeper than any path can name."""
    start = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("d" * 100)  # noqa: PTH102 - relative to where we are
            os.chdir("d" * 100)
    finally:
        os.chdir(start)


def test_a_folder_nested_a_thousand_deep_can_be_swept(tmp_path: Path) -> None:
    left = fill(tmp_path / "left", "a")
    nested(left, 1100)
    assert list(seen(left).values()) == ["", "too deep a folder"]
    sweep(left, {"a"})
    assert list(left.iterdir()) == [left / "a"]
