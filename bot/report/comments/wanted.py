"""What a pull request's comment should be, beside what it is, and whether that can wait. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.models import StepState
from bot.report.comments.failing import bounded, failing, newly_failing, still_failing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bot.claims import ShownComment
    from bot.models import PullView

PROGRESS_SECONDS = 10.0  # between two edits while something still runs
SETTLING_SECONDS = 3.0  # after a change, for others that come with it


@dataclass(frozen=True)
class Wanted:
    """The body that should be shown, what it is about, and what we know of the comment that is there."""

    body: str
    digest: str
    view: PullView
    shown: ShownComment

    @cached_property
    def failing(self) -> frozenset[str]:
        """What fails now."""
        return failing(self.view)

    @cached_property
    def known(self) -> frozenset[str]:
        """What people know to fail without being notified."""
        return still_failing(self.shown.failing, self.view)

    @property
    def told(self) -> frozenset[str]:
        """What people know to fail once it is posted."""
        return bounded(self.failing | self.known)

    @cached_property
    def running(self) -> bool:
        """Whether anything of the head still runs."""
        return any(verdict.run is not None and not verdict.run.finished for verdict in self.view.verdicts)

    @cached_property
    def tells(self) -> bool:
        """Whether people should be notified: the first failure of a head at once, others at its end."""
        told = self.running and self.shown.posted_for == self.view.head_sha
        return not told and bool(newly_failing(self.failing, self.shown.failing))

    @property
    def anew(self) -> bool:
        """Whether it takes the place of the comment that is there."""
        return self.tells and self.shown.id is not None

    @property
    def final(self) -> bool:
        """Whether it is not just progress."""
        return self.tells or not self.running

    @property
    def urgency(self) -> Urgency:
        """Who goes before it and after it."""
        return Urgency.FINAL_COMMENT if self.final else Urgency.PROGRESS

    def hold_back(self, now: datetime) -> float:
        """Seconds for which an edit should wait, because more is to come."""
        if self.final or self.shown.id is None or self.shown.sent_at is None:
            return 0.0
        quiet = now - max(_changes(self.view), default=self.shown.sent_at)
        # Airflow's clock may be ahead of ours.
        settling = SETTLING_SECONDS - quiet / timedelta(seconds=1) if quiet >= timedelta() else 0.0
        return max(PROGRESS_SECONDS - (now - self.shown.sent_at) / timedelta(seconds=1), settling)


def _changes(view: PullView) -> Iterator[datetime]:
    """When something happened that the comment shows."""
    for verdict in view.verdicts:
        if verdict.run is None:
            continue
        if verdict.run.finished_at is not None:
            yield verdict.run.finished_at
        for step in verdict.run.steps:
            if step.state is StepState.FAILED and step.ended_at is not None:
                yield step.ended_at
