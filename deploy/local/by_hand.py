"""`make bot ARGS=doctor`: a command of the bot with the settings of the stack that was started last."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from deploy.local import environment
from deploy.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from deploy.local.credentials import Credentials

SETTINGS = "bot-settings"


def remember(credentials: Credentials, settings: Mapping[str, str]) -> None:
    """Keep what the bot of a stack is set up by, beside its secrets, some of which it holds."""
    credentials.keep(SETTINGS, json.dumps(settings))


def run(state: Path, words: Sequence[str]) -> int:
    """Run `python -m bot` with these words; its exit code.

    Raises:
        StackError: no stack was ever started.
    """
    try:
        settings = json.loads((state / "secrets" / SETTINGS).read_text())
    except (OSError, ValueError) as error:
        raise StackError(
            "There is no bot yet whose settings to use. Start `make up` or `make demo`."
        ) from error
    return subprocess.run(
        [environment.BOT_PYTHON, "-m", "bot", *words],
        env={**environment.base(), **settings},
        cwd=environment.ROOT,
        check=False,
    ).returncode
