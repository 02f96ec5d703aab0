"""`/retest`: run again what failed, only the steps that did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError
from bot.policy import texts
from bot.policy.decision import DecisionKind
from bot.policy.runs import at_head, can_resume, is_bad, last_result, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session
    from bot.models import Run
    from bot.policy.configuration import Pipeline

NAME = "retest"
USAGE = "/retest [NAME...]"
WHO = "as `/test`"
HELP = "Run again what failed or was cancelled, only the steps that did not pass; and what has not run yet."
RANK = 60
TAKES_PROSE = False


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """No names, or `all`, mean everything that failed."""
    for word in words:
        if word.startswith("-") or "=" in word:
            return CommandError(line, word, reason="/retest takes only names of pipelines")
    named = tuple(dict.fromkeys(word for word in words if word != "all"))
    return Command(NAME, line, named, everything=not named or "all" in words)


def act(asked: Sequence[Command], session: Session) -> None:
    """Choose the runs that go on, and those that start."""
    if not session.is_usable():
        return
    names = tuple(name for command in asked for name in command.pipelines)
    before = _asked(session)
    for name, pipeline in session.find(names).items():
        if not _retest(name, pipeline, session):
            result = last_result(verdict_of(name, session.pull, session.history))
            session.spare(f"{name} did not fail", texts.not_failed(name, result))
    if any(command.everything for command in asked):
        automatic = session.automatic()
        for name, pipeline in session.pipelines.items():
            if session.is_overridden(name):
                continue
            _retest(name, pipeline, session, automatic=name in automatic)
        if before == _asked(session):
            session.spare("nothing failed", texts.NOTHING_FAILED)


def _asked(session: Session) -> tuple[int, int]:
    """How much this comment asked for so far, and how often it was refused."""
    refused = sum(kind is DecisionKind.DENY for kind, _ in session.outcomes)
    return len(session.wanted) + len(session.resumed), refused


def _retest(name: str, pipeline: Pipeline, session: Session, *, automatic: bool = True) -> bool:
    """Ask for what of the pipeline is to run again; whether there was anything (or a reply says why not).

    A run with inputs is asked for by who may give inputs.
    """
    found = False
    for run in _failed_runs(name, session):
        found = True
        if (pipeline.manual or run.inputs) and not session.is_trusted():
            session.deny(f"run {name} again")
        elif can_resume(run, pipeline, session.base, session.facts.now()):
            session.resume(run)
        else:
            session.want(name, pipeline, inputs=run.inputs)
    if not found and automatic and _is_silent(name, pipeline, session):
        if session.may_start(name, pipeline):
            session.want(name, pipeline)
        found = True
    return found


def _is_silent(name: str, pipeline: Pipeline, session: Session) -> bool:
    """Whether nothing was ever decided, or all that it waited for was an approval that it no longer needs."""
    if session.pull.draft and not pipeline.drafts:
        return False
    verdict = verdict_of(name, session.pull, session.history)
    return verdict is None or (verdict.status is not None and verdict.status.description == texts.WAITING)


def _failed_runs(name: str, session: Session) -> list[Run]:
    """What failed of the pipeline at this head, with inputs or without."""
    return [
        verdict.run
        for verdict in session.history.verdicts.values()
        if verdict.pipeline == name
        and verdict.run is not None
        and at_head(verdict.run, session.pull)
        and is_bad(verdict)
    ]
