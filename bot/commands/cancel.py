"""`/cancel` and `/cancel NAME...`: stop what runs for this pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "cancel"
USAGE = "/cancel [NAME...]"
HELP = "Stop every run of this pull request, or those of the named pipelines."


def parse(arguments: Sequence[str], line: int) -> Command | CommandError:
    """No names mean every run."""
    return Command(NAME, tuple(dict.fromkeys(arguments)), line)
