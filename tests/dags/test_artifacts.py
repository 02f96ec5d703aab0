"""What is kept of what a step left: where it is, or in a storage behind a URL."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec
import pytest

from steps.artifacts.__main__ import main
from steps.artifacts.keep import keep_here, move
from steps.limits import Limits
from steps.storage import LocalStorage, RemoteStorage
from tests.dags.conftest import Done


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """The folder of a step `unit` with some files."""
    folder = tmp_path / "run" / "artifacts" / "unit"
    for path, text in {"junit.xml": "<testsuite/>", "log/a.txt": "aaa", "log/b.txt": "bbbbbb"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


class TestHere:
    def test_all_stays_and_junit_is_copied(self, left: Path) -> None:
        assert keep_here(left, ["junit.xml"], Limits()).told() == {"kept": 3, "bytes": 21, "dropped": ""}
        assert files(left.parent) == ["junit_unit.xml", "unit/junit.xml", "unit/log/a.txt", "unit/log/b.txt"]
        assert (left.parent / "junit_unit.xml").read_text() == "<testsuite/>"

    def test_what_is_over_the_limits_is_removed(self, left: Path) -> None:
        told = keep_here(left, ["junit.xml"], Limits(file_bytes=5)).told()
        assert told == {"kept": 1, "bytes": 3, "dropped": "2 files, 18 bytes: more than 5 bytes each"}
        assert files(left.parent) == ["unit/log/a.txt"]

    def test_links_and_pipes_are_removed(self, left: Path, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("s3cret")
        (left / "link").symlink_to(tmp_path / "secret")
        (left / "folder").symlink_to(tmp_path)
        os.mkfifo(left / "log" / "pipe")
        told = keep_here(left, [], Limits()).told()
        assert told["dropped"] == "2 files, 0 bytes: a link; 1 file, 0 bytes: no file"
        assert files(left) == ["junit.xml", "log/a.txt", "log/b.txt"]
        assert (tmp_path / "secret").exists()


@pytest.fixture
def storage() -> Iterator[RemoteStorage]:
    """A storage behind a URL, in memory."""
    fsspec.filesystem("memory").store.clear()
    yield RemoteStorage("memory://bucket/prefix/", "pr-logs/1/artifacts")
    fsspec.filesystem("memory").store.clear()


def stored() -> dict[str, str]:
    remote = fsspec.filesystem("memory")
    return {path.removeprefix("/bucket/prefix/"): remote.cat(path).decode() for path in remote.find("/")}


class TestBehindAUrl:
    def test_all_is_put_there_and_gone_here(self, left: Path, storage: RemoteStorage) -> None:
        told = move(left, ["junit.xml"], Limits(), storage, 30).told()
        assert told == {"kept": 3, "bytes": 21, "dropped": ""}
        assert stored() == {
            "pr-logs/1/artifacts/junit_unit.xml": "<testsuite/>",
            "pr-logs/1/artifacts/unit/junit.xml": "<testsuite/>",
            "pr-logs/1/artifacts/unit/log/a.txt": "aaa",
            "pr-logs/1/artifacts/unit/log/b.txt": "bbbbbb",
        }
        assert not left.exists()

    def test_what_is_over_the_limits_is_not(self, left: Path, storage: RemoteStorage) -> None:
        (left / "link").symlink_to("/etc/hostname")
        told = move(left, ["junit.xml"], Limits(files=2), storage, 30).told()
        assert (told["kept"], "a link" in str(told["dropped"])) == (2, True)
        assert [path.rpartition("artifacts/")[2] for path in stored()] == [
            "junit_unit.xml",
            "unit/junit.xml",
            "unit/log/a.txt",
        ]

    def test_a_file_that_grows_is_cut_where_it_was(self, storage: RemoteStorage) -> None:
        storage.put("unit/grows", io.BytesIO(b"x" * 100), 10)
        assert stored() == {"pr-logs/1/artifacts/unit/grows": "x" * 10}

    def test_an_earlier_try_is_replaced(self, storage: RemoteStorage) -> None:
        for path in ("unit/a/b", "unit_2/c", "junit_unit.xml", "junit_unit_2.xml", "junit_unit_2_1.xml"):
            storage.put(path, io.BytesIO(b"old"), 3)
        storage.clear("unit")
        left = {path.rpartition("artifacts/")[2] for path in stored()}
        assert left == {"junit_unit_2_1.xml", "unit_2/c"}

    def test_there_need_not_have_been_one(self, storage: RemoteStorage) -> None:
        storage.clear("unit")

    def test_names_are_never_patterns(self, storage: RemoteStorage) -> None:
        for step in ("unit", "[u]nit", "*"):
            storage.put(f"{step}/a", io.BytesIO(b"x"), 1)
        storage.clear("*")
        storage.clear("[u]nit")
        assert list(stored()) == ["pr-logs/1/artifacts/unit/a"]

    def test_a_folder_works_too(self, left: Path, tmp_path: Path) -> None:
        move(left, ["junit.xml"], Limits(), RemoteStorage(str(tmp_path / "kept"), "x/artifacts"), 30)
        assert files(tmp_path / "kept") == [
            "x/artifacts/junit_unit.xml",
            "x/artifacts/unit/junit.xml",
            "x/artifacts/unit/log/a.txt",
            "x/artifacts/unit/log/b.txt",
        ]


class Broken:
    """Takes files until it does not."""

    def __init__(self, refused: str) -> None:
        self.refused = refused
        self.asked = 0

    def put(self, path: str, content: BinaryIO, size: int) -> None:
        self.asked += 1
        if self.refused in path:
            raise PermissionError("s3://key:s3cret@bucket: no")
        assert len(content.read()) == size


class TestAStorageThatFails:
    def test_is_a_remark(self, left: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = move(left, [], Limits(), Broken("b.txt"), 30).told()
        assert told == {"kept": 2, "bytes": 15, "dropped": "1 file, 6 bytes: not stored (PermissionError)"}
        assert files(left) == ["junit.xml", "log/a.txt", "log/b.txt"], "what could not be stored stays"
        said = capsys.readouterr().out
        assert "log/b.txt could not be stored" in said
        assert "s3cret" not in said

    def test_is_not_asked_a_thousand_times(self, left: Path) -> None:
        for number in range(300):
            (left / f"{number}").touch()
        storage = Broken("unit")
        told = move(left, [], Limits(), storage, 30).told()
        assert told["kept"] == 0
        assert "not stored" in str(told["dropped"])
        assert 8 <= storage.asked <= 8 + 3, "four at a time: three may be on their way at the eighth refusal"

    def test_is_not_waited_for(self, left: Path) -> None:
        over = threading.Event()

        class Hanging(Broken):
            def put(self, path: str, content: BinaryIO, size: int) -> None:
                if "a.txt" in path:
                    over.wait(60)
                super().put(path, content, size)

        told = move(left, [], Limits(), Hanging("none"), 0.5).told()
        over.set()
        assert told["dropped"] == "1 file, 3 bytes: not stored within 0.5s"


def test_at_most_a_hundred_junit_files_are_copied(left: Path) -> None:
    for number in range(150):
        (left / f"TEST-{number:03}.xml").write_text("<testsuite/>")
    keep_here(left, [f"TEST-{number:03}.xml" for number in range(150)], Limits())
    copies = sorted(path.name for path in left.parent.glob("junit_unit*.xml"))
    assert len(copies) == 100
    assert {"junit_unit.xml", "junit_unit_2.xml", "junit_unit_100.xml"} <= {*copies}


def test_a_copy_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="closed"):
        LocalStorage(tmp_path).put("junit_unit.xml", closed(), 3)
    assert list(tmp_path.iterdir()) == []


def closed() -> BinaryIO:
    content = io.BytesIO(b"abc")
    content.close()
    return content


class TestTheBinary:
    def test_hands_on_what_was_kept(self, step: Callable[..., Done], left: Path, tmp_path: Path) -> None:
        (tmp_path / "summary.json").write_text(json.dumps({"files": ["junit.xml", "../../secret", 3]}))
        kept = tmp_path / "kept.json"
        done = step(
            "steps.artifacts",
            "keep",
            f"--folder={left}",
            f"--summary={tmp_path / 'summary.json'}",
            f"--output={kept}",
        )
        assert done.exit_code == 0, done.output
        assert json.loads(kept.read_text()) == {"kept": 3, "bytes": 21, "dropped": ""}
        assert (left.parent / "junit_unit.xml").exists()

    def test_takes_the_url_from_the_environment(
        self, step: Callable[..., Done], left: Path, tmp_path: Path
    ) -> None:
        done = step(
            "steps.artifacts",
            "keep",
            f"--folder={left}",
            "--path=run/artifacts",
            PREFLIGHT_ARTIFACTS_URL=(tmp_path / "there").as_uri(),
            PREFLIGHT_ARTIFACTS_MAX_FILES="1",
        )
        assert done.exit_code == 0, done.output
        assert files(tmp_path / "there") == ["run/artifacts/unit/junit.xml"]
        assert done.output.splitlines()[0] == "not kept: 2 files, 9 bytes: more than 1 files"

    def test_says_why_it_can_not(self, left: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["keep", f"--folder={left}", "--url=nowhere://key:s3cret@bucket"]) == 1
        said = capsys.readouterr().out
        assert "nothing was stored (ValueError)" in said
        assert "s3cret" not in said
        assert len(files(left)) == 3

    def test_a_dry_run_shows_what_would_be_kept(self, step: Callable[..., Done], left: Path) -> None:
        (left / "link").symlink_to("/etc/hostname")
        done = step("steps.artifacts", "keep", f"--folder={left}", "--dryrun")
        assert done.output.splitlines() == [
            "would keep: junit.xml (12 bytes)",
            "would keep: log/a.txt (3 bytes)",
            "would keep: log/b.txt (6 bytes)",
            "not kept: 1 file, 0 bytes: a link",
            "  link: a link",
        ]
        assert len(files(left)) == 4

    def test_a_storage_that_hangs_does_not_outlive_a_cancel(
        self, environment: dict[str, str], left: Path, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "there")  # opening it for writing waits for a reader
        script = (
            "import runpy, sys\n"
            "from fsspec.implementations.local import LocalFileSystem\n"
            f"LocalFileSystem.open = lambda *_, **__: open({str(tmp_path / 'there')!r}, 'wb')\n"
            "sys.argv[0] = 'artifacts'\n"
            "runpy.run_module('steps.artifacts', run_name='__main__')\n"
        )
        options = [f"--folder={left}", f"--url={tmp_path / 'kept'}", "--seconds=600"]
        argv = [sys.executable, "-c", script, "keep", *options]
        with subprocess.Popen(argv, env=environment) as process:
            try:
                with (tmp_path / "there").open("rb"):  # returns once it writes; then it waits for the others
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(30) == 128 + signal.SIGTERM
            finally:
                process.kill()
