"""The statuses of one head: those that it should show, less those that it shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.claims import Urgency
from bot.models import StatusState
from bot.report.forms import forms
from bot.report.left import Left
from bot.report.statuses.progress import refresh, running
from bot.report.statuses.status import without_secrets
from bot.report.statuses.wanted import wanted_statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.claims import ShownStatus
    from bot.models import Repository, Status
    from bot.ports import Clock, PastReader, StatusStore
    from bot.report.budget import Budget
    from bot.report.links import Links
    from bot.report.statuses.wanted import Wanted

MOST = 1_000
"""So many statuses GitHub takes for one commit and context."""

PROGRESS_UNTIL, PENDING_UNTIL = 900, 990
"""What is left after that is for final ones, and the last for those that a run has to begin with."""

log = logging.getLogger(__name__)


class StatusWriter(Protocol):
    """What it needs of GitHub, see PullRequestWriter and CheckWriter."""

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status."""
        ...

    def can_check(self) -> bool:
        """Whether our credentials are an App's."""
        ...


class StatusReport:
    """Sends the statuses of a head that differ from those it shows, final ones first.

    `secrets` are not shown, whatever a step said.
    """

    def __init__(
        self,
        store: StatusStore,
        github: StatusWriter,
        links: Links,
        clock: Clock,
        *,
        past: PastReader,
        budget: Budget,
        secrets: Sequence[str] = (),
    ) -> None:
        self.store = store
        self.github = github
        self.links = links
        self.clock = clock
        self.past = past
        self.budget = budget
        self.secrets = secrets
        self._full: set[tuple[int, str, str]] = set()

    def report(self, repository: Repository, sha: str, *, progress: bool = True) -> Left:
        """Send what differs, and say what is left. Without `progress` only what is urgent is sent."""
        now = self.clock()
        verdicts = {
            number: [without_secrets(verdict, self.secrets) for verdict in says]
            for number, says in self.store.verdicts(repository, sha).items()
        }
        shown = self.store.shown(repository, sha)
        runs = running(verdict for says in verdicts.values() for verdict in says)
        usual = self.past.usual(runs) if runs else {}
        shape = forms(self.store.policies(repository, sha), verdicts, can_check=self.github.can_check())
        wanted = wanted_statuses(verdicts, shown, usual, shape, links=self.links, now=now)
        left = Left(refreshes=[refresh(run, usual.get(run.id), now) for run in runs])
        for one in sorted(wanted, key=lambda one: one.order(shown.get(one.status.context))):
            known = shown.get(one.status.context)
            if not one.is_news(known) or not self._has_room(repository, sha, one, known):
                continue
            urgency = one.urgency(known)
            wait = one.wait(known, now)
            if wait > 0:
                left.waits.append(wait)
                continue
            if urgency is Urgency.PROGRESS and not progress:
                left.more = True
                break  # those that follow are no more urgent
            wait = self.budget.take(repository, content=False, urgency=urgency)
            if wait > 0:
                left.waits.append(wait)
                break
            with left.noting_refusals():
                self.github.set_status(repository, sha, one.status)
                self.store.set_shown(repository, sha, one.status)
        return left

    def _has_room(self, repository: Repository, sha: str, one: Wanted, known: ShownStatus | None) -> bool:
        """Whether GitHub takes one more for that context; where it does not, the run page has the rest."""
        if known is None or known.times < PROGRESS_UNTIL:
            return True
        context = one.status.context
        if one.status.state is StatusState.PENDING:
            going_on = known.status.state is StatusState.PENDING
            return not going_on and known.times < PENDING_UNTIL
        if known.times < MOST:
            return True
        if (repository.id, sha, context) not in self._full:
            self._full.add((repository.id, sha, context))
            log.warning(
                "%s@%s: %s has had %d statuses, and GitHub takes no more. It still shows %r, where the run "
                "page and the comment say %r.",
                repository.full_name,
                sha[:7],
                context,
                MOST,
                known.status.description,
                one.status.description,
            )
        return False
