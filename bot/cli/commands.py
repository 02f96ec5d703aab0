"""`python -m bot commands`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli import OK

if TYPE_CHECKING:
    import argparse

HELP = "list what people can write in comments, as /help does"


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Nothing can follow."""


def run(_: argparse.Namespace) -> int:
    """Print the help of every command."""
    from bot import commands  # noqa: PLC0415 - web has no need of it

    print(commands.help_text())
    return OK
