"""A pipeline as a check run: title, summary, why steps failed, how it ended, and the buttons below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Check, CheckButton, Conclusion, Outcome, Phase, StatusState, external_id
from bot.report import texts
from bot.report.comments.failures import failure_sections
from bot.report.comments.markdown import link
from bot.report.comments.rows import row_of
from bot.report.comments.steps import step_table
from bot.report.statuses.merge import merge, ranking
from bot.report.statuses.status import names_in, status_of, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.models import Run, Status, Verdict
    from bot.report.comments.rows import Row
    from bot.report.links import Links

TITLE_LIMIT = 255
OUTPUT_BYTES = 65_535
"""GitHub's limit on summary and text each: it documents characters and counts bytes."""

RETRY = CheckButton("Retry failed", "retry", "Run again what did not pass")
CANCEL = CheckButton("Cancel", "cancel", "Stop this run")
DRYRUN = CheckButton("Dry run", "dryrun", "Show the commands, and run none of them")

_ROOMS = (60_000, 30_000, 20_000)  # characters; no character of UTF-16 takes more than 3 bytes

_ENDED = {
    Outcome.SUCCESS: Conclusion.SUCCESS,
    Outcome.FAILURE: Conclusion.FAILURE,
    Outcome.ERROR: Conclusion.FAILURE,
    Outcome.CANCELLED: Conclusion.CANCELLED,
    Outcome.TIMED_OUT: Conclusion.TIMED_OUT,
}
_WORST_FIRST = (
    Conclusion.CANCELLED,
    Conclusion.FAILURE,
    Conclusion.TIMED_OUT,
    None,  # not completed
    Conclusion.NEUTRAL,
    Conclusion.SUCCESS,
    Conclusion.SKIPPED,
)


def worst(by_number: Mapping[int, Verdict]) -> int:
    """Which of the pull requests that share a context its check run is about: as with statuses, the worst."""
    badness = {number: _WORST_FIRST.index(conclusion(verdict)) for number, verdict in by_number.items()}
    return ranking(badness)[0]


def render_check(
    by_number: Mapping[int, Verdict],
    usual: Mapping[str, float],
    links: Links,
    now: datetime,
    secrets: Sequence[str] = (),
) -> Check:
    """What the check run of a context shows, for all that share it; equal for equal input."""
    number = worst(by_number)
    verdict = by_number[number]
    run = verdict.run
    hidden = {other: without_secrets(says, secrets) for other, says in by_number.items()}
    row = row_of(verdict, secrets=secrets)
    ended = conclusion(verdict)
    return Check(
        name=verdict.context,
        external_id=external_id(number, run),
        conclusion=ended,
        started=run is not None and run.phase in (Phase.ACTIVE, Phase.FINISHED),
        title=_title(hidden, usual, links, now) or verdict.context,
        summary=_bounded(lambda room: _summary(row, links, room)),
        text=_bounded(lambda room: _text(row, links, room)),
        details_url="" if run is None else links.run_page(run.id),
        started_at=None if run is None else run.started_at,
        completed_at=None if run is None or ended is None else run.finished_at,
        buttons=_buttons(run),
    )


def conclusion(verdict: Verdict) -> Conclusion | None:
    """How it ended, None while it goes on. What is optional never stands in the way."""
    if verdict.run is not None:
        if verdict.run.outcome is None:
            return None
        ended = _ENDED[verdict.run.outcome]
        stands_aside = ended in (Conclusion.SUCCESS, Conclusion.CANCELLED) or not verdict.run.rules.optional
        return ended if stands_aside else Conclusion.NEUTRAL
    state = verdict.status.state if verdict.status else StatusState.ERROR
    if state is StatusState.PENDING:
        return None
    if state is not StatusState.SUCCESS:
        return Conclusion.FAILURE
    return Conclusion.SKIPPED if verdict.pipeline and not verdict.override else Conclusion.SUCCESS


def _title(by_number: Mapping[int, Verdict], usual: Mapping[str, float], links: Links, now: datetime) -> str:
    """What the statuses would say, with more room."""
    said: dict[int, Status] = {}
    names: list[str] = []
    for number, verdict in by_number.items():
        run = verdict.run
        expected = None if run is None else usual.get(run.id)
        said[number] = status_of(verdict, now, links.run_page, expected, TITLE_LIMIT)
        names += [] if run is None else names_in(run)
    return merge(said, names, TITLE_LIMIT).description


def _summary(row: Row, links: Links, room: int) -> str:
    """The outcome in words, where there is more, and all steps."""
    aside = f" {texts.OPTIONAL}" if row.optional else ""
    took = f" (took {row.took})" if row.took else ""
    parts = [f"{row.kind.value} {row.result}{aside}{took}"]
    if row.run is not None:
        ways = ((texts.RUN_PAGE.capitalize(), links.run_page(row.run.id)),
                (texts.AIRFLOW, links.airflow_run(row.run)))  # fmt: skip
        parts.append(" · ".join(link(label, url) for label, url in ways if url))
        parts.append(step_table(row.run, links, room))
    return "\n\n".join(filter(None, parts))


def _text(row: Row, links: Links, room: int) -> str:
    """Why steps failed; empty where none did."""
    return "\n\n".join(failure_sections([row], links, room))


def _bounded(render: Callable[[int], str]) -> str:
    """What fits into the bytes that GitHub takes, rendered with as much room as its characters allow."""
    whole = ""
    for room in _ROOMS:
        whole = render(room)
        if len(whole.encode(errors="replace")) <= OUTPUT_BYTES:
            break
    return whole


def _buttons(run: Run | None) -> tuple[CheckButton, ...]:
    """What one may want to do now; nothing runs behind what is skipped or overridden."""
    if run is None:
        return ()
    if run.outcome is None:
        return (CANCEL, DRYRUN)
    return (DRYRUN,) if run.outcome is Outcome.SUCCESS else (RETRY, DRYRUN)
