"""The reconciler's half that faces GitHub: what pull requests should show, less what they show.

A report claims one pull request that is due and sends the difference: final statuses and check runs first,
then answers, then the comment, then progress. A branch (its number is below zero) has statuses and check
runs only. What could not be sent is tried again, by whoever claims the pull request next.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubRefused, Temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.claims import PullClaim
    from bot.models import Repository
    from bot.ports import Clock, ReportStore
    from bot.report.answers import AnswerReport
    from bot.report.checks import CheckReport
    from bot.report.contexts import StatusReport
    from bot.report.sticky import CommentReport

OUTAGE_SLOWEST = 15.0  # seconds between tries while GitHub does not answer
REFUSED_SLOWEST = 600.0  # between tries of what GitHub refuses: somebody may mend a permission
GIVE_UP = 50  # refusals in a row, several hours: until something changes

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
        self._pauses = Pauses(statuses.clock, statuses.budget.quotas.account)

    def report(self) -> bool:
        """Report on one pull request that is due; False if there is none."""
        claim = self.store.claim_pull()
        if claim is None:
            return False
        pause = self._pauses.left(claim.repository)
        if pause > 0:
            self.store.release_pull(claim, seconds=pause, failed=False)
            return True
        try:
            refused, waits = self._send(claim)
        except Temporary as error:
            self._release_later(claim, error)
            return True
        if refused:
            seconds = None if claim.failures >= GIVE_UP else backoff(claim.failures, REFUSED_SLOWEST)
            self.store.release_pull(claim, seconds=seconds, failed=True)
            return True
        self.store.release_pull(claim, seconds=min(waits, default=None), failed=False)
        return True

    def _release_later(self, claim: PullClaim, error: Temporary) -> None:
        """It waits as long as the other side asks; where GitHub wants a pause, all of that account does."""
        if isinstance(error, GitHubRateLimited) and error.retry_after:
            if self._pauses.begin(claim.repository, error.retry_after):
                log.warning(
                    "%s: all reports wait for %.0f s: %s", claim.repository.owner, error.retry_after, error
                )
        else:
            log.warning("%s#%s: a report waits: %s", claim.repository.full_name, claim.number, error)
        self.store.release_pull(
            claim, seconds=error.retry_after or backoff(claim.failures, OUTAGE_SLOWEST), failed=True
        )

    def _send(self, claim: PullClaim) -> tuple[bool, list[float]]:
        """Whether GitHub refused a part, and the seconds until parts want another look."""
        refused = False
        waits: list[float] = []
        for part in self._parts(claim):
            try:
                waits += part(claim)
            except (GitHubRefused, GitHubNotFound) as error:
                log.error(  # noqa: TRY400 - expected, and said
                    "%s#%s: GitHub refuses a report: %s", claim.repository.full_name, claim.number, error
                )
                refused = True  # the other parts may still be welcome
        return refused, waits

    def _parts(self, claim: PullClaim) -> Sequence[Callable[[PullClaim], list[float]]]:
        later: list[str] = []
        finals, progress = partial(self._finals, later=later), partial(self._progress, later=later)
        if claim.number < 0:
            return (finals, progress)
        return (finals, self.answers.report, self.comment.report, progress)

    def _finals(self, claim: PullClaim, later: list[str]) -> list[float]:
        """What can't wait, of all heads; those that have more to show are put into `later`."""
        waits = self._heads(claim, self.store.unsettled_heads(claim), progress=False)
        later += [sha for sha, wait in waits.items() if wait <= 0]
        return [wait for wait in waits.values() if wait > 0]

    def _progress(self, claim: PullClaim, later: list[str]) -> list[float]:
        return list(self._heads(claim, later, progress=True).values())

    def _heads(self, claim: PullClaim, shas: Sequence[str], *, progress: bool) -> dict[str, float]:
        """The seconds until those heads want another look that don't show their last word everywhere."""
        waits: dict[str, float] = {}
        refused: GitHubRefused | GitHubNotFound | None = None
        for sha in shas:
            try:
                wait = self._head(claim, sha, progress=progress)
            except (GitHubRefused, GitHubNotFound) as error:
                refused = error
                continue
            if wait is None:
                self.store.settle_head(claim, sha)
            else:
                waits[sha] = wait
        if refused is not None:
            raise refused
        return waits

    def _head(self, claim: PullClaim, sha: str, *, progress: bool) -> float | None:
        """Statuses and check runs of one head: one that is refused leaves the other."""
        waits: list[float | None] = []
        refused: GitHubRefused | GitHubNotFound | None = None
        with self.store.lock_head(claim.repository, sha):
            for report in (self.statuses.report, self.checks.report):
                try:
                    waits.append(report(claim.repository, sha, progress=progress))
                except (GitHubRefused, GitHubNotFound) as error:
                    refused = error
        if refused is not None:
            raise refused
        return min((wait for wait in waits if wait is not None), default=None)


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


def backoff(failures: int, slowest: float) -> float:
    """Seconds until the next try: doubling from one, with jitter so that tries spread out."""
    return min(slowest, 2.0 ** min(failures, 20)) * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
