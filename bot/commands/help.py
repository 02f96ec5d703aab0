"""`/help` and `/test ?`: the pipelines of this pull request, and the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import commands
from bot.commands.types import Command, CommandError
from bot.policy import texts
from bot.policy.configuration import ConfigurationError
from bot.policy.rules import runs_on, takes
from bot.policy.runs import last_result, verdict_of
from bot.policy.selection import listens
from bot.prose import code, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session
    from bot.policy.configuration import Pipeline

NAME = "help"
USAGE = "/help"
WHO = "anyone"
HELP = "List the pipelines of this pull request and these commands; `/test ?` does the same."
RANK = 90
TAKES_PROSE = False
MAX_PIPELINES = 50
MAX_INPUTS = 20


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """Whatever follows is not looked at."""
    del words
    return Command(NAME, line)


def act(asked: Sequence[Command], session: Session) -> None:
    """Reply with both tables."""
    del asked
    error = session.base.configuration
    if isinstance(error, ConfigurationError):
        pipelines = texts.config_problems(error.problems, session.pull.base_ref)
    else:
        pipelines = _pipelines(session)
    session.reply(f"{pipelines}\n\n{commands.help_text()}")
    session.done("help was asked for")


def _pipelines(session: Session) -> str:
    listed = [
        (name, pipeline) for name, pipeline in session.pipelines.items() if listens(pipeline, "pull_request")
    ]
    rows = [_row(name, pipeline, session) for name, pipeline in listed[:MAX_PIPELINES]]
    if len(listed) > MAX_PIPELINES:
        rows.append(f"| and {len(listed) - MAX_PIPELINES} more | | |")
    table = "\n".join(("| pipeline | runs on | last result |", "|---|---|---|", *rows))
    inputs = "\n".join(
        f"- {code(f'/test {name} {key}=...')} {plain(said)}"
        for name, pipeline in listed[:MAX_PIPELINES]
        for key, said in takes(pipeline)[:MAX_INPUTS]
    )
    return f"{table}\n\n{inputs}" if inputs else table


def _row(name: str, pipeline: Pipeline, session: Session) -> str:
    result = last_result(verdict_of(name, session.pull, session.history))
    return f"| {code(name)} | {plain(runs_on(pipeline))} | {plain(result)} |"
