"""`/dryrun`: show what pipelines would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.session import Session
    from bot.commands.types import Command, CommandError

NAME = "dryrun"
USAGE = "/dryrun [NAME...] [KEY=VALUE...]"
WHO = "as `/test`"
HELP = "Show the exact commands that each step would run, in a reply. Runs none of them, changes no status."
RANK = test.RANK
TAKES_PROSE = False


def parse(words: Sequence[str], line: int) -> Command | CommandError:
    """As `/test --dryrun`."""
    return test.read(NAME, words, line, dryrun=True)


def act(asked: Sequence[Command], session: Session) -> None:
    """As `/test`: each of these commands is a dry run."""
    test.act(asked, session)
