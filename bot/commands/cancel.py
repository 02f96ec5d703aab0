"""`/cancel`: stop what runs for this pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError
from bot.models import CancelKind
from bot.policy import texts
from bot.policy.approval import who_is_trusted
from bot.policy.runs import cancel, is_going

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session

NAME = "cancel"
USAGE = "/cancel [NAME...]"
WHO = "trusted users, and the pull request's author"
HELP = "Stop every run of this pull request, or those of the named pipelines."
RANK = 10  # what the same comment starts is not meant
TAKES_PROSE = False


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """No names, or `all`, mean every run."""
    named = tuple(dict.fromkeys(word for word in words if word != "all"))
    return Command(NAME, line, named, everything=not named or "all" in words)


def act(asked: Sequence[Command], session: Session) -> None:
    """Stop the named runs, or all."""
    login, author = session.asker.login, session.pull.author
    if login.lower() != author.lower() and not session.is_trusted():
        who = who_is_trusted(session.base, session.facts)
        session.deny("cancel runs", f"{who}, or the pull request's author,")
        return
    everything = any(command.everything for command in asked)
    names = dict.fromkeys(name for command in asked for name in command.pipelines)
    running = [run for run in session.history.runs if is_going(run)]
    chosen = [run for run in running if everything or run.pipeline in names]
    session.actions += cancel(chosen, CancelKind.COMMAND, texts.cancelled_by(login))
    if chosen:
        stopped = dict.fromkeys(run.pipeline for run in chosen)
        session.done(f"{login} cancelled {', '.join(stopped)}")
    elif everything:
        session.spare("nothing runs", texts.NOTHING_RUNS)
    for name in names:
        if not any(run.pipeline == name for run in running):
            if name in session.pipelines:
                session.spare(f"{name} does not run", texts.not_running(name))
            else:
                session.find((name,))
