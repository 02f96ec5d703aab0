"""What the delivery log can't tell: open pull requests of repositories that we served before the gap.

Each that changed while we heard nothing, and differs from what we know, is looked at again: our own event
`recheck`, which starts the automatic pipelines of a head that we never heard of, and stops what runs for a
closed one. A head that we know is left alone, and so is a pull request from before us at which nobody pushed
in the gap: that a pipeline was added since, or that we were installed, starts nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import GitHubAway, GitHubNotFound, GitHubRefused, GitHubUnavailable
from bot.events.recheck import recheck
from bot.intake.recovery.differences import MISSED, differences, unsure
from bot.intake.recovery.missed import LAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bot.models import ListedPull, Repository
    from bot.policy.operator import Operator
    from bot.ports import PullLister, RecoveryStore

SECONDS_BETWEEN = 6.0
"""At most ten a minute are looked at again."""

log = logging.getLogger(__name__)


class Audit:
    """Finds what changed in a gap and has it looked at again; the same gap audited twice doubles nothing.

    `bot_login` is who asks for it.
    """

    def __init__(
        self,
        github: PullLister,
        store: RecoveryStore,
        operator: Callable[[], Operator],
        bot_login: Callable[[], str],
    ) -> None:
        self._github = github
        self._store = store
        self._operator = operator
        self._bot_login = bot_login

    def of(self, repositories: Iterable[Repository], since: datetime) -> int:
        """Look at these repositories' pull requests; how many are to be looked at again.

        Raises Temporary: at once where GitHub is away or wants a pause, else, for the first repository that
        did not answer, after all others.
        """
        found = 0
        unanswered: GitHubUnavailable | None = None
        for repository in repositories:
            if self._operator().serve(repository) is None:
                continue
            try:
                found += self._of_one(repository, since)
            except (GitHubNotFound, GitHubRefused) as error:
                log.warning("%s can't be audited: %s", repository.full_name, error)
            except GitHubAway:
                raise
            except GitHubUnavailable as error:
                log.warning("%s can't be audited for now: %s", repository.full_name, error)
                unanswered = unanswered or error
        if unanswered is not None:
            raise unanswered
        return found

    def _of_one(self, repository: Repository, since: datetime) -> int:
        listed = self._github.pulls_since(repository, since - LAG)
        known = self._store.pulls(repository, [pull.number for pull in listed])
        not_new = {
            pull.number
            for pull in unsure(listed, known, since - LAG)
            if not self._is_made_since(repository, pull, since - LAG)
        }
        because = f"audit-{since:%Y%m%dT%H%M%S}"
        again = [
            recheck(repository, one.number, sender=self._bot_login(), because=because)
            for one in differences(listed, known)
            if one.kind in MISSED and one.number not in not_new
        ]
        new = self._store.put_by_and_by(again, SECONDS_BETWEEN)
        log.info(
            "%s: %d pull requests changed since %s, %d are looked at again",
            repository.full_name,
            len(listed),
            since,
            new,
        )
        return len(again)

    def _is_made_since(self, repository: Repository, pull: ListedPull, since: datetime) -> bool:
        """Whether its head is a commit from then or later."""
        made = self._github.committed_at(repository, pull.head_sha)
        return made is not None and made >= since
