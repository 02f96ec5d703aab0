"""Why steps failed: reason, the log's lines that matter, and how to repeat it by hand."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bot.prose import code, plain
from bot.report import texts
from bot.report.command import shown_command
from bot.report.excerpt import GAP
from bot.report.markdown import fence, fenced_command, fold, link
from bot.report.redact import redact
from bot.report.room import fitting, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Run, Step
    from bot.report.links import Links
    from bot.report.rows import Row

_EXCERPT_LINES = (40, 20, 10, 5, 0)  # the first that lets all failures fit
_DETAILED = 30  # nobody reads more
_COMMAND_LIMIT = 1_000  # characters; half a command is worse than none


def failure_sections(rows: Sequence[Row], links: Links, room: int) -> list[str]:
    """A section for each failed step, in at most `room` characters; what does not fit is counted."""
    failures = [(row.name, row.run, step) for row in rows if row.run for step in row.failed_steps]
    shown = failures[:_DETAILED]
    sections: list[str] = []
    for lines in _EXCERPT_LINES:
        sections = [_section(name, run, step, links, lines) for name, run, step in shown]
        if sum(size(section) + 2 for section in sections) <= room:
            break
    else:
        sections = list(fitting(sections, room, between=2))
    missing = len(failures) - len(sections)
    return [*sections, texts.more_failed_steps(missing)] if missing else sections


def _section(pipeline: str, run: Run, step: Step, links: Links, lines: int) -> str:
    reason = step.result.reason if step.result else ""
    why = f": {plain(redact(reason))}" if reason.strip() else ""
    log = links.step_log(run.id, step)
    more = f" ({link(texts.LOG, log)})" if log else ""
    parts = [f"❌ **{code(pipeline)} / {code(redact(step.name))}** {texts.FAILED}{why}{more}"]
    if step.excerpt and lines:
        kept = _shortened(redact("\n".join(step.excerpt)).split("\n"), lines)
        parts.append(fold(texts.LINES_THAT_MATTER, fence(kept)))
    return "\n\n".join(chain(parts, _reproduction(step)))


def _reproduction(step: Step) -> list[str]:
    command = shown_command(step.result.reproduce) if step.result else ""
    if not command:
        return []
    if size(command) > _COMMAND_LIMIT:
        return [texts.REPRODUCE_TOO_LONG]
    return [texts.REPRODUCE, fenced_command(command)]


def _shortened(lines: Sequence[str], limit: int) -> Sequence[str]:
    """The first and the last of the lines, which hold the cause and the verdict."""
    if len(lines) <= limit:
        return lines
    return [*lines[: limit // 2], GAP, *lines[len(lines) - (limit - limit // 2 - 1) :]]
