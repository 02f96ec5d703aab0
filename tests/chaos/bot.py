"""`python -m tests.chaos.bot [--plant NAME] COMMAND`: the bot as it is, or with a planted bug."""

from __future__ import annotations

import sys

from bot.cli import main
from tests.chaos.plants import PLANTS

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--plant"]:
        PLANTS[arguments[1]]()
        arguments = arguments[2:]
    raise SystemExit(main(arguments))
