"""What `make env` decides; making environments is seen in every run of the tests."""

from __future__ import annotations

import ast
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import env


def stamp(
    requirements: bytes = b"requirements", python: str = "3.11.7 /usr/bin/python3.11", folder: str = "/here"
) -> str:
    return env.stamp_text(requirements, python, Path(folder))


STAMP = stamp()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An environment that is up to date."""
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "made-from.json").write_text(STAMP)
    return folder


def why(folder: Path, wanted: str = STAMP, *, this_python: bool = False) -> str | None:
    return env.why_make(folder, wanted, this_python=this_python)


class TestWhenAnEnvironmentIsMade:
    def test_not_when_it_is_up_to_date(self, made: Path) -> None:
        assert why(made) is None
        assert why(made, this_python=True) is None

    def test_when_there_is_none(self, tmp_path: Path) -> None:
        assert why(tmp_path / ".venv") == "new"

    def test_when_its_requirements_changed(self, made: Path) -> None:
        changed = stamp(requirements=b"other requirements")
        assert why(made, changed) == "its requirements changed"

    @pytest.mark.parametrize("text", [None, "", "{"], ids=["no stamp", "empty stamp", "broken stamp"])
    def test_when_making_it_was_interrupted(self, made: Path, text: str | None) -> None:
        (made / "made-from.json").unlink()
        if text is not None:
            (made / "made-from.json").write_text(text)
        assert why(made) == "it was left unfinished"

    def test_when_the_python_it_was_made_with_is_gone(self, made: Path) -> None:
        (made / "bin" / "python").unlink()
        (made / "bin" / "python").symlink_to("/nowhere/python3")
        assert why(made) == "its Python is gone"

    def test_when_it_was_moved(self, made: Path) -> None:
        assert why(made, stamp(folder="/there")) == "it was moved"

    def test_when_another_python_is_asked_for(self, made: Path) -> None:
        other = stamp(python="3.12.1 /usr/bin/python3.12")
        assert why(made, other, this_python=True) == "another Python was asked for"

    def test_not_when_another_python_merely_runs_make(self, made: Path) -> None:
        other = stamp(python="3.12.1 /usr/bin/python3.12")
        assert why(made, other) is None


def test_the_demo_needs_nothing_that_only_tests_want() -> None:
    assert {one.folder for one in env.FOR_TESTS} - {one.folder for one in env.ENVIRONMENTS} == {
        ".venv-manifests"
    }
    asking = [line for line in (env.ROOT / "Makefile").read_text().splitlines() if "--for-tests" in line]
    assert len(asking) == 1


class TestWhatIsMissing:
    def test_nothing(self) -> None:
        assert env.missing_programs(lambda program: f"/usr/bin/{program}") == []
        assert env.missing_for_uv(lambda _name: True, (3, 11)) == []

    @pytest.mark.parametrize("missing", ["git", "make"])
    def test_a_program_is_named(self, missing: str) -> None:
        (sentence,) = env.missing_programs(lambda program: None if program == missing else program)
        assert sentence.startswith(f"{missing} is missing")

    def test_debians_package_is_named(self) -> None:
        text = "\n".join(env.missing_for_uv(lambda name: name != "ensurepip", (3, 12)))
        assert "has no ensurepip" in text
        assert "apt install python3.12-venv" in text

    def test_both_modules_are_named(self) -> None:
        assert "has no venv and no ensurepip" in "\n".join(env.missing_for_uv(lambda _name: False, (3, 11)))


@pytest.mark.parametrize(
    ("answer", "recent"),
    [
        ("uv 0.13.9 (x86_64-unknown-linux-gnu)", True),
        ("uv 0.7.0", True),
        ("uv 1.0.0", True),
        ("uv 0.6.17", False),
        ("uv, version unknown", False),
        ("", False),
    ],
)
def test_which_uv_will_do(answer: str, recent: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert env.is_recent_uv(answer) is recent


def test_it_needs_the_standard_library_only() -> None:
    tree = ast.parse((env.ROOT / "deploy" / "local" / "env.py").read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_no_module_beside_it_hides_one_of_the_standard_library() -> None:
    modules = {path.stem for path in (env.ROOT / "deploy" / "local").glob("*.py")} - {"__init__", "__main__"}
    assert not modules & sys.stdlib_module_names


def test_what_uv_runs_holds_the_lock_too(tmp_path: Path) -> None:
    """A killed `make env` leaves uv at work for a moment: a second one waits for that."""
    script = f"""
import os, subprocess, sys
from pathlib import Path
from deploy.local import env
lock = os.open({str(tmp_path / "lock")!r}, os.O_RDWR | os.O_CREAT)
env._take(lock)
installer = env.Installer(Path({str(tmp_path)!r}), lock)
installer._run("x", "sh", "-c", "echo $$ > pid; mv pid here; exec sleep 600")
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=env.ROOT, start_new_session=True) as process:
        while not (tmp_path / "here").exists():
            assert process.poll() is None
        process.kill()
    sleep = int((tmp_path / "here").read_text())
    with (tmp_path / "lock").open("r+") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(sleep, 9)
        fcntl.flock(lock, fcntl.LOCK_EX)
