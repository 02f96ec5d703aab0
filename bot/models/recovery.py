"""What GitHub's delivery log tells, and what an audit of pull requests compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.models.github import Repository, Status

SUCCESSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class DeliveryLogRef:
    """One of GitHub's logs of what it delivered to us: our App's, or that of a repository's webhooks.

    `repository` is None for the App's, which is about all that it is installed on.
    """

    repository: Repository | None = None

    @property
    def name(self) -> str:
        """What tells it from others, the same for ever."""
        return "app" if self.repository is None else str(self.repository.id)

    def __str__(self) -> str:
        return "the App" if self.repository is None else self.repository.full_name


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of a delivery log: GitHub tried to deliver.

    `guid` is the `X-GitHub-Delivery` of all attempts for one event, `id` is this attempt's. `status_code` is
    our answer's, or GitHub's own (502: no connection, 504: no answer in time). `hook` is the webhook's id, 0
    for an App's only one.
    """

    id: int
    guid: str
    delivered_at: datetime
    status_code: int
    event: str
    redelivery: bool = False
    hook: int = 0

    @property
    def ok(self) -> bool:
        """Whether we took it."""
        return self.status_code in SUCCESSES


@dataclass(frozen=True, slots=True)
class DeliveryLogPart:
    """What a log says since some moment, newest first; its successes may be left out.

    `begins` is when there began to be a log, None if nobody knows that it began later than asked for.
    """

    attempts: tuple[Attempt, ...]
    begins: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedPull:
    """A pull request in one of GitHub's lists, less detailed than `PullRequest`."""

    number: int
    open: bool
    draft: bool
    head_sha: str
    base_ref: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class KnownPull:
    """A pull request as we last heard of it.

    `heads` are all that we ever heard of, `told` those that a context says something about. `waits` are the
    descriptions of the fixed pending statuses of its present head.
    """

    number: int
    open: bool
    head_sha: str
    base_ref: str
    heads: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ShownPull:
    """What an open pull request shows as far as we know: the statuses of its head, and our comment's id."""

    number: int
    head_sha: str
    statuses: tuple[Status, ...] = field(default=())
    comment_id: int | None = None


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """A delivery in our inbox, without its body. `state` is queued, working, done, ignored or parked."""

    id: str
    event: str
    state: str
    reason: str
    received_at: datetime
