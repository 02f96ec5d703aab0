"""The reply to a comment that asked for dry runs: what each step would run, ready to copy."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bot.models import PREFIX, Outcome, StepState
from bot.prose import code, count, plain
from bot.report import texts
from bot.report.comments.markdown import fenced_command, fold, html_code, link
from bot.report.comments.room import fitting, size
from bot.report.comments.rows import standing, step_name
from bot.report.logs.excerpt import GAP
from bot.report.logs.redacted import redacted_run
from bot.report.statuses.status import result_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import Run, Step
    from bot.report.links import Links

_ROOM = 64_000  # of GitHub's 65,536: the rest is for the sentences that say what was left out
_TEXT_ROOM = 20_000
_RUNS = 40  # nobody reads more
_COMMAND_LIMIT = 8_000  # characters; half a command is worse than none
_UNFOLDED = 1_500  # characters of commands that are shown without a click

_WORDS = {
    StepState.FAILED: "failed",
    StepState.BLOCKED: "not reached, because a step before it failed",
    StepState.SKIPPED: "skipped",
    StepState.CANCELLED: "cancelled",
}


def render_reply(
    text: str, runs: Sequence[Run], links: Links, marker: str, secrets: Sequence[str] = ()
) -> str:
    """The whole body: our own words first, then each dry run with the exact commands of its steps.

    Equal for equal input, valid Markdown, never longer than GitHub takes. `marker` is the HTML comment that
    the reply is found by.
    """
    shown = [redacted_run(run, secrets) for run in runs[:_RUNS]]
    heads = [_head(run, links) for run in shown]
    parts = [_shortened(text)] if text.strip() else []
    if any(_command(step) for run in shown if run.outcome for step in run.steps):
        parts.append(texts.NOT_RUN)
    room = _ROOM - sum(size(part) + 2 for part in chain(parts, heads, [marker]))
    for run, head in zip(shown, heads, strict=True):
        parts.append(head)
        commands = _commands(run, room)
        room -= sum(size(part) + 2 for part in commands)
        parts += commands
    if len(runs) > len(shown):
        parts.append(texts.more_dry_runs(len(runs) - len(shown)))
    return "\n\n".join((*parts, marker)) + "\n"


def _shortened(text: str) -> str:
    """Our own Markdown; a very long one ends after a whole line."""
    lines = text.strip().splitlines()
    kept = list(fitting(lines, _TEXT_ROOM, between=1))
    return "\n".join(kept if len(kept) == len(lines) else [*kept, "", GAP])


def _head(run: Run, links: Links) -> str:
    """Which pipeline and inputs, and where it stands."""
    page = links.run_page(run.id)
    more = f" ({link(texts.RUN_PAGE, page)})" if page else ""
    head = f"**Dry run of {code(run.context.removeprefix(PREFIX))}** at {code(run.head_sha[:7])}"
    return f"{head}: {_stands(run)}{more}"


def _stands(run: Run) -> str:
    if run.outcome is None:
        return standing(run)
    if run.outcome is Outcome.SUCCESS:
        commands = sum(1 for step in run.steps if _command(step))
        return count(commands, "command") if commands else texts.NO_COMMANDS
    return plain(result_of(run))


def _commands(run: Run, room: int) -> list[str]:
    """The steps of a finished dry run in the DAG's order, as far as there is room; folded if long."""
    if run.outcome is None:
        return []
    steps = [step for step in run.steps if step.state is not StepState.REMOVED]
    blocks = ["\n\n".join(_step(step)) for step in steps]
    summary = f"{texts.COMMANDS_OF} {html_code(run.context.removeprefix(PREFIX))}"
    folded = sum(size(block) + 2 for block in blocks) > _UNFOLDED
    around = size(fold(summary, "")) + size(texts.more_steps(len(blocks))) + 4
    kept = list(fitting(blocks, room - around, between=2))
    if len(kept) < len(blocks):
        kept.append(texts.more_steps(len(blocks) - len(kept)))
    return [fold(summary, "\n\n".join(kept))] if folded and len(kept) > 1 else kept


def _step(step: Step) -> Iterator[str]:
    name = code(step_name(step))
    command = _command(step)
    word = _WORDS.get(step.state, "")
    reason = step.result.reason if step.result else ""
    if word and reason.strip():
        word = f"{word}: {plain(reason)}"
    if not command:
        yield f"{name}: {word or texts.NO_COMMAND}"
    elif size(command) > _COMMAND_LIMIT:
        yield f"{name}: {texts.COMMAND_TOO_LONG}"
    else:
        yield f"{name}: {word}" if word else name
        yield fenced_command(command)


def _command(step: Step) -> str:
    return step.result.argv if step.result else ""
