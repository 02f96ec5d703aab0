"""The check runs of one head: those that it should show, less those that it shows.

A run that is new, or that goes on after it had ended, gets a new check run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.errors import GitHubRefused
from bot.report.check_sender import CheckSender
from bot.report.forms import forms
from bot.report.progress import refresh, running
from bot.report.wanted_checks import wanted_checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Repository
    from bot.ports import CheckWriter, Clock, PastReader, StatusStore
    from bot.report.budget import Budget
    from bot.report.links import Links


class CheckReport:
    """Sends the check runs of a head that differ from those it shows, final ones first.

    `secrets` are not shown, whatever a step printed.
    """

    def __init__(
        self,
        store: StatusStore,
        github: CheckWriter,
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

    def report(self, repository: Repository, sha: str, *, progress: bool = True) -> float | None:
        """Seconds until the head wants another look, None if it shows its last word everywhere.

        Without `progress` only what is urgent is sent: 0 is returned if the rest is due, too. A check run
        that GitHub refuses is raised only after the others were sent. Without a GitHub App there are none.
        """
        if not self.github.can_check():
            return None
        now = self.clock()
        shown = self.store.shown_checks(repository, sha)
        policies = self.store.policies(repository, sha)
        if not shown and not any(policy.shown_as.checks for policy in policies.values()):
            return None
        verdicts = self.store.verdicts(repository, sha)
        runs = running(verdict for says in verdicts.values() for verdict in says)
        usual = self.past.usual(runs) if runs else {}
        wanted = wanted_checks(
            verdicts,
            shown,
            usual,
            wanted=forms(policies, verdicts, can_check=True).checks,
            links=self.links,
            now=now,
            secrets=self.secrets,
        )
        waits = [refresh(run, usual.get(run.id), now) for run in runs]
        sender = CheckSender(self.store, self.github, self.budget, repository, sha, now, self.secrets)
        refused: GitHubRefused | None = None
        for one in sorted(wanted, key=lambda one: one.order(shown.get(one.check.name))):
            known = shown.get(one.check.name)
            if not one.is_news(known):
                continue
            wait = one.wait(known, now)
            if wait > 0 or (not progress and one.urgency(known) is Urgency.PROGRESS):
                waits.append(max(wait, 0.0))
                continue
            try:
                wait = sender.send(one, known)
            except GitHubRefused as error:
                refused = error
                continue
            if wait > 0:
                waits.append(wait)
                break  # those that follow are no more urgent
        if refused is not None:
            raise refused
        return min(waits, default=None)
