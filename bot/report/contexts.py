"""The statuses of one head: those that it should show, less those that it shows."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import GitHubRefused
from bot.models import StatusState
from bot.report import texts
from bot.report.merge import merge
from bot.report.status import status_of

if TYPE_CHECKING:
    from datetime import datetime

    from bot.claims import ShownStatus
    from bot.models import Repository, Status, Verdict
    from bot.ports import Clock, PullRequestWriter, StatusStore
    from bot.report.links import Links

PROGRESS_FASTEST = 10.0  # seconds between two words about the same running pipeline
PROGRESS_SLOWEST = 60.0
PROGRESS_SHARE = 2 / 3  # of its age
REFRESH_SHARE = 5  # a description that says how long is renewed after a fifth of that time


class StatusReport:
    """Sends the statuses of a head that differ from those it shows, final ones first."""

    def __init__(self, store: StatusStore, github: PullRequestWriter, links: Links, clock: Clock) -> None:
        self.store = store
        self.github = github
        self.links = links
        self.clock = clock

    def report(self, repository: Repository, sha: str) -> float | None:
        """Seconds until the head wants another look, None if it shows its last word everywhere.

        A status that GitHub refuses is raised only after the others were sent.
        """
        now = self.clock()
        verdicts = self.store.verdicts(repository, sha)
        shown = self.store.shown(repository, sha)
        waits = [
            _refresh(verdict, now) for says in verdicts.values() for verdict in says if _is_running(verdict)
        ]
        wanted: dict[str, dict[int, Status]] = {}
        patience: dict[str, float] = {}
        for number, says in verdicts.items():
            for verdict in says:
                context = verdict.context
                wanted.setdefault(context, {})[number] = status_of(verdict, now, self.links.run_page)
                patience[context] = min(
                    _patience(verdict, shown.get(context), now), patience.get(context, math.inf)
                )
        refused: GitHubRefused | None = None
        statuses = [merge(by_pull) for by_pull in wanted.values()]
        for status in sorted(statuses, key=lambda status: status.state is StatusState.PENDING):
            known = shown.get(status.context)
            if known is not None and known.status == status:
                continue
            wait = _hold_back(status, known, now, patience[status.context])
            if wait > 0:
                waits.append(wait)
                continue
            try:
                self.github.set_status(repository, sha, status)
            except GitHubRefused as error:
                refused = error
                continue
            self.store.set_shown(repository, sha, status)
        if refused is not None:
            raise refused
        return min(waits, default=None)


def _hold_back(status: Status, known: ShownStatus | None, now: datetime, patience: float) -> float:
    """Progress can wait: seconds until it may be sent."""
    if (
        known is None
        or status.state is not StatusState.PENDING
        or known.status.state is not StatusState.PENDING
    ):
        return 0.0
    return patience - (now - known.sent_at) / timedelta(seconds=1)


def _patience(verdict: Verdict, known: ShownStatus | None, now: datetime) -> float:
    """Seconds between two words about the same run: the longer it runs, the less news is each.

    What a queued run waits for is news at once.
    """
    if verdict.run is None:
        return PROGRESS_FASTEST
    if verdict.run.note and known is not None and known.status.description == texts.QUEUED:
        return 0.0
    age = (now - verdict.run.created_at) / timedelta(seconds=1)
    return min(max(PROGRESS_SHARE * age, PROGRESS_FASTEST), PROGRESS_SLOWEST)


def _is_running(verdict: Verdict) -> bool:
    return verdict.run is not None and not verdict.run.finished


def _refresh(verdict: Verdict, now: datetime) -> float:
    run = verdict.run
    if run is None or run.started_at is None:
        return PROGRESS_FASTEST
    return max(PROGRESS_FASTEST, (now - run.started_at) / timedelta(seconds=REFRESH_SHARE))
