"""`python -m bot validate FILE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli import FAILED, OK, read

if TYPE_CHECKING:
    import argparse

HELP = "check a preflight.yaml: exit 1 and each problem's line if it can't be used"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", metavar="FILE", help="the preflight.yaml")


def run(asked: argparse.Namespace) -> int:
    """Check a preflight.yaml as the bot does, short of asking Airflow about its DAGs."""
    from bot.policy.configuration import ConfigurationError, parse  # noqa: PLC0415 - web has no need of it

    try:
        configuration = parse(read(asked.file), asked.file)
    except ConfigurationError as error:
        print(*error.problems, sep="\n")
        return FAILED
    print(f"{asked.file}: fine: {', '.join(configuration.pipelines) or 'no pipelines'}")
    return OK
