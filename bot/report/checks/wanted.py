"""The check runs that a head should show: one for each context, as its status would."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import Urgency
from bot.models import Check, Conclusion
from bot.report.checks.output import render_check, worst
from bot.report.statuses.progress import FASTEST, patience
from bot.report.statuses.wanted import MOVED_ON, by_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.claims import ShownCheck
    from bot.models import Run, Verdict
    from bot.report.links import Links

_URGENCIES = tuple(Urgency)


@dataclass(frozen=True, slots=True)
class WantedCheck:
    """A check run that the head should show; `number` and `run` are what it is about.

    `patience` is in seconds between two words of its progress; `settling` brings to its end what is not
    wanted any more.
    """

    check: Check
    number: int = 0
    run: Run | None = None
    patience: float = FASTEST
    settling: bool = False

    @property
    def digest(self) -> str:
        """Equal for what looks equal."""
        return hashlib.sha256(repr(self.check).encode(errors="replace")).hexdigest()

    @property
    def final(self) -> bool:
        """Whether this is its last word."""
        return self.check.conclusion is not None

    def is_there(self, known: ShownCheck | None) -> bool:
        """Whether it exists: what it is about has not changed, nor was its last word taken back."""
        if known is None or known.id is None or known.external_id != self.check.external_id:
            return False
        return self.final or not known.completed

    def is_news(self, known: ShownCheck | None) -> bool:
        """Whether there is anything to send."""
        if self.settling:
            return self.final and known is not None and not known.completed
        if known is None or not self.is_there(known):
            return True
        return known.digest != self.digest or (self.final and not known.completed)

    def urgency(self, known: ShownCheck | None) -> Urgency:
        """A check run's first word is an answer to somebody who waits; the next ones are progress."""
        if self.final:
            return Urgency.FINAL_STATUS
        return Urgency.PROGRESS if self.is_there(known) else Urgency.FINAL_COMMENT

    def order(self, known: ShownCheck | None) -> int:
        """The most urgent first."""
        return _URGENCIES.index(self.urgency(known))

    def wait(self, known: ShownCheck | None, now: datetime) -> float:
        """Seconds for which it can wait, because something like it is there already."""
        if known is None or self.final or not self.is_there(known):
            return 0.0
        return self.patience - (now - known.sent_at) / timedelta(seconds=1)


def wanted_checks(
    verdicts: Mapping[int, Sequence[Verdict]],
    shown: Mapping[str, ShownCheck],
    usual: Mapping[str, float],
    *,
    wanted: bool,
    links: Links,
    now: datetime,
    secrets: Sequence[str] = (),
) -> list[WantedCheck]:
    """All that the head should show; if they are not `wanted` (any more), the ends of those that it shows."""
    checks: list[WantedCheck] = []
    spoken_for: set[str] = set()
    for context, by_number in by_context(verdicts).items():
        spoken_for.add(context)
        known = shown.get(context)
        if not wanted and (known is None or known.completed):
            continue
        check = render_check(by_number, usual, links, now, secrets)
        if not wanted and known is not None:
            check = replace(check, external_id=known.external_id)
        number = worst(by_number)
        run = by_number[number].run
        checks.append(WantedCheck(check, number, run, patience(run, "", now), settling=not wanted))
    lost = (known for name, known in shown.items() if name not in spoken_for and not known.completed)
    return [*checks, *(WantedCheck(ended(known, MOVED_ON), settling=True) for known in lost)]


def ended(known: ShownCheck, why: str) -> Check:
    """A check run that nothing will be heard of any more."""
    return Check(
        name=known.name,
        external_id=known.external_id,
        conclusion=Conclusion.CANCELLED,
        started=True,
        title=why,
        summary=why,
    )
