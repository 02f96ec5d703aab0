"""What making good for missed deliveries needs from GitHub and from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.models import (
        Attempt,
        Delivery,
        DeliveryLogPart,
        DeliveryLogRef,
        KnownDelivery,
        KnownPull,
        ListedPull,
        Quota,
        Repository,
        ShownPull,
        Status,
    )


class DeliveryLog(Protocol):
    """GitHub's logs of what it delivered to us; it keeps them for three days.

    Each method raises GitHubUnavailable or GitHubRateLimited where a retry may help, DeliveryLogUnreadable
    where there is no log for us, and other GitHubRefused where our credentials are no good.
    """

    def is_apps(self) -> bool:
        """Whether there is one log for all repositories, our App's. Asks nothing."""
        ...

    def read(self, log: DeliveryLogRef, since: datetime, *, failed: bool = True) -> DeliveryLogPart:
        """What was delivered since then, newest first. With `failed`, successes may be left out."""
        ...

    def redeliver(self, log: DeliveryLogRef, attempt: Attempt) -> None:
        """Ask for one more attempt, which happens by and by. GitHubNotFound if GitHub kept it no longer."""
        ...

    def account(self) -> str:
        """A name for the credentials: whose limits count. Asks nothing."""
        ...

    def quota(self) -> Quota | None:
        """What is left of the hour's requests, None if unknown. Asks nothing."""
        ...


class PullLister(Protocol):
    """GitHub's pull requests, many at once, and what they show. Raises as PullRequestReader does."""

    def repository(self, full_name: str) -> Repository:
        """The repository of that name."""
        ...

    def pulls_since(self, repository: Repository, since: datetime) -> Sequence[ListedPull]:
        """All pull requests that changed since then, open and closed, the latest first."""
        ...

    def committed_at(self, repository: Repository, sha: str) -> datetime | None:
        """When that commit was made, as its committer says; None if there is no such commit."""
        ...

    def open_pulls(self, repository: Repository) -> Sequence[ListedPull]:
        """All open pull requests."""
        ...

    def statuses(self, repository: Repository, sha: str) -> Mapping[str, Status]:
        """The latest status of each context, whoever set it; target URLs may be empty."""
        ...

    def has_comment(self, repository: Repository, comment_id: int) -> bool:
        """Whether the comment is still there."""
        ...


class RecoveryStore(Protocol):
    """What we know of deliveries and pull requests. All methods raise StoreUnavailable."""

    def is_alone(self) -> bool:
        """Whether this process is the one that makes good; once it is, it stays so while it lives."""
        ...

    def mark(self, name: str) -> datetime | None:
        """The moment of that name."""
        ...

    def set_mark(self, name: str, at: datetime) -> None:
        """Remember a moment."""
        ...

    def renew(self, names: Collection[str], at: datetime, since: datetime) -> Collection[str]:
        """Move these marks on to `at` if they are not older than `since`; returns those that were moved."""
        ...

    def known(self, guids: Collection[str]) -> Collection[str]:
        """Which of these deliveries are in our inbox, whatever became of them."""
        ...

    def repositories(self) -> Mapping[Repository, datetime]:
        """All repositories that we know pull requests or branches of, and since when."""
        ...

    def pulls(self, repository: Repository, numbers: Collection[int] | None) -> Mapping[int, KnownPull]:
        """What we know of these pull requests, by number; with None, of all that we think open."""
        ...

    def put_by_and_by(self, deliveries: Sequence[Delivery], seconds: float) -> int:
        """Store deliveries of ours, each due so many seconds after the one before, and after all such ones.

        Those that are there already stay as they are; returns how many are new.
        """
        ...


class HandStore(Protocol):
    """What people mend by hand. All methods raise StoreUnavailable."""

    def delivery(self, delivery_id: str) -> KnownDelivery | None:
        """The delivery of that id."""
        ...

    def parked(self) -> Sequence[KnownDelivery]:
        """All parked deliveries, oldest first."""
        ...

    def replay(self, delivery_id: str) -> bool:
        """Queue it anew, whatever became of it; False if it is being handled at this moment."""
        ...

    def shown(self, repository: Repository, numbers: Collection[int]) -> Sequence[ShownPull]:
        """What these pull requests show, as far as we know."""
        ...

    def lost_status(self, repository: Repository, sha: str, context: str) -> None:
        """GitHub does not show that status of ours any more: send it again."""
        ...

    def lost_comment(self, repository: Repository, number: int) -> None:
        """The pull request's comment is gone: post it again."""
        ...
