"""The steps of a run as bars on a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.report.duration import human

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.models import Step

SCALE = 1000
THINNEST = 6  # of the scale: a shorter bar could not be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a step lies on the scale from 0 to `SCALE`, and the same in words."""

    start: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars by the step's key (none for a step that did not begin), and how long it is in words."""

    bars: dict[tuple[str, int], Bar]
    length: str


def timeline(steps: Sequence[Step], now: datetime) -> Timeline:
    """From when the first step began until the last one ended, or now."""
    spans = {
        step.key: (step.started_at, max(step.started_at, step.ended_at or now))
        for step in steps
        if step.started_at is not None
    }
    if not spans:
        return Timeline({}, "")
    begin = min(start for start, _ in spans.values())
    whole = (max(end for _, end in spans.values()) - begin).total_seconds()
    bars = {
        key: _bar((start - begin).total_seconds(), (end - begin).total_seconds(), whole)
        for key, (start, end) in spans.items()
    }
    return Timeline(bars, human(whole))


def _bar(start: float, end: float, whole: float) -> Bar:
    scale = SCALE / whole if whole > 0 else 0.0
    width = min(SCALE, max(THINNEST, round((end - start) * scale)))
    return Bar(
        start=min(round(start * scale), SCALE - width),
        width=width,
        text=f"began after {human(start)}, ended after {human(end)}"
        if start >= 1
        else f"ended after {human(end)}",
    )
