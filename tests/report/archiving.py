"""Finished runs, an archiver, and all that is around it, moved by hand."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.adapters.artifacts import FsspecArtifacts
from bot.models import LogLine, Outcome, Phase, Run, RunRef, Step, StepResult, StepState
from bot.report.archive.archiver import Archiver
from tests.examples import HEAD, at
from tests.examples import run as wanted
from tests.fakes.airflow import FakeAirflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.errors import PreflightError
    from bot.models import Artifact

REF = RunRef("checks", "preflight~1")
FOLDER = "pr-logs/pull/acme_widgets/12/unit/1"
DIRECTORY = "pr-logs/directory/acme_widgets/unit"
PAGE = "https://preflight.example/runs/1"
TOKEN = "ghp_" + "a1B2c3D4" * 5


def step(task_id: str, state: StepState = StepState.SUCCEEDED, reason: str = "", **changes: object) -> Step:
    tried = 0 if state in (StepState.BLOCKED, StepState.SKIPPED, StepState.WAITING) else 1
    result = StepResult(exit_code=0 if state is StepState.SUCCEEDED else 1, reason=reason) if tried else None
    known = Step(task_id, -1, task_id, state, tried, at(3), at(45), result)
    return replace(known, **changes) if changes else known  # type: ignore[arg-type] # the test knows


def finished(run_id: str = "1", *, outcome: Outcome = Outcome.SUCCESS, **changes: object) -> Run:
    """A run of alice's pull request that is over."""
    conf = {
        "ARTIFACTS_PATH": f"pr-logs/pull/acme_widgets/12/unit/{run_id}",
        "PULL_REFS": f"main:{'b' * 40},12:{HEAD}",
        "JOB_TYPE": "presubmit",
        "preflight": {"run_id": run_id, "run_page": PAGE},
    }
    known = replace(
        wanted(run_id=run_id),
        conf=conf,
        phase=Phase.FINISHED,
        outcome=outcome,
        dag_run_id=REF.dag_run_id,
        started_at=at(2),
        finished_at=at(60),
        steps=(step("lint"),),
    )
    return replace(known, **changes) if changes else known  # type: ignore[arg-type] # the test knows


class Queue:
    """An ArchiveStore: runs that are due, and what was said about each."""

    def __init__(self, *runs: Run) -> None:
        self.due = list(runs)
        self.said: list[tuple[str, float | None]] = []

    def claim_archive(self) -> Run | None:
        return self.due.pop(0) if self.due else None

    def archived(self, run: Run, *, seconds: float | None) -> None:
        self.said.append((run.id, seconds))

    def next_due(self) -> float | None:
        return None


class Place:
    """An ArtifactStore that remembers the order of writes, and fails when told to."""

    def __init__(self) -> None:
        self.files = FsspecArtifacts(f"memory://{uuid.uuid4()}")
        self.written: list[str] = []
        self.fails: PreflightError | None = None

    def write(self, path: str, content: Iterable[bytes]) -> None:
        if self.fails is not None:
            raise self.fails
        self.files.write(path, content)
        self.written.append(path)

    def list(self, folder: str, most: int) -> Sequence[Artifact]:
        return self.files.list(folder, most)

    def read(self, path: str, most: int) -> Iterator[bytes] | None:
        return self.files.read(path, most)

    def text(self, path: str) -> str:
        pieces = self.read(path, 100_000_000)
        assert pieces is not None, f"there is no {path}"
        return b"".join(pieces).decode()

    def json(self, path: str) -> Mapping[str, object]:
        content = json.loads(self.text(path))
        assert isinstance(content, dict)
        return content


class World:
    """An archiver with all that is around it; `now` moves by hand."""

    def __init__(self) -> None:
        self.airflow = FakeAirflow()
        self.place = Place()
        self.queue = Queue()
        self.now: datetime = at(100)
        self.pauses: list[float] = []
        self.seconds = 0.0
        self.archiver = Archiver(
            self.queue,
            self.place,
            self.airflow,
            ["hunter2hunter2"],
            lambda: self.now,
            pause=self.pauses.append,
            timer=lambda: self.seconds,
        )

    def printed(self, task_id: str, *lines: str | LogLine) -> None:
        """Airflow has this log of the step."""
        if "checks" not in self.airflow._dags:  # noqa: SLF001 - one DAG for all of the test
            self.airflow.add_dag("checks", ["lint", "test", "deploy"])
            self.airflow.trigger(REF, {}, "")
        self.airflow.step(REF, task_id, StepState.RUNNING)
        self.airflow.set_log(REF, task_id, lines)

    def archive(self, *runs: Run) -> list[float | None]:
        """Archive them; what was said about each."""
        self.queue.due += runs
        before = len(self.queue.said)
        while self.archiver.archive():
            pass
        return [seconds for _, seconds in self.queue.said[before:]]

    def wait_after(self, run: Run) -> float:
        """Archive it, which fails; the seconds until the next try, which pass."""
        (seconds,) = self.archive(run)
        assert seconds is not None
        self.seconds += seconds
        return seconds

    def log(self) -> str:
        return self.place.text(f"{FOLDER}/build-log.txt")
