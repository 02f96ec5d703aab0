"""The reconciler's half that faces GitHub: what pull requests should show, less what they show.

A report claims one pull request that is due and sends the difference: statuses first, then answers, then
the comment. A branch (its number is below zero) has statuses only. What could not be sent is tried again,
by whoever claims the pull request next.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from bot.errors import GitHubNotFound, GitHubRefused, Temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.claims import PullClaim
    from bot.ports import ReportStore
    from bot.report.answers import AnswerReport
    from bot.report.contexts import StatusReport
    from bot.report.sticky import CommentReport

OUTAGE_SLOWEST = 15.0  # seconds between tries while GitHub does not answer
REFUSED_SLOWEST = 600.0  # between tries of what GitHub refuses: somebody may mend a permission
GIVE_UP = 50  # refusals in a row, several hours: until something changes

log = logging.getLogger(__name__)


class Reporter:
    """Reports on pull requests; safe to run in several threads and processes at once."""

    def __init__(
        self, store: ReportStore, statuses: StatusReport, answers: AnswerReport, comment: CommentReport
    ) -> None:
        self.store = store
        self.statuses = statuses
        self.answers = answers
        self.comment = comment

    def report(self) -> bool:
        """Report on one pull request that is due; False if there is none."""
        claim = self.store.claim_pull()
        if claim is None:
            return False
        refused: GitHubRefused | GitHubNotFound | None = None
        waits: list[float] = []
        try:
            for part in self._parts(claim):
                try:
                    waits += part(claim)
                except (GitHubRefused, GitHubNotFound) as error:
                    log.error(  # noqa: TRY400 - expected, and said
                        "%s#%s: GitHub refuses a report: %s", claim.repository.full_name, claim.number, error
                    )
                    refused = error  # the other parts may still be welcome
        except Temporary as error:
            log.warning("%s#%s: a report waits: %s", claim.repository.full_name, claim.number, error)
            self.store.release_pull(
                claim, seconds=error.retry_after or backoff(claim.failures, OUTAGE_SLOWEST), failed=True
            )
            return True
        if refused is not None:
            seconds = None if claim.failures >= GIVE_UP else backoff(claim.failures, REFUSED_SLOWEST)
            self.store.release_pull(claim, seconds=seconds, failed=True)
            return True
        self.store.release_pull(claim, seconds=min(waits, default=None), failed=False)
        return True

    def _parts(self, claim: PullClaim) -> Sequence[Callable[[PullClaim], list[float]]]:
        if claim.number < 0:
            return (self._statuses,)
        return (self._statuses, self.answers.report, self.comment.report)

    def _statuses(self, claim: PullClaim) -> list[float]:
        waits: list[float] = []
        for sha in self.store.unsettled_heads(claim):
            with self.store.lock_head(claim.repository, sha):
                wait = self.statuses.report(claim.repository, sha)
            if wait is None:
                self.store.settle_head(claim, sha)
            else:
                waits.append(wait)
        return waits


def backoff(failures: int, slowest: float) -> float:
    """Seconds until the next try: doubling from one, with jitter so that tries spread out."""
    return min(slowest, 2.0 ** min(failures, 20)) * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret
