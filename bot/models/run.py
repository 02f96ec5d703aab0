"""Our own words: a run, from the decision to its outcome."""

from __future__ import annotations

import enum
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.models.airflow import RunRef

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.models.airflow import Step
    from bot.models.github import Repository


PREFIX = "preflight/"
CONFIG_CONTEXT = f"{PREFIX}config"
PROPOSED_CONTEXT = f"{PREFIX}config (proposed)"
"""What a pull request's own version of the configuration shows: it is checked, not used."""

LONGEST_CONTEXT = 200

DAY = 86_400.0
"""Seconds that a run may take where nobody said anything else."""

ARTIFACTS_PATH = "ARTIFACTS_PATH"
"""The key of conf that names the run's folder below where all artifacts are kept."""


class Phase(enum.Enum):
    """Where a run stands with us."""

    WANTED = "wanted"  # decided and stored, not yet in Airflow
    RESUMING = "resuming"  # it had ended, and is to go on in Airflow where it failed
    ACTIVE = "active"  # Airflow has it
    FINISHED = "finished"


class Outcome(enum.Enum):
    """How a run ended."""

    SUCCESS = "success"
    FAILURE = "failure"  # a step failed
    ERROR = "error"  # it could not be run as asked: no such DAG, bad params, lost in Airflow
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class CancelKind(enum.Enum):
    """What stopped a run; only a person's word keeps a push from running it again."""

    PUSH = "push"  # a newer head or another base took its place
    CLOSED = "closed"  # the pull request was closed, or the merge group taken apart
    DRAFT = "draft"  # the pull request became a draft
    TIMEOUT = "timeout"  # it took longer than its pipeline may
    COMMAND = "command"  # somebody asked for it
    RERUN = "rerun"  # a newer run of the same pipeline at the same head took its place


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` runs that share `key` are in Airflow at once."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class LogMatcher:
    """Lines of a log that a repository wants shown when a step fails: RE2 `pattern`, with lines around."""

    name: str
    pattern: str
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What was configured for a run when it was decided on.

    `timeout` is in seconds from then on, waiting included. `needs` names pipelines that must have passed at
    the same head before it starts. An `optional` run's failure is not held against the pull request; one that
    is not to be superseded (`supersede` False) goes on after a push.
    `matchers` find more lines that explain a failed step.
    """

    timeout: float = DAY
    optional: bool = False
    supersede: bool = True
    needs: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    matchers: tuple[LogMatcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One DAG run for one pipeline at one head SHA, from the decision to its outcome.

    `id` is 128 random bits in hexadecimal and names the run's page. `conf` is all that Airflow gets.
    `number` is the pull request's; below zero for a branch, which `branch` then names.
    `inputs` are those that a command gave. `comment_id` is the comment that a dry run answers.
    `admitted`: its limits and needs let it go to Airflow; `note` says what it waits for until it is there.
    `resumed_at` is when it was last asked to go on after it had ended.
    `cancel` says why the run was asked to stop ("superseded by 1a2b3c4"), None if it was not.
    `reason` explains `outcome`.
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
    branch: str = ""
    dryrun: bool = False
    comment_id: int | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    admitted: bool = False
    phase: Phase = Phase.WANTED
    dag_run_id: str | None = None
    cancel: str | None = None
    cancel_kind: CancelKind | None = None
    note: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    steps: tuple[Step, ...] = ()
    resumed_at: datetime | None = None
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

    @property
    def asked_at(self) -> datetime:
        """When somebody last asked for it: its timeout counts from here."""
        return self.resumed_at or self.created_at

    @property
    def context(self) -> str:
        """The status context that shows the run; one of its own if inputs were given."""
        return context_of(self.pipeline, self.inputs)

    @property
    def author(self) -> str:
        """Who wrote what is tested, as far as it has an author: of a branch, who had it tested."""
        ours = self.conf.get("preflight")
        untrusted = ours.get("untrusted") if isinstance(ours, dict) else None
        author = untrusted.get("author") if isinstance(untrusted, dict) else None
        return author if isinstance(author, str) and author else self.actor

    @property
    def base_sha(self) -> str:
        """The tip of the base branch that the run was decided on."""
        return str(self.conf.get("PULL_BASE_SHA", ""))


def external_id(number: int, run: Run | None) -> str:
    """What we call a check run, so that a click on it finds the pull request (or branch) and the run.

    A run that goes on has another one than before: it gets a new check run, since annotations stay.
    """
    if run is None:
        return f"{number}::"
    return f"{number}:{run.id}:{'' if run.resumed_at is None else round(run.resumed_at.timestamp())}"


def read_external_id(text: str) -> tuple[int, str] | None:
    """The number and the run's id ("" where no run was shown), None for an id that is not ours."""
    found = re.fullmatch(r"(-?[0-9]{1,18}):((?:[0-9a-f]{32})?):[0-9]{0,12}", text, re.ASCII)
    return None if found is None else (int(found[1]), found[2])


def context_of(pipeline: str, inputs: Mapping[str, object] | None = None) -> str:
    """`preflight/NAME`, or `preflight/NAME (KEY=VALUE, ...)`, with a hash where GitHub would refuse it.

    A run with inputs of its own so never turns a required `preflight/NAME` green.
    """
    if not inputs:
        return PREFIX + pipeline
    said = ", ".join(f"{key}={written(value)}" for key, value in sorted(inputs.items()))
    whole = f"{PREFIX}{pipeline} ({said})"
    fit = "".join(character if _is_welcome(character) else "?" for character in whole)
    if fit == whole and len(whole) <= LONGEST_CONTEXT:
        return whole
    digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{fit[: LONGEST_CONTEXT - len(digest) - 3]}… {digest})"


def _is_welcome(character: str) -> bool:
    """Whether GitHub takes it in a context."""
    return character.isprintable() and character <= "\uffff"


def written(value: object) -> str:
    """An input's value as a command writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class TicketUse:
    """One exchange of a run's ticket, of which each try of a step (a task that is not mapped) has one."""

    run_id: str
    task_id: str
    try_number: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file that a run left: its path below the run's folder, and its size in bytes."""

    path: str
    size: int
