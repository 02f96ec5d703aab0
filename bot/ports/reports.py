"""What reporting needs from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from bot.claims import PendingReply, PullClaim, ShownCheck, ShownComment, ShownStatus, Window
    from bot.models import Past, PullView, ReportPolicy, Repository, Run, Status, Verdict


class ReportStore(Protocol):
    """What pull requests should show and do show. All methods raise StoreUnavailable."""

    def claim_pull(self) -> PullClaim | None:
        """Take a pull request whose report is due and that nobody holds."""
        ...

    def release_pull(self, claim: PullClaim, *, seconds: float | None, failed: bool) -> None:
        """Give it back; report again after `seconds`, at once if something changed meanwhile.

        If the claim was lost, all that the pull request shows is compared again, at once.
        """
        ...

    def unsettled_heads(self, claim: PullClaim) -> Sequence[str]:
        """The heads of the pull request whose statuses may have to change, the current one first."""
        ...

    def settle_head(self, claim: PullClaim, sha: str) -> None:
        """All contexts of that head show their last word."""
        ...

    def lock_head(self, repository: Repository, sha: str) -> AbstractContextManager[None]:
        """Keep others from reporting on that head, which pull requests can share."""
        ...

    def next_due(self) -> float | None:
        """The seconds until the next one is due (0 if one is), None if none waits."""
        ...


class StatusStore(Protocol):
    """What heads show. All methods raise StoreUnavailable."""

    def verdicts(self, repository: Repository, sha: str) -> Mapping[int, Sequence[Verdict]]:
        """What each pull request with that head wants its contexts to show.

        Where one that is open has this head now, closed ones and those that moved on have no say.
        """
        ...

    def shown(self, repository: Repository, sha: str) -> Mapping[str, ShownStatus]:
        """What the head's contexts show, by context."""
        ...

    def set_shown(self, repository: Repository, sha: str, status: Status) -> None:
        """A context was made to show this, once more."""
        ...

    def policies(self, repository: Repository, sha: str) -> Mapping[int, ReportPolicy]:
        """How each pull request or branch with that head is reported on."""
        ...

    def shown_checks(self, repository: Repository, sha: str) -> Mapping[str, ShownCheck]:
        """What the head's check runs show, by name."""
        ...

    def set_shown_check(self, repository: Repository, sha: str, check: ShownCheck) -> None:
        """A check run was made to show this, or is about to be."""
        ...


class CommentStore(Protocol):
    """What pull requests' comments show. All methods raise StoreUnavailable."""

    def view(self, claim: PullClaim) -> PullView:
        """What the comment is rendered from: the head, what this pull request says about it, the notice."""
        ...

    def comment(self, claim: PullClaim) -> ShownComment:
        """What we know of the comment."""
        ...

    def set_comment(self, claim: PullClaim, comment: ShownComment) -> None:
        """Remember what the comment shows now, or that one may be there.

        Overtaken, and nothing stored, if the claim does not hold for long enough to send it.
        """
        ...

    def pending_replies(self, claim: PullClaim) -> Sequence[PendingReply]:
        """Comments that wait for their answer, oldest first."""
        ...

    def set_reply(self, claim: PullClaim, reply: PendingReply, *, done: bool) -> None:
        """Remember how far an answer got. Overtaken as for the comment."""
        ...


class PastReader(Protocol):
    """What earlier runs tell about a run. All methods raise StoreUnavailable."""

    def usual(self, runs: Sequence[Run]) -> Mapping[str, float]:
        """By the run's id: the median seconds of the last 20 successful runs like it, where there are any.

        Alike are runs of the same repository, pipeline and base branch, of the same kind (pull request, merge
        group or push), without inputs, dry runs apart. Remembered for a minute.
        """
        ...

    def past(self, runs: Sequence[Run]) -> Mapping[str, Past]:
        """By the run's id: what came before it. Every run has one."""
        ...


class BudgetStore(Protocol):
    """What all workers together sent to GitHub of late. All methods raise StoreUnavailable."""

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Spend the costs (by the windows' names) if every window has room for them, and return 0.

        Otherwise nothing is spent, and the seconds are returned until there may be room. `account` is whose
        limits they are. No window ever holds more than its `most` within any `seconds`, counted exactly.
        """
        ...

    def wait(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """What `take` would return now; nothing is spent."""
        ...

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        """Something was sent without asking."""
        ...
