"""The one comment of a pull request: the outcome, what changed, the table, why steps failed, all steps.

What must be there is rendered first; the rest is added while GitHub's limit leaves room for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import NO_PAST, CancelKind, CommentPolicy
from bot.prose import code
from bot.report import texts
from bot.report.comments.changes import changes
from bot.report.comments.failures import failure_sections
from bot.report.comments.headline import headline
from bot.report.comments.markdown import link, table
from bot.report.comments.room import fitting, size
from bot.report.comments.rows import Kind, row_of
from bot.report.comments.steps import step_folds
from bot.report.comments.tests import flaky_line
from bot.report.logs.excerpt import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Past, PullView, Verdict
    from bot.report.comments.rows import Row
    from bot.report.links import Links

_ROOM = 64_000  # of GitHub's 65,536: the rest is for the sentences that say what was left out
_NOTICE_ROOM = 10_000
_TABLE_ROOM = 40_000

_HEADER = ("Pipeline", "Result", "Time")
_ALIGNMENT = (":--", ":--", "--:")


def render_comment(view: PullView, links: Links, marker: str, secrets: Sequence[str] = ()) -> str:
    """The whole body: equal for equal input, valid Markdown, never longer than GitHub takes.

    `marker` is the HTML comment that the sticky comment is found by; it comes last, so that e-mails and
    previews begin with what people want to know.
    """
    rows = [(verdict, row_of(verdict, _past(view, verdict), secrets)) for verdict in view.verdicts]
    pipelines = [row for verdict, row in rows if verdict.pipeline]
    others = [row for verdict, row in rows if not verdict.pipeline]
    if view.report.comment is CommentPolicy.OFF:
        pipelines, others = [], []
    # A context that is no pipeline's speaks up only while something is wrong.
    shown = [*pipelines, *(row for row in others if row.kind is not Kind.SKIPPED)]
    parts = [_notice(view.notice)] if view.notice.strip() else []
    if pipelines or not parts:
        parts.append(headline(pipelines, view.head_sha))
    parts += filter(None, [changes(pipelines)])
    if shown:
        parts.append(_table(shown, links))
    closing = [*filter(None, [flaky_line(pipelines)]), *_what_now(pipelines)]
    room = _ROOM - sum(size(part) + 2 for part in (*parts, *closing, marker))
    sections = failure_sections(shown, links, room)
    room -= sum(size(section) + 2 for section in sections)
    return "\n\n".join((*parts, *sections, *step_folds(shown, links, room), *closing, marker)) + "\n"


def _past(view: PullView, verdict: Verdict) -> Past:
    return NO_PAST if verdict.run is None else view.past.get(verdict.run.id, NO_PAST)


def _notice(notice: str) -> str:
    """Our own Markdown; a very long one ends after a whole line."""
    lines = notice.strip().splitlines()
    kept = list(fitting(lines, _NOTICE_ROOM, between=1))
    return "\n".join(kept if len(kept) == len(lines) else [*kept, "", GAP])


def _table(rows: Sequence[Row], links: Links) -> str:
    """All pipelines with links and reasons; if that is too long without; and if that is, the first ones."""
    full = table(_HEADER, _ALIGNMENT, (_cells(row, links) for row in rows))
    if size(full) <= _TABLE_ROOM:
        return full
    brief = table(_HEADER, _ALIGNMENT, map(_brief_cells, rows)).split("\n")
    kept = list(fitting(brief, _TABLE_ROOM, between=1))
    missing = len(brief) - len(kept)
    return "\n".join(kept) + (f"\n\n{texts.more_pipelines(missing)}" if missing else "")


def _cells(row: Row, links: Links) -> tuple[str, str, str]:
    name = code(row.name)
    label = name if row.run is None else link(name, links.run_page(row.run.id))
    return (f"{row.kind.value} {label}{_aside(row)}", row.result, row.took)


def _brief_cells(row: Row) -> tuple[str, str, str]:
    word = row.kind.name.lower().replace("_", " ")
    return (f"{row.kind.value} {code(row.name, 40)}{_aside(row)}", word, row.took)


def _aside(row: Row) -> str:
    return f" {texts.OPTIONAL}" if row.optional else ""


def _what_now(pipelines: Sequence[Row]) -> list[str]:
    """Which command helps now, once nothing runs or waits any more."""
    if any(row.kind in (Kind.RUNNING, Kind.WAITING) for row in pipelines):
        return []
    if any(row.kind is Kind.FAILED for row in pipelines):
        return [texts.RETEST_FAILED]
    stopped = (Kind.ERROR, Kind.TIMED_OUT)
    again = any(row.kind in stopped or _was_stopped_by_hand(row) for row in pipelines)
    return [texts.RETEST] if again else []


def _was_stopped_by_hand(row: Row) -> bool:
    """A push or a closed pull request is no reason to run again."""
    return row.kind is Kind.CANCELLED and row.run is not None and row.run.cancel_kind is CancelKind.COMMAND
