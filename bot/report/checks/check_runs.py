"""The check runs of one head: those that it should show, less those that it shows.

A run that is new, or that goes on after it had ended, gets a new check run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.report.checks.sender import CheckSender
from bot.report.checks.wanted import wanted_checks
from bot.report.forms import forms
from bot.report.left import Left
from bot.report.statuses.progress import refresh, running

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

    def report(self, repository: Repository, sha: str, *, progress: bool = True) -> Left:
        """Send what differs, and say what is left. Without `progress` only what is urgent is sent.

        Without a GitHub App there are none.
        """
        if not self.github.can_check():
            return Left()
        now = self.clock()
        shown = self.store.shown_checks(repository, sha)
        policies = self.store.policies(repository, sha)
        if not shown and not any(policy.shown_as.checks for policy in policies.values()):
            return Left()
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
        left = Left(refreshes=[refresh(run, usual.get(run.id), now) for run in runs])
        sender = CheckSender(self.store, self.github, self.budget, repository, sha, now, self.secrets)
        for one in sorted(wanted, key=lambda one: one.order(shown.get(one.check.name))):
            known = shown.get(one.check.name)
            if not one.is_news(known):
                continue
            wait = one.wait(known, now)
            if wait > 0:
                left.waits.append(wait)
                continue
            if one.urgency(known) is Urgency.PROGRESS and not progress:
                left.more = True
                break  # those that follow are no more urgent
            wait = 0.0
            with left.noting_refusals():
                wait = sender.send(one, known)
            if wait > 0:
                left.waits.append(wait)
                break
        return left
