"""The statuses that a head should show: each pipeline's own, and each step's where that is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.models import Status, StatusState
from bot.report.statuses.merge import merge
from bot.report.statuses.progress import FASTEST, patience
from bot.report.statuses.status import names_in, status_of
from bot.report.statuses.step_statuses import leftover, step_statuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bot.claims import ShownStatus
    from bot.models import Verdict
    from bot.report.forms import Forms
    from bot.report.links import Links

MOVED_ON = "not finished: its pull request was closed or moved on"

_PENDING = StatusState.PENDING
_URGENCIES = tuple(Urgency)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A status that a context should show, and the seconds between two words of its progress.

    `own` is that of a pipeline, not of a step; `settling` brings to its end what is not wanted any more.
    """

    status: Status
    patience: float = FASTEST
    own: bool = True
    settling: bool = False

    def urgency(self, known: ShownStatus | None) -> Urgency:
        """A pipeline's first word is an answer to somebody who waits; the next ones are progress.

        No step's last word is ahead of a pipeline's.
        """
        if self.status.state is not _PENDING:
            return Urgency.FINAL_STATUS if self.own else Urgency.FINAL_COMMENT
        first = known is None or known.status.state is not _PENDING
        return Urgency.FINAL_COMMENT if first and self.own else Urgency.PROGRESS

    def order(self, known: ShownStatus | None) -> tuple[int, bool]:
        """The most urgent first; of those, the pipelines' own."""
        return (_URGENCIES.index(self.urgency(known)), not self.own)

    def wait(self, known: ShownStatus | None, now: datetime) -> float:
        """Seconds for which it can wait, because something like it is there already."""
        if known is None or _PENDING is not self.status.state or _PENDING is not known.status.state:
            return 0.0
        return self.patience - (now - known.sent_at) / timedelta(seconds=1)

    def is_news(self, known: ShownStatus | None) -> bool:
        """Whether it is to be sent at all."""
        if not self.settling:
            return known is None or known.status != self.status
        return known is not None and known.status.state is _PENDING and self.status.state is not _PENDING


def wanted_statuses(
    verdicts: Mapping[int, Sequence[Verdict]],
    shown: Mapping[str, ShownStatus],
    usual: Mapping[str, float],
    forms: Forms,
    *,
    links: Links,
    now: datetime,
) -> list[Wanted]:
    """All that the head should show; `usual` is by the run's id."""
    wanted: list[Wanted] = []
    for context, by_number in by_context(verdicts).items():
        known = shown.get(context)
        own = _own(by_number, known, usual, links, now)
        wanted.append(Wanted(*own, settling=not forms.statuses))
        steps_shown = [other for other in shown if other.startswith(f"{context}/")]
        if forms.steps or steps_shown:
            statuses = _steps(by_number, own[0], steps_shown, links, now)
            wanted += [Wanted(status, own=False, settling=not forms.steps) for status in statuses]
    spoken_for = {one.status.context for one in wanted}
    lost = (Status(context, StatusState.ERROR, MOVED_ON) for context in shown if context not in spoken_for)
    return [*wanted, *(Wanted(status, settling=True) for status in lost)]


def by_context(verdicts: Mapping[int, Sequence[Verdict]]) -> dict[str, dict[int, Verdict]]:
    """What each pull request (and branch) says in each context."""
    found: dict[str, dict[int, Verdict]] = {}
    for number, says in verdicts.items():
        for verdict in says:
            found.setdefault(verdict.context, {})[number] = verdict
    return found


def _own(
    by_number: Mapping[int, Verdict],
    known: ShownStatus | None,
    usual: Mapping[str, float],
    links: Links,
    now: datetime,
) -> tuple[Status, float]:
    """The pipeline's status for all that share the head, and the least patience of them."""
    statuses: dict[int, Status] = {}
    names: list[str] = []
    wait = math.inf
    for number, verdict in by_number.items():
        run = verdict.run
        statuses[number] = status_of(verdict, now, links.run_page, None if run is None else usual.get(run.id))
        names += [] if run is None else names_in(run)
        wait = min(wait, patience(run, "" if known is None else known.status.description, now))
    return merge(statuses, names), wait


def _steps(
    by_number: Mapping[int, Verdict], own: Status, shown: Sequence[str], links: Links, now: datetime
) -> Iterator[Status]:
    """A status for each step that has begun in one of the runs, or that the head shows."""
    runs = {number: verdict.run for number, verdict in by_number.items() if verdict.run is not None}
    by_step: dict[str, dict[int, Status]] = {}
    begun = set(shown)
    for number, run in runs.items():
        for status, has_begun in step_statuses(run, links, now).items():
            by_step.setdefault(status.context, {})[number] = status
            if has_begun:
                begun.add(status.context)
    yield from (merge(statuses) for context, statuses in by_step.items() if context in begun)
    for context in shown:
        if context not in by_step:
            yield leftover(context, own, has_steps=any(run.steps for run in runs.values()))
