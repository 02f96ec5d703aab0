"""The reconciler's half that faces GitHub: what pull requests should show, less what they show.

A report claims one pull request that is due and sends the difference: final statuses and check runs first,
then answers, then the comment, then progress. A branch (its number is below zero) has statuses and check
runs only. What could not be sent is tried again, by whoever claims the pull request next.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import GitHubAway, GitHubRateLimited, StoreUnavailable, Temporary
from bot.patience import Pause, backoff, spread
from bot.report.left import Left

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.claims import PullClaim
    from bot.models import Repository
    from bot.ports import Clock, ReportStore
    from bot.report.checks.check_runs import CheckReport
    from bot.report.comments.answers import AnswerReport
    from bot.report.comments.sticky import CommentReport
    from bot.report.statuses.contexts import StatusReport

OUTAGE_SLOWEST = 15.0  # seconds between tries while GitHub does not answer
REFUSED_SLOWEST = 600.0  # between tries of what GitHub refuses: somebody may mend a permission
LONGEST_PAUSE = 5.0  # with GitHub away in part, there may be reports that need only the rest of it
OFTEN = 50  # refusals in a row, several hours: from then on once a day, so that nothing stays pending
GIVE_UP = OFTEN + 14  # days: until something changes
SELDOM = 86_400.0

log = logging.getLogger(__name__)


class Reporter:
    """Reports on pull requests; safe to run in several threads and processes at once."""

    def __init__(
        self,
        store: ReportStore,
        statuses: StatusReport,
        checks: CheckReport,
        answers: AnswerReport,
        comment: CommentReport,
    ) -> None:
        self.store = store
        self.statuses = statuses
        self.checks = checks
        self.answers = answers
        self.comment = comment
        self._away = Pause()
        self._unreleased: deque[PullClaim] = deque()
        self._pauses = Pauses(statuses.clock, statuses.budget.quotas.account)

    def next_due(self) -> float | None:
        """The seconds until a report is due, None if all is shown; none is made while GitHub is away."""
        due = self.store.next_due()
        return None if due is None else max(due, self._away.left)

    def report(self) -> bool:
        """Report on one pull request that is due; False if there is none, or none is to be made now."""
        self._release_late()
        claim = self.store.claim_pull() if self._away.left <= 0 else None
        if claim is None:
            return False
        pause = self._pauses.left(claim.repository)
        if pause > 0:
            self._release(claim, seconds=pause, failed=False)
            return True
        try:
            left = self._send(claim)
        except Temporary as error:
            self._release_later(claim, error)
            return True
        for said in left.refused:
            log.error("%s#%s: GitHub refuses a report: %s", claim.repository.full_name, claim.number, said)
        self._release(claim, seconds=_again(claim, left), failed=bool(left.refused))
        return True

    def _release(self, claim: PullClaim, *, seconds: float | None, failed: bool) -> None:
        try:
            self.store.release_pull(claim, seconds=seconds, failed=failed)
        except StoreUnavailable:
            self._unreleased.append(claim)
            raise

    def _release_late(self) -> None:
        """Give back what the store could not take: others may have reported since, and we after them."""
        for _ in range(len(self._unreleased)):
            # Another thread may be at it, too; and one that can't be given back yet holds up no other.
            with suppress(IndexError, StoreUnavailable):
                self._release(self._unreleased.popleft(), seconds=0.0, failed=True)

    def _release_later(self, claim: PullClaim, error: Temporary) -> None:
        """It waits as long as the other side asks; where GitHub wants a pause, all of that account does."""
        if isinstance(error, GitHubAway):
            seconds = error.retry_after or LONGEST_PAUSE
            self._away.begin(min(seconds, LONGEST_PAUSE))
            self._release(claim, seconds=spread(seconds), failed=False)
            return
        if isinstance(error, GitHubRateLimited) and error.retry_after:
            if self._pauses.begin(claim.repository, error.retry_after):
                log.warning(
                    "%s: all reports wait for %.0f s: %s", claim.repository.owner, error.retry_after, error
                )
        else:
            log.warning("%s#%s: a report waits: %s", claim.repository.full_name, claim.number, error)
        self._release(
            claim, seconds=error.retry_after or backoff(claim.failures + 1, OUTAGE_SLOWEST), failed=True
        )

    def _send(self, claim: PullClaim) -> Left:
        """Send what differs, the most urgent first; what is refused on the way stops nothing else."""
        left = Left()
        more = self._heads(claim, self.store.unsettled_heads(claim), left, progress=False)
        if claim.number > 0:
            left.add(self.answers.report(claim))
            left.add(self.comment.report(claim))
        self._heads(claim, more, left, progress=True)
        return left

    def _heads(self, claim: PullClaim, shas: Sequence[str], left: Left, *, progress: bool) -> list[str]:
        """Send what those heads should show; those that have more to show than what can't wait."""
        more: list[str] = []
        for sha in shas:
            head = self._head(claim.repository, sha, progress=progress)
            if head.settled:
                self.store.settle_head(claim, sha)
            if head.more:
                more.append(sha)
            left.add(head)
        return more

    def _head(self, repository: Repository, sha: str, *, progress: bool) -> Left:
        """Statuses and check runs of one head."""
        left = Left()
        with self.store.lock_head(repository, sha):
            for report in (self.statuses.report, self.checks.report):
                with left.noting_refusals():
                    left.add(report(repository, sha, progress=progress))
        return left


class Pauses:
    """Until when GitHub wants to hear nothing more, by the account whose limits they are."""

    def __init__(self, clock: Clock, account: Callable[[Repository], str]) -> None:
        self._clock = clock
        self._account = account
        self._until: dict[str, datetime] = {}

    def left(self, repository: Repository) -> float:
        """The seconds that are left, 0 if there is no pause."""
        until = self._until.get(self._account(repository))
        return 0.0 if until is None else max(0.0, (until - self._clock()) / timedelta(seconds=1))

    def begin(self, repository: Repository, seconds: float) -> bool:
        """There is a pause of so many seconds; False if there was one already."""
        fresh = self.left(repository) <= 0
        self._until[self._account(repository)] = self._clock() + timedelta(seconds=seconds)
        return fresh


def _again(claim: PullClaim, left: Left) -> float | None:
    """Seconds until the next look, None for none until something changes.

    Where GitHub refused something it is not asked again just because time passes.
    """
    if not left.refused:
        return min((*left.waits, *left.refreshes), default=None)
    if claim.failures >= GIVE_UP:
        return min(left.waits, default=None)
    again = backoff(claim.failures + 1, REFUSED_SLOWEST) if claim.failures < OFTEN else SELDOM
    return min((*left.waits, again))
