"""`python -m bot simulate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bot.cli import MISUSED, OK, read

if TYPE_CHECKING:
    import argparse

HELP = "show as JSON what the bot would do about a delivery, without network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The delivery, and what the bot would know."""
    option = parser.add_argument
    option("--event", required=True, metavar="NAME", help="GitHub's name of the event, like issue_comment")
    option("--payload", required=True, metavar="FILE", help="the delivery's body, as GitHub sends it")
    option("--config", metavar="FILE", help="the base branch's preflight.yaml; without it there is none")
    option("--facts", metavar="FILE", help="JSON of what the bot would have looked up")


def run(asked: argparse.Namespace) -> int:
    """Print what the bot would do about a delivery."""
    from bot.simulate import Config, read_facts, simulate  # noqa: PLC0415 - web has no need of it

    facts = read_facts(read(asked.facts) if asked.facts else b"{}")
    config = Config(read(asked.config), asked.config) if asked.config else None
    simulation = simulate(asked.event, read(asked.payload), facts, config)
    print(json.dumps(simulation.shown, indent=2))
    return MISUSED if simulation.missing else OK
