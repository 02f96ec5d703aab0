"""What pages and metrics need from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.claims import ListedRun, RunQuery
    from bot.models import Audit, Repository, Run


class RunReader(Protocol):
    """What the pages show. All methods raise StoreUnavailable."""

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def audits(self, run: Run) -> Sequence[Audit]:
        """The decisions about the run's pull request or branch, newest first, at most 50."""
        ...

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        """Figures for the metrics: by table, then by state; ages in seconds."""
        ...

    def unattended(self) -> datetime | None:
        """Since when no worker has been at work, None if one is, or none ever was."""
        ...

    def check(self) -> None:
        """Raise StoreUnavailable, saying what is wrong, unless the database answers and is migrated."""
        ...


class RunLister(Protocol):
    """What the lists of runs show, in times that do not grow with the history. Raises StoreUnavailable."""

    def runs(self, query: RunQuery) -> Sequence[ListedRun]:
        """The runs, newest first; one more than `query.most` if there are more."""
        ...

    def private_repositories(self) -> Sequence[Repository]:
        """The private repositories that have runs, at most 200, those with the newest runs first."""
        ...

    def latest(self, repository: str, pipeline: str, branch: str) -> Run | None:
        """The newest finished run on that branch (pushed, else merged into), for a badge."""
        ...
