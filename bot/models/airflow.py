"""What Airflow tells: DAGs, DAG runs, steps and their logs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class StepState(enum.Enum):
    """What a step (a task instance) is doing, as people see it; `AIRFLOW_STATES` maps Airflow's words."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BLOCKED = "blocked"  # not started, because a step before it failed
    SKIPPED = "skipped"
    REMOVED = "removed"
    CANCELLED = "cancelled"  # stopped with its run, which Airflow calls failed

    @property
    def finished(self) -> bool:
        """Whether the step will not change any more (short of a retry by hand)."""
        return self in FINISHED_STEPS


FINISHED_STEPS = frozenset(
    {
        StepState.SUCCEEDED,
        StepState.FAILED,
        StepState.BLOCKED,
        StepState.SKIPPED,
        StepState.REMOVED,
        StepState.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class TestFailure:
    """One test that failed, as a JUnit file tells it. `line` is None and `file` empty where it does not say.

    `name` is unique within its step: "tests/test_app.py::test_add", "com.acme.AppTest.add".
    `file` is relative to the repository where it could be told. `seconds` is how long the test took.
    """

    __test__: ClassVar[bool] = False  # pytest: this is no test

    name: str
    message: str = ""
    file: str = ""
    line: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TestResults:
    """What the JUnit files of one step say together.

    `failures` are the first of `failed` tests (errors included). `flaky` are tests that failed and then
    passed within the step. `notes` say what could not be read ("junit.xml is not well-formed").
    """

    __test__: ClassVar[bool] = False  # pytest: this is no test

    total: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float | None = None
    failures: tuple[TestFailure, ...] = ()
    flaky: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether `failures` names every test that failed, so that all others passed or were skipped."""
        return len(self.failures) == self.failed and not self.notes


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step's binary left in its `preflight` XCom, if it lived to do so.

    `reason` is a short text ("exit 1 after 42s"), `reproduce` the one line that repeats the step by hand,
    `argv` the exact command that ran. `tests` is None where the step left no JUnit file. `artifacts` is how
    many files were kept, and `dropped` says what of them was not ("3 files, 120 MB: over the limit").
    """

    exit_code: int | None = None
    reason: str = ""
    reproduce: str = ""
    argv: str = ""
    tests: TestResults | None = None
    artifacts: int = 0
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One task instance of a run. `map_index` is -1 for a task that is not mapped.

    `name` is what people call it: the task id, or a mapped task's own name. `excerpt` holds the lines of
    its log that matter, redacted, once it failed.
    """

    task_id: str
    map_index: int
    name: str
    state: StepState
    try_number: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: StepResult | None = None
    excerpt: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What identifies the step within its run."""
        return (self.task_id, self.map_index)


class DagRunState(enum.Enum):
    """Airflow's words for a DAG run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether Airflow is done with the run."""
        return self in (DagRunState.SUCCESS, DagRunState.FAILED)


@dataclass(frozen=True, slots=True)
class DagRun:
    """A DAG run as Airflow has it now, with its steps in the DAG's order where known."""

    state: DagRunState
    steps: tuple[Step, ...]
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRef:
    """How Airflow names a DAG run."""

    dag_id: str
    dag_run_id: str


@dataclass(frozen=True, slots=True)
class Dag:
    """What the bot needs to know of a DAG before it triggers it.

    `params` maps each declared Param's name to its JSON Schema (empty where the Param declares none).
    """

    id: str
    tags: frozenset[str]
    paused: bool
    params: Mapping[str, Mapping[str, object]]
    import_error: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a task's log, as the task wrote it: neither redacted nor made safe.

    `logger` tells the step's own output from Airflow's remarks.
    """

    text: str
    logger: str = ""
    level: str = ""

    @property
    def own(self) -> bool:
        """Whether the step's operator wrote it, and not Airflow around it."""
        return self.logger.startswith("airflow.task.operators.")
