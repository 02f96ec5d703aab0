"""The domain's words, as frozen dataclasses that know no I/O.

What strangers control as free text (titles, branch names, labels) is carried as data and never
interpreted; whoever renders it is responsible for escaping it (see `bot.report.markdown`).
All times are aware datetimes in UTC.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery whose signature was verified.

    `id` is the `X-GitHub-Delivery` header (not covered by the signature); `lane` orders deliveries:
    those of one lane are handled one at a time, in the order of arrival.
    """

    id: str
    event: str
    body: bytes
    lane: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub knows it. `id` survives a renaming, `full_name` ("owner/name") does not."""

    id: int
    full_name: str
    private: bool = False
    clone_url: str = ""

    @property
    def owner(self) -> str:
        """The account that holds the repository."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The repository's name without its owner."""
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as GitHub has it now (not as a delivery remembered it).

    `head_repository` is None when the fork was deleted. `comments` is GitHub's count of issue comments.
    """

    repository: Repository
    number: int
    open: bool
    draft: bool
    title: str
    author: str
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_ref: str
    updated_at: datetime
    labels: tuple[str, ...] = ()
    comments: int = 0

    @property
    def fork(self) -> bool:
        """Whether the head lies in another repository than the base."""
        return self.head_repository is None or (
            self.head_repository.lower() != self.repository.full_name.lower()
        )


class Permission(enum.Enum):
    """What a user may do in a repository: GitHub's `role_name`, custom roles mapped to their base role."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    @property
    def can_write(self) -> bool:
        """Whether the user may push to the repository."""
        return self in (Permission.WRITE, Permission.MAINTAIN, Permission.ADMIN)


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """The paths that a pull request touches, renames with both names.

    `complete` is False where GitHub cut its list (3,000 files); then every filter matches.
    """

    paths: tuple[str, ...]
    complete: bool = True


class StatusState(enum.Enum):
    """The states of a commit status, from the REST API."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Status:
    """One commit status: at most 140 characters of description (GitHub answers 422 beyond)."""

    context: str
    state: StatusState
    description: str
    target_url: str = ""


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
class StepResult:
    """What a step's binary left in its `preflight` XCom, if it lived to do so.

    `reason` is a short text ("exit 1 after 42s"), `reproduce` the one line that repeats the step by hand,
    `argv` the exact command that ran.
    """

    exit_code: int | None = None
    reason: str = ""
    reproduce: str = ""
    argv: str = ""


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


class Phase(enum.Enum):
    """Where a run stands with us."""

    WANTED = "wanted"  # decided and stored, not yet in Airflow
    ACTIVE = "active"  # Airflow has it
    FINISHED = "finished"


class Outcome(enum.Enum):
    """How a run ended."""

    SUCCESS = "success"
    FAILURE = "failure"  # a step failed
    ERROR = "error"  # it could not be run as asked: no such DAG, bad params, lost in Airflow
    CANCELLED = "cancelled"


class CancelKind(enum.Enum):
    """What stopped a run; only a person's word keeps a push from running it again."""

    PUSH = "push"  # a newer head or another base took its place
    CLOSED = "closed"  # the pull request was closed
    COMMAND = "command"  # somebody asked for it
    RERUN = "rerun"  # a newer run of the same pipeline at the same head took its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One DAG run for one pipeline at one head SHA, from the decision to its outcome.

    `id` is 128 random bits in hexadecimal and names the run's page. `conf` is all that Airflow gets.
    `cancel` says why the run was asked to stop ("superseded by 1a2b3c4"), None if it was not.
    `note` says what a run that Airflow does not have yet is waiting for. `reason` explains `outcome`.
    """

    id: str
    repository: Repository
    number: int
    pipeline: str
    dag_id: str
    head_sha: str
    base_ref: str
    attempt: int
    actor: str
    created_at: datetime
    conf: Mapping[str, object] = field(repr=False)
    dryrun: bool = False
    phase: Phase = Phase.WANTED
    dag_run_id: str | None = None
    cancel: str | None = None
    cancel_kind: CancelKind | None = None
    note: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    steps: tuple[Step, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether the run has an outcome."""
        return self.phase is Phase.FINISHED

    @property
    def ref(self) -> RunRef | None:
        """The DAG run's name in Airflow, once it has one."""
        return None if self.dag_run_id is None else RunRef(self.dag_id, self.dag_run_id)


@dataclass(frozen=True, slots=True)
class History:
    """What we ourselves remember of a pull request.

    Its runs, oldest first; who pushed which head; whether its head shows a broken configuration; and the
    latest decision that all this holds.
    """

    runs: tuple[Run, ...] = ()
    pushers: Mapping[str, str] = field(default_factory=dict)
    config_broken: bool = False
    decision: int = 0


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Runs to stop, and why."""

    run_ids: tuple[str, ...]
    kind: CancelKind
    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer a comment with: always a reaction, and a reply unless it is empty."""

    comment_id: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a decision changes for one pull request; stored whole or not at all.

    `verdicts` are what contexts show from now on; a run among them is new, and gets its attempt when it
    is stored. `notice` is None to leave the comment's notice as it is. `after` is the latest decision that
    this one took into account, None if it does not depend on any.
    """

    pull: PullRequest
    delivery_id: str
    actor: str
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    reply: Reply | None = None
    notice: str | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one context says about one head: the word of a run, or a fixed one where nothing runs.

    Exactly one of `run` and `status` is set. `pipeline` is empty for contexts that are not a pipeline's.
    """

    context: str
    pipeline: str
    run: Run | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class PullView:
    """All that a pull request's comment is rendered from."""

    repository: Repository
    number: int
    head_sha: str
    verdicts: Sequence[Verdict]
    notice: str = ""  # Markdown of our own, shown above the table (a broken configuration)
