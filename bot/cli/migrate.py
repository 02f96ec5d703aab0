"""`python -m bot migrate`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bot.cli import OK
from bot.settings import database_url

if TYPE_CHECKING:
    import argparse

HELP = "bring the database's schema up to date; safe to repeat"


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Nothing can follow."""


def run(_: argparse.Namespace) -> int:
    """Bring the schema up to date."""
    from bot import bootstrap  # noqa: PLC0415 - web must not import it this early

    bootstrap.migrate(database_url(os.environ))
    print("the database's schema is up to date")
    return OK
