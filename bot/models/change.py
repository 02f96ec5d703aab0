"""What a decision changes, what we remember, and what a pull request shows of it."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models.github import Repository, Status, Subject
    from bot.models.run import CancelKind, Run


class CommentPolicy(enum.Enum):
    """When a pull request gets the table of its pipelines; what it must be told is said in any case."""

    ALWAYS = "always"
    FAILURES = "failures"  # once something failed
    OFF = "off"


class StatusPolicy(enum.Enum):
    """Which statuses a pipeline has."""

    PIPELINE = "pipeline"  # preflight/NAME
    STEP = "step"  # preflight/NAME/STEP beside it


class ReportAs(enum.Enum):
    """What stands under a commit. Check runs need a GitHub App; without one there are statuses."""

    STATUSES = "statuses"
    CHECKS = "checks"
    BOTH = "both"

    @property
    def statuses(self) -> bool:
        """Whether statuses are shown."""
        return self is not ReportAs.CHECKS

    @property
    def checks(self) -> bool:
        """Whether check runs are shown."""
        return self is not ReportAs.STATUSES


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """How a repository wants to be told, as its configuration said when last decided on."""

    comment: CommentPolicy = CommentPolicy.ALWAYS
    statuses: StatusPolicy = StatusPolicy.PIPELINE
    shown_as: ReportAs = ReportAs.STATUSES


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one context says about one head: the word of a run, or a fixed one where nothing runs.

    Exactly one of `run` and `status` is set. `pipeline` is empty for contexts that are not a pipeline's.
    `override`: a maintainer said so, and no later result changes it.
    """

    context: str
    pipeline: str
    run: Run | None = None
    status: Status | None = None
    override: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What we ourselves remember of a pull request or branch.

    `runs`, oldest first; `pushers`: who put which head there; `verdicts`: what contexts say about its present
    head; `head_seen_at`: when we first heard of that head, None if we don't know; `notice`: what stands above
    its comment's table; `approved`: the heads that somebody approved; `closed`: we heard that it is, at this
    head; `decision`: the latest decision that all this holds.
    """

    runs: tuple[Run, ...] = ()
    pushers: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    head_seen_at: datetime | None = None
    notice: str = ""
    approved: frozenset[str] = frozenset()
    closed: bool = False
    decision: int = 0


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Runs to stop, and why."""

    run_ids: tuple[str, ...]
    kind: CancelKind
    reason: str


CLICK = 0
"""Stands for the comment's id where a click on a check run is answered, until it gets one of its own."""


def click_id(delivery_id: str) -> int:
    """What stands for the comment's id in the answer to a click: below zero, another for each click."""
    return -int.from_bytes(hashlib.sha256(delivery_id.encode(errors="surrogatepass")).digest()[:7]) - 1


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer a comment with: always a reaction, and a reply unless it is empty.

    A click on a check run counts as a comment with an id below zero (`click_id`), which takes no reaction.
    The reply to a comment that asked for dry runs goes on with what they print (`Run.comment_id`).
    """

    comment_id: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a decision changes for one pull request or branch; stored whole or not at all.

    `verdicts` are what contexts show from now on; a run among them is new, and gets its attempt when it
    is stored. `dry_runs` are new runs that no context shows. `resumed` are the ids of finished runs that go
    on where they failed, shown by their contexts again. `approved` is the head that somebody approved.
    `notice` and `report` are None to leave the comment's notice and the policy as they are. `after` is the
    latest decision that this one took into account, None if it does not depend on any.

    `kind`, `reason` and `what` (its actions in words) are for the audit.
    """

    subject: Subject
    delivery_id: str
    actor: str
    kind: str
    reason: str
    what: str = ""
    verdicts: tuple[Verdict, ...] = ()
    dry_runs: tuple[Run, ...] = ()
    resumed: tuple[str, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    approved: str | None = None
    reply: Reply | None = None
    notice: str | None = None
    report: ReportPolicy | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """One decision, as the run page shows it: who, what, why, when."""

    actor: str
    kind: str
    reason: str
    what: str
    head_sha: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class FlakyTest:
    """A test that failed and then passed at the same SHA; it failed in `failed` of its last `runs` runs."""

    step: str
    name: str
    failed: int
    runs: int


@dataclass(frozen=True, slots=True)
class Past:
    """What is known beside a run that tells how usual it is.

    `usual` is the median of the seconds that the last 20 successful runs of its pipeline into its base branch
    took, None where there is none. `before` is the run that its context showed before it on the same pull
    request and that ended by itself (passed, failed, timed out), None if it is the first. `flaky` are tests
    of which this run (or a later one) is the proof.
    """

    usual: float | None = None
    before: Run | None = None
    flaky: tuple[FlakyTest, ...] = ()


NO_PAST = Past()


@dataclass(frozen=True, slots=True)
class PullView:
    """All that a pull request's comment is rendered from; `past` is by the run's id."""

    repository: Repository
    number: int
    head_sha: str
    verdicts: Sequence[Verdict]
    notice: str = ""  # Markdown of our own, shown above the table (what is needed, or broken)
    report: ReportPolicy = field(default_factory=ReportPolicy)
    past: Mapping[str, Past] = field(default_factory=dict)
