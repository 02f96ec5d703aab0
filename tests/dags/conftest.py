"""Real git repositories, and the binaries of dags/steps run as a person would run them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.dags.airflow_server import DAGS, airflow_environment, airflow_python, loaded, server
from tests.dags.git_server import git_server

__all__ = ["DAGS", "airflow_environment", "airflow_python", "loaded", "server"]  # fixtures for all tests here
sys.path.insert(0, str(DAGS))

IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "Test", "EMAIL": "test@localhost", "DATE": "1700000000 +0000"}.items()
}


@dataclass(frozen=True)
class Repository:
    """A work tree to commit in and the bare repository that it pushes to."""

    tree: Path
    bare: Path

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make both below `folder`; the bare one is `git/o/r.git`."""
        made = cls(tree=folder / "tree", bare=folder / "git" / "o" / "r.git")
        for path in (made.tree, made.bare):
            path.mkdir(parents=True)
        made.git("init", "--quiet", "--bare", "--initial-branch=main", folder=made.bare)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def git(self, *args: str, folder: Path | None = None) -> str:
        return subprocess.run(
            ["git", *args],
            cwd=folder or self.tree,
            env={**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, *, onto: str | None = None, ref: str, **files: str) -> str:
        """Commit `files` (name=content) on top of `onto` and push the commit as `ref`; returns its SHA."""
        if onto:
            self.git("checkout", "--quiet", "--detach", onto)
        for name, content in files.items():
            (self.tree / name).write_text(content, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", ", ".join(files))
        self.git("push", "--quiet", "--force", str(self.bare), f"HEAD:{ref}")
        return self.git("rev-parse", "HEAD")

    def history(self, count: int, *, onto: str, ref: str) -> str:
        """Push `count` commits on top of `onto` as `ref`; returns the last. Each changes `number`."""
        commits = (
            f"commit refs/heads/made\ncommitter Test <test@localhost> {1_700_000_000 + number} +0000\n"
            f"data 1\nx\n{f'from {onto}' + chr(10) if number == 0 else ''}"
            f"M 100644 inline number\ndata {len(str(number))}\n{number}\n\n"
            for number in range(count)
        )
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            cwd=self.tree,
            input="".join(commits).encode(),
            check=True,
        )
        self.git("push", "--quiet", "--force", str(self.bare), f"refs/heads/made:{ref}")
        return self.git("rev-parse", "refs/heads/made")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository, `o/r.git` on the server."""
    return Repository.create(tmp_path)


@pytest.fixture
def url(repository: Repository) -> Iterator[str]:
    """The repository's address over HTTP."""
    with git_server(repository.bare.parents[1]) as address:
        yield f"{address}/o/r.git"


@dataclass(frozen=True)
class Done:
    """A binary that ended."""

    exit_code: int
    output: str
    """What it printed."""
    handed_on: Path
    """The file that STEP_OUTPUT named."""
    temporary: Path
    """The folder for temporary files that it had to itself."""

    @property
    def left_behind(self) -> list[str]:
        return sorted(entry.name for entry in self.temporary.iterdir())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the operator gives a binary, with a folder for temporary files that the test can look into."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(DAGS),
        "STEP_OUTPUT": str(tmp_path / "handed-on.json"),
    }


@pytest.fixture
def step(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Done]:
    """Run `python -m steps.NAME ARGS` to its end."""

    def run(*args: object, **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, args)],
            cwd=tmp_path,
            env=environment | more,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        return Done(
            exit_code=done.returncode,
            output=done.stdout.decode("utf-8", "replace"),
            handed_on=Path(environment["STEP_OUTPUT"]),
            temporary=Path(environment["TMPDIR"]),
        )

    return run
