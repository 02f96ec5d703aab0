"""The comment's first line: the outcome of the head in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.prose import code, count, listing
from bot.report import texts
from bot.report.comments.rows import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.report.comments.rows import Row

_BECAME = {
    Kind.FAILED: "failed",
    Kind.ERROR: "could not run",
    Kind.TIMED_OUT: "timed out",
    Kind.CANCELLED: "cancelled",
    Kind.OVERRIDDEN: "overridden",
}
_UNFINISHED = {Kind.RUNNING: "in progress", Kind.WAITING: "waiting"}
_WAS = (Kind.CANCELLED, Kind.OVERRIDDEN)


def headline(rows: Sequence[Row], sha: str) -> str:
    """One sentence about all pipelines at the head; what optional ones did is only an aside."""
    counted = [row for row in rows if row.kind is not Kind.SKIPPED]
    required = [row for row in counted if not row.optional]
    if not counted:
        return f"**Nothing to test** for {code(sha[:7])}" + (f": {texts.NOTHING_TO_TEST}" if rows else "")
    if not required:
        return _sentence(counted, code(sha[:7]))
    optional = _said([row for row in counted if row.optional], _BECAME | _UNFINISHED)
    return _sentence(required, code(sha[:7])) + (f" (optional: {optional})" if optional else "")


def _sentence(rows: Sequence[Row], head: str) -> str:
    waiting = _of(rows, Kind.WAITING)
    running = _of(rows, Kind.RUNNING)
    passed = _of(rows, Kind.PASSED)
    if len(waiting) == len(rows):
        return f"**{head} is not tested yet**" + _common(waiting)
    if running or waiting:
        done = len(rows) - len(running) - len(waiting)
        so_far = f": {done:,} of {count(len(rows), 'pipeline')} finished" if done else ""
        begin = f"**Testing** {head}" if running else f"**{head} is only partly tested**"
        return f"{begin}{so_far}{_bad(rows)}"
    if len(rows) == 1:
        only = rows[0]
        became = _BECAME.get(only.kind, texts.PASSED)
        return f"**{code(only.name)} {'was ' if only.kind in _WAS else ''}{became}** for {head}"
    if len(passed) == len(rows):
        return f"**All {len(rows):,} pipelines passed** for {head}"
    return f"**{len(passed):,} of {len(rows):,} pipelines passed** for {head}{_bad(rows, ': ')}"


def _of(rows: Sequence[Row], kind: Kind) -> list[Row]:
    return [row for row in rows if row.kind is kind]


def _bad(rows: Sequence[Row], before: str = ", ") -> str:
    """What did not pass, by kind: ": `unit` failed, `e2e` cancelled"."""
    said = _said(rows, _BECAME)
    return before + said if said else ""


def _said(rows: Sequence[Row], words: dict[Kind, str]) -> str:
    return ", ".join(
        f"{listing([code(row.name) for row in _of(rows, kind)])} {word}"
        for kind, word in words.items()
        if _of(rows, kind)
    )


def _common(waiting: Sequence[Row]) -> str:
    """What all of them wait for, if it is one thing."""
    reasons = {row.result for row in waiting}
    return f": {reasons.pop()}" if len(reasons) == 1 else ""
