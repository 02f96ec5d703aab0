"""`python -m bot replay`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bot.cli import FAILED, MISUSED, OK
from bot.settings import Settings

if TYPE_CHECKING:
    import argparse

HELP = "handle deliveries again, whatever became of them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which deliveries."""
    parser.add_argument("ids", nargs="*", metavar="DELIVERY", help="its X-GitHub-Delivery id")
    parser.add_argument("--parked", action="store_true", help="all that are parked")
    parser.add_argument("--dryrun", action="store_true", help="only show what would happen")


def run(asked: argparse.Namespace) -> int:
    """Queue them again, or have GitHub deliver them again; 1 if one of them does not come again."""
    if bool(asked.ids) == asked.parked:
        print("preflight: name deliveries, or say --parked", file=sys.stderr)
        return MISUSED
    from bot.bootstrap import make_by_hand  # noqa: PLC0415 - web must not import it this early

    by_hand = make_by_hand(Settings.from_env(os.environ))
    ids = by_hand.parked() if asked.parked else asked.ids
    lost = 0
    for one in by_hand.replay(ids, dryrun=asked.dryrun):
        lost += not one.done
        was = f" ({one.event}, {one.was})" if one.event else ""
        print(f"{one.id}{was}: {one.fate.value}{f'; {one.why}' if one.why else ''}", flush=True)
    if not ids:
        print("nothing is parked")
    elif asked.dryrun:
        print("a dry run: nothing was changed")
    else:
        print("deciding again looks at what is now: nothing runs twice, no comment is obeyed twice")
    return FAILED if lost else OK
