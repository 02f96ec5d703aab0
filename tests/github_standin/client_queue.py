"""A merge group on a stand-in, as tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .records import QueueEntry

if TYPE_CHECKING:
    from .client_repository import Repository
    from .records import CheckRun, Status

DequeueReason = Literal["MANUAL", "CI_FAILURE", "CI_TIMEOUT", "MERGE_CONFLICT", "QUEUE_CLEARED"]


class MergeGroup:
    """A merge group as it was when it was asked for: building it anew gives another one."""

    def __init__(self, repository: Repository, entry: QueueEntry) -> None:
        self.repository = repository
        self.number = entry.number
        """Of its pull request."""
        self.head_sha = entry.head_sha
        self.head_ref = entry.head_ref
        """`refs/heads/gh-readonly-queue/BASE/pr-N-SHA`, a real branch while the group lives."""
        self.base_sha = entry.base_sha
        """The head of the group before it, or the base branch's tip."""
        self.base_ref = entry.base_ref
        """`refs/heads/BASE`."""

    def merge(self) -> str:
        """GitHub merges it, as when its checks are green; returns the base branch's new tip.

        Gives push (of the base), merge_group destroyed (merged), pull_request dequeued and closed. Only the
        first of a queue can be merged, and only when what `Repository.require` named is green at its head.
        """
        merged = self.repository.call("merge_group", number=self.number)
        return str(merged["sha"])

    def dequeue(self, by: str, reason: DequeueReason = "MANUAL") -> None:
        """Take its pull request out of the queue: merge_group destroyed (dequeued), pull_request dequeued.

        Groups behind it are destroyed (invalidated) and built anew without it.
        """
        self.repository.call("dequeue", number=self.number, by=by, reason=reason)

    def invalidate(self) -> MergeGroup:
        """Build it, and those behind it, anew on what is before it now; returns the new group.

        Gives merge_group destroyed (invalidated) and checks_requested. GitHub does so when the base branch
        moves; here it happens only when asked for.
        """
        return MergeGroup(
            self.repository, QueueEntry(**self.repository.call("invalidate_group", number=self.number))
        )

    def statuses(self, context: str = "") -> list[Status]:
        """Every status its head was ever given, oldest first."""
        return self.repository.statuses(self.head_sha, context)

    def combined(self) -> dict[str, Status]:
        """The newest status of each context at its head."""
        return {status.context: status for status in self.statuses()}

    def check_runs(self, name: str = "") -> list[CheckRun]:
        """The newest check run of each App and name at its head."""
        return self.repository.check_runs(self.head_sha, name)

    def unmet(self) -> list[str]:
        """What keeps it from being merged, by what `Repository.require` said, in GitHub's words."""
        return self.repository.unmet(self.head_sha, self.base_ref.removeprefix("refs/heads/"))

    def state_of(self, context: str) -> str | None:
        """The state that a context shows at its head: pending, success, failure, error or None."""
        newest = self.combined().get(context)
        return newest.state if newest else None
