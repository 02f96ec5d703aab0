"""`python -m bot redeliver`."""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime, timedelta

from bot.cli import FAILED, OK
from bot.settings import Settings

HELP = "have GitHub deliver again what failed, as its log says, and is not in the inbox"
DURATION = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Since when."""
    option = parser.add_argument
    option(
        "--since",
        required=True,
        type=moment,
        metavar="2h|2026-11-20T10:00Z",
        help="how long ago, or a moment (UTC unless it says otherwise); GitHub keeps 3 days",
    )
    option("--dryrun", action="store_true", help="only show what would be delivered again")


def moment(text: str) -> datetime:
    """A moment, given as such or as how long ago it is; ArgumentTypeError."""
    try:
        if found := DURATION.fullmatch(text):
            return datetime.now(UTC) - int(found[1]) * UNITS[found[2]]
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither like 2h nor like 2026-11-20T10:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def run(asked: argparse.Namespace) -> int:
    """Ask GitHub; 1 if it refuses one of them."""
    from bot.bootstrap import make_by_hand  # noqa: PLC0415 - web must not import it this early

    found = failed = 0
    for one in make_by_hand(Settings.from_env(os.environ)).redeliver(asked.since, dryrun=asked.dryrun):
        found += one.done
        failed += not one.done
        was = f" ({one.event}, {one.was})" if one.event else ""
        print(f"{one.id}{was}: {one.fate.value}{f'; {one.why}' if one.why else ''}", flush=True)
    said = (
        f"{found} to be delivered again: a dry run, nothing was asked for"
        if asked.dryrun
        else f"{found} asked for"
    )
    print(said if found or failed else "nothing was missed")
    return FAILED if failed else OK
