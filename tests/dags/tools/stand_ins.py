"""Recorded stand-ins of gcloud, kubectl, helm, kind, docker, podman and buildah, for a PATH.

Each call is written down. Each is answered by the first rule that matches it (`says`), otherwise by a little
cloud (`clouds/`) that remembers which clusters, namespaces, releases, objects and images there are, so that
whole pipelines can run against it.
"""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PROGRAMS = ("gcloud", "kubectl", "helm", "kind", "docker", "podman", "buildah")
_ROOT = Path(__file__).resolve().parents[3]
_WAIT = 30.0
_EMPTY = {"looks": 0, "outcomes": {}, "gke": {}, "operations": {}, "kind": {}, "images": {}, "registry": {}}


@dataclass(frozen=True)
class Call:
    """One call of a stand-in."""

    program: str
    argv: tuple[str, ...]
    """Without the program's name."""
    stdin: str
    """What it was given, where its arguments say that it reads standard input."""
    environment: frozenset[str]
    """The names that it saw, never their values."""

    def __str__(self) -> str:
        return shlex.join([self.program, *self.argv])


@dataclass(frozen=True)
class StandIns:
    """Some programs in a folder for PATH, and what becomes of their calls."""

    folder: Path

    @classmethod
    def install(cls, folder: Path, programs: Sequence[str] = PROGRAMS, *, real: Sequence[str] = ()) -> Self:
        """Make `folder`/bin with stand-ins for `programs`, and links to the `real` ones that a test needs."""
        made = cls(folder)
        bin_ = folder / "bin"
        bin_.mkdir(parents=True)
        for program in programs:
            path = bin_ / program
            path.write_text(
                f"#!{sys.executable} -IS\nimport sys\nsys.path.insert(0, {str(_ROOT)!r})\n"
                f"from tests.dags.tools.answer import main\nmain({program!r}, {str(folder)!r})\n",
                encoding="utf-8",
            )
            path.chmod(0o755)
        for program in real:
            bin_.joinpath(program).symlink_to(shutil.which(program) or program)
        made._file("cloud").write_text(json.dumps(_EMPTY | {"kube": {"current": _kube()}}), encoding="utf-8")
        made._file("rules").write_text("[]", encoding="utf-8")
        made._file("calls").touch()
        return made

    @property
    def only(self) -> str:
        """A PATH with nothing but the stand-ins and what was linked."""
        return str(self.folder / "bin")

    @property
    def path(self) -> str:
        """A PATH with the stand-ins before everything else."""
        return f"{self.only}{os.pathsep}{os.environ['PATH']}"

    def says(
        self,
        pattern: str,
        stdout: str = "",
        *,
        stderr: str = "",
        exit_code: int = 0,
        times: int | None = None,
        acts: bool = False,
        hangs: bool = False,
        writes: dict[str, str] | None = None,
    ) -> None:
        """Answer calls whose command line (`gcloud container clusters create x ...`) matches a regex.

        Rules that were added first win, as long as they have `times` left. With `acts` the little cloud does
        what was asked all the same, and only the answer is the rule's: an answer that got lost. With `hangs`
        it answers, then doesn't end until it is killed (or whoever started it is gone); with both, GKE's
        cluster is left PROVISIONING and helm's release pending. `writes` are files that it leaves, by path.
        """
        with self._locked():
            rules = self._load("rules")
            rules.append(
                {
                    "pattern": pattern,
                    "stdout": stdout,
                    "stderr": stderr,
                    "exit_code": exit_code,
                    "times": times,
                    "acts": acts,
                    "hangs": hangs,
                    "writes": writes or {},
                }
            )
            self._store("rules", rules)

    def calls(self, pattern: str = "") -> list[Call]:
        """Return the calls so far, in order, whose command line holds all words of `pattern`."""
        with self._locked():
            lines = self._file("calls").read_text(encoding="utf-8").splitlines()
        calls = [
            Call(each["program"], tuple(each["argv"]), each["stdin"], frozenset(each["environment"]))
            for each in map(json.loads, lines)
        ]
        return [call for call in calls if all(word in str(call) for word in pattern.split())]

    def commands(self, pattern: str = "") -> list[str]:
        """Return the same as command lines, quoted for a shell."""
        return [str(call) for call in self.calls(pattern)]

    def forget(self) -> None:
        """Forget the calls so far; the cloud stays as it is."""
        with self._locked():
            self._file("calls").write_text("", encoding="utf-8")

    def wait_for(self, pattern: str, count: int = 1) -> list[Call]:
        """Wait until `count` calls hold the words of `pattern`.

        Raises:
            TimeoutError: they did not come.
        """
        deadline = time.monotonic() + _WAIT
        while len(calls := self.calls(pattern)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {count} calls of {pattern!r} among {self.commands()}")
            time.sleep(0.01)
        return calls

    @property
    def cloud(self) -> dict[str, Any]:
        """What there is now; see clouds/."""
        with self._locked():
            cloud: dict[str, Any] = self._load("cloud")
        return cloud

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Change what there is: `with stand_ins.change() as cloud: cloud["looks"] = 2`.

        `looks`: how often one sees a cluster or namespace unfinished (PROVISIONING, STOPPING, Terminating)
        before it is done; `outcomes`: the `status` that objects get, by kind (`{"Job": {...}}`), after as
        many looks; `stockouts`: how many creations on GKE leave a cluster in ERROR.
        """
        with self._locked():
            cloud = self._load("cloud")
            yield cloud
            self._store("cloud", cloud)

    def left(self) -> list[str]:
        """Return what still is there: clusters, namespaces with labels, releases in the current cluster."""
        cloud = self.cloud
        current = cloud["kube"]["current"]
        spaces = [f"namespace {name}" for name, space in current["namespaces"].items() if space["labels"]]
        releases = [f"release {name}" for name in current["releases"]]
        return sorted([*(f"cluster {name}" for name in (*cloud["gke"], *cloud["kind"])), *spaces, *releases])

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _load(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        return json.loads(self._file(name).read_text(encoding="utf-8"))

    def _store(self, name: str, value: object) -> None:
        self._file(name).write_text(json.dumps(value), encoding="utf-8")


def _kube() -> dict[str, Any]:
    """Return a Kubernetes cluster as it is at first."""
    spaces = {name: {"labels": {}, "phase": "Active"} for name in ("default", "kube-system")}
    return {"namespaces": spaces, "objects": {}, "releases": {}}
