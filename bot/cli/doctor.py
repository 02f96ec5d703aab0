"""`python -m bot doctor`."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys

HELP = "check every part and say how to mend it: exit 1 if something is broken, 2 if the settings are"
PARTS = ("github", "web", "airflow", "database", "worker", "pubsub", "artifacts", "repositories")
WIDEST = 110
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can follow."""
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.add_argument(
        "--only", action="append", default=[], choices=PARTS, help="look at this part alone; can be repeated"
    )
    parser.add_argument(
        "--repository",
        action="append",
        default=[],
        type=_repository,
        metavar="OWNER/NAME",
        help="look at this repository, too; can be repeated",
    )


def run(asked: argparse.Namespace) -> int:
    """Look at everything, print what was found. Nothing is changed anywhere."""
    from bot import bootstrap  # noqa: PLC0415 - web must not import it this early
    from bot.doctor.report import MARKS, PLAIN_MARKS, as_json, as_text, exit_code  # noqa: PLC0415 - likewise

    findings = bootstrap.examine_all(os.environ, asked.only, asked.repository)
    if asked.json:
        print(json.dumps(as_json(findings), indent=2))
    else:
        marks = MARKS if _can_print("".join(MARKS.values())) else PLAIN_MARKS
        print(as_text(findings, min(WIDEST, shutil.get_terminal_size((WIDEST, 0)).columns), marks))
    return exit_code(findings)


def _repository(name: str) -> str:
    if not REPOSITORY.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{name!r} is not OWNER/NAME")
    return name


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
