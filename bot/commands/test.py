"""`/test`: run pipelines of this pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError
from bot.models import PREFIX, StatusState
from bot.policy import texts
from bot.policy.automatic import show
from bot.policy.runs import latest_runs
from bot.policy.selection import listens, skip_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.commands.session import Session
    from bot.policy.configuration import Pipeline

NAME = "test"
USAGE = "/test [NAME...] [KEY=VALUE...] [--dryrun]"
WHO = "anyone, once the head is trusted; manual pipelines and inputs: trusted users"
HELP = "Run all automatic pipelines (`all`), or exactly those that are named, with inputs if they take any."
RANK = 50
TAKES_PROSE = False

INPUT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """Names, inputs and flags in any order; `?` asks for help."""
    if list(words) == ["?"]:
        return Command("help", line)
    return read(NAME, words, line)


def read(name: str, words: Sequence[str], line: int, *, dryrun: bool = False) -> Command | CommandError:
    """The command of that name with these words; no names mean everything."""
    names: list[str] = []
    inputs: dict[str, str] = {}
    for word in words:
        given = INPUT.fullmatch(word)
        if word == "--dryrun":
            dryrun = True
        elif word.startswith("-"):
            return CommandError(line, word, reason="there is no such option; --dryrun is the only one")
        elif given is None:
            names.append(word)
        elif inputs.setdefault(given[1], given[2]) != given[2]:
            return CommandError(line, word, reason=f"{given[1]} is given twice")
    named = tuple(dict.fromkeys(one for one in names if one != "all"))
    if inputs and not named:
        return CommandError(line, f"/{name}", reason="say which pipeline the inputs are for")
    return Command(name, line, named, everything=not named or "all" in names, dryrun=dryrun, inputs=inputs)


def act(asked: Sequence[Command], session: Session) -> None:
    """Choose what runs; an untrusted head is dealt with when all commands have chosen."""
    if not session.is_usable():
        return
    for command in asked:
        for name, pipeline in session.find(command.pipelines).items():
            _choose(name, pipeline, command, session)
        if command.everything:
            _choose_all(command, session)


def _choose(name: str, pipeline: Pipeline, command: Command, session: Session) -> None:
    inputs = _inputs(name, pipeline, command.inputs, session)
    if inputs is None:
        return
    if inputs and not session.is_trusted():
        session.deny("give inputs to a pipeline")
    elif session.may_start(name, pipeline):
        session.want(name, pipeline, inputs=inputs, dryrun=command.dryrun)


def _inputs(
    name: str, pipeline: Pipeline, given: Mapping[str, str], session: Session
) -> dict[str, object] | None:
    """The values of what was given, None (and a reply) if the pipeline does not take it."""
    values: dict[str, object] = {}
    for key, text in given.items():
        declared = pipeline.inputs.get(key)
        if declared is None:
            said = texts.no_such_input(name, key, tuple(pipeline.inputs))
            session.fail(f"{name} has no input {key}", said)
            return None
        try:
            values[key] = declared.read(text)
        except ValueError as error:
            session.fail(f"{name} does not take {key}", texts.refused_input(name, key, str(error)))
            return None
    return values


def _choose_all(command: Command, session: Session) -> None:
    """Every automatic pipeline that applies, but those that a maintainer overrode."""
    applying = session.automatic()
    overridden = [name for name in applying if session.is_overridden(name)]
    for name, pipeline in applying.items():
        if command.dryrun or name not in overridden:
            session.want(name, pipeline, dryrun=command.dryrun)
    if not applying:
        session.spare("no pipeline applies", texts.NOTHING_APPLIES)
    if command.dryrun:
        return
    if overridden:
        session.spare("overridden", texts.still_overridden(overridden))
    latest = latest_runs(session.pull, session.history)
    for name, pipeline in session.pipelines.items():
        if (
            name in applying
            or pipeline.manual
            or PREFIX + name in latest
            or session.is_overridden(name)
            or not listens(pipeline, "pull_request")
        ):
            continue
        reason = skip_reason(pipeline, session.pull, session.facts.changed_files)
        if reason is not None:
            session.actions.append(show(name, StatusState.SUCCESS, texts.skipped(reason)))
