"""`python -m tests.chaos.bot [--stalls FOLDER] [--plant NAME] COMMAND`: the bot, in the hands of chaos.

See `stalls.py` and `plants.py`; without them it is the bot as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot.cli import main
from tests.chaos import stalls
from tests.chaos.plants import PLANTS

if __name__ == "__main__":
    arguments = sys.argv[1:]
    while arguments[0].startswith("--"):
        option, value, *arguments = arguments
        if option == "--plant":
            PLANTS[value]()
        else:
            stalls.install(Path(value))
    raise SystemExit(main(arguments))
