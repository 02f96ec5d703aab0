"""The comment's first line: the outcome of the head in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.report import texts
from bot.report.markdown import code
from bot.report.rows import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.report.rows import Row

_BECAME = {Kind.FAILED: "failed", Kind.ERROR: "could not run", Kind.CANCELLED: "cancelled"}


def headline(rows: Sequence[Row], sha: str) -> str:
    """One sentence about all pipelines at the head."""
    head = code(sha[:7])
    counted = [row for row in rows if row.kind is not Kind.SKIPPED]
    waiting = _of(counted, Kind.WAITING)
    running = _of(counted, Kind.RUNNING)
    passed = _of(counted, Kind.PASSED)
    if not counted:
        return f"**Nothing to test** for {head}" + (f": {texts.NOTHING_TO_TEST}" if rows else "")
    if len(waiting) == len(counted):
        return f"**{head} is not tested yet**" + _common(waiting)
    if running or waiting:
        done = len(counted) - len(running) - len(waiting)
        so_far = f": {done:,} of {texts.count(len(counted), 'pipeline')} finished" if done else ""
        begin = f"**Testing** {head}" if running else f"**{head} is only partly tested**"
        return f"{begin}{so_far}{_bad(counted)}"
    if len(counted) == 1:
        only = counted[0]
        became = _BECAME.get(only.kind, texts.PASSED)
        return f"**{code(only.name)} {'was ' if only.kind is Kind.CANCELLED else ''}{became}** for {head}"
    if len(passed) == len(counted):
        return f"**All {len(counted):,} pipelines passed** for {head}"
    return f"**{len(passed):,} of {len(counted):,} pipelines passed** for {head}{_bad(counted, ': ')}"


def _of(rows: Sequence[Row], kind: Kind) -> list[Row]:
    return [row for row in rows if row.kind is kind]


def _bad(rows: Sequence[Row], before: str = ", ") -> str:
    """What did not pass, by kind: ": `unit` failed, `e2e` cancelled"."""
    said = [
        f"{texts.listing([code(row.name) for row in _of(rows, kind)])} {word}"
        for kind, word in _BECAME.items()
        if _of(rows, kind)
    ]
    return before + ", ".join(said) if said else ""


def _common(waiting: Sequence[Row]) -> str:
    """What all of them wait for, if it is one thing."""
    reasons = {row.result for row in waiting}
    return f": {reasons.pop()}" if len(reasons) == 1 else ""
