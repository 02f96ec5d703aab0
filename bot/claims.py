"""What the store hands out: work that this process holds for a while, and what was shown to whom."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from bot.models import Delivery, Limit, Reply, Repository, Run, Status


class Receipt(enum.Enum):
    """What became of a delivery that was handed to the inbox."""

    STORED = "stored"
    REPEATED = "repeated"  # queued or done already
    REQUEUED = "requeued"  # it was parked, and gets another chance


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery that this worker holds until its lease ends; `tries` counts this one too.

    `age` is for how many seconds we have had it, `reason` why the last try was none that ended it.
    """

    delivery: Delivery
    token: str
    tries: int
    age: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run that this worker holds until `lease`.

    `version` tells whether something changed meanwhile. `nudged`: Airflow has just hinted at a change, which
    its API may not show yet.
    """

    run: Run
    version: int
    cancel_sent: bool
    lease: datetime
    nudged: bool = False


@dataclass(frozen=True, slots=True)
class PullClaim:
    """A pull request whose report this worker holds until `lease`.

    `version` tells whether something changed meanwhile, `failures` counts reports that failed in a row.
    """

    repository: Repository
    number: int
    version: int
    failures: int
    lease: datetime


@dataclass(frozen=True, slots=True)
class ShownComment:
    """What we know of a pull request's comment. `search` says that one of ours may be there unknown to us.

    `digest` is that of the body that it shows, `sent_at` when it was sent. `failing` names what had failed
    when it was posted (not edited) last, and `posted_for` is the head that it was posted for, so that it is
    posted anew for what newly fails. `old_id` is a comment that this one takes the place of and that may
    still have to be deleted.
    """

    id: int | None
    digest: str
    sent_at: datetime | None
    search: bool
    failing: frozenset[str] = frozenset()
    posted_for: str = ""
    old_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """A status as we last managed to show it; `times` counts those sent for this SHA and context."""

    status: Status
    sent_at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """A check run as we last managed to show it.

    `id` is None if it was about to be created when we last wrote: then it is looked for by its external id.
    `digest` is that of what it shows, `annotated` how many annotations it has. `annotating`: a batch of them
    was under way, so that GitHub knows better how many there are.
    """

    name: str
    external_id: str
    id: int | None
    digest: str
    sent_at: datetime
    annotated: int = 0
    annotating: bool = False
    completed: bool = False


class Urgency(enum.Enum):
    """Who goes first where GitHub's limits leave room for a part only, the most urgent first."""

    FINAL_STATUS = "final_status"
    FINAL_COMMENT = "final_comment"  # answers to commands, too
    LOOKUP = "lookup"  # what a decision has to know
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Window:
    """At most `most` units within `seconds`; `name` tells budgets apart ("points", "content")."""

    name: str
    seconds: float
    most: float


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs a list shows, newest first; empty and None mean all.

    `repository` is a full name, `state` an Outcome's value or "unfinished", `after` the `seq` of the last run
    of the page before. Private repositories' runs are left out but for those whose ids are in `private`.
    """

    repository: str = ""
    number: int | None = None
    pipeline: str = ""
    branch: str = ""
    state: str = ""
    author: str = ""
    after: int | None = None
    most: int = 50
    private: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run in a list; `seq` orders runs as they were stored. The run's conf and steps may be left empty."""

    seq: int
    run: Run


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A comment that waits for its answer. `reacted` and `attempted` say what may be there already.

    `dry_runs` are the runs that the reply tells of. `posted_id` and `digest` are those of the reply that is
    there, None and empty before. `asked_at` is when the comment was decided on.
    """

    reply: Reply
    reacted: bool
    attempted: bool
    asked_at: datetime
    dry_runs: tuple[Run, ...] = ()
    posted_id: int | None = None
    digest: str = ""


class Need(enum.Enum):
    """How a pipeline stands that a waiting run needs, at the run's own head."""

    MISSING = "missing"  # nothing was ever decided about it
    PENDING = "pending"
    PASSED = "passed"  # skipped and overridden ones too
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A run that waits for its turn, oldest first: what it may not exceed, and what must pass before."""

    id: str
    limits: tuple[Limit, ...]
    needs: Mapping[str, Need]
    note: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of a waiting run: it may start, or waits on and says why, or can't run (`refusal`)."""

    run_id: str
    admitted: bool
    note: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long what is finished is kept."""

    deliveries: timedelta
    logs: timedelta
    runs: timedelta
