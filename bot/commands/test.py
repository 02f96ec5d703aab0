"""`/test` and `/test NAME...`: run pipelines of this pull request again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.types import Command, CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "test"
USAGE = "/test [NAME...]"
HELP = "Run every pipeline that applies to this pull request, or exactly those that are named."


def parse(arguments: Sequence[str], line: int) -> Command | CommandError:
    """No names, or `all`, mean every pipeline that applies."""
    names = () if tuple(arguments) == ("all",) else tuple(dict.fromkeys(arguments))
    return Command(NAME, names, line)
