"""`make chaos`: the last line says how many lives were lived, and how many violations there were."""

from __future__ import annotations

import argparse
import contextlib
import math
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from deploy.local.console import Console
from deploy.local.errors import StackError
from tests.chaos.chaos import Options, run
from tests.chaos.inflicting import KINDS
from tests.chaos.plants import PLANTS
from tests.chaos.settling import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_INTERRUPTED = 130


def main() -> int:
    """The exit code: 0 if nothing was wrong."""
    asked = arguments()
    seed = random.SystemRandom().randint(1, 999_999) if asked.seed is None else asked.seed
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    console = Console()
    console.say(f"seed {seed}")
    options = Options(
        asked.lives,
        seed,
        at_once=asked.at_once,
        plant=asked.plant,
        patience=asked.patience,
        frozen=not asked.brisk,
        only=asked.only,
    )
    try:
        with _directory(asked.keep) as directory:
            outcome = run(options, Path(directory), console.say)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if told := outcome.told():
        console.show(told)
    console.show(outcome.line)
    return 1 if outcome.count else 0


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for, by default on the command line; SystemExit 2 for what can't be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--lives", type=_count, default=200, help="how many pull requests live (200)")
    parser.add_argument("--seed", type=int, help="what they live through; any, if not given")
    parser.add_argument("--at-once", type=_count, default=12, help="how many at a time (12)")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="run the bot with this bug")
    parser.add_argument("--brisk", action="store_true", help="freeze no worker beyond its lease")
    parser.add_argument(
        "--only",
        type=_words,
        default="",
        metavar="WORDS",
        help="only faults of that name, and many, until met",
    )
    parser.add_argument(
        "--patience", type=_seconds, default=PATIENCE_SECONDS, help="seconds without news in the end (150)"
    )
    parser.add_argument("--keep", type=_folder, help="a new folder for the logs, kept afterwards")
    return parser.parse_args(given)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _words(text: str) -> str:
    if not any(text in kind for kind in KINDS):
        raise argparse.ArgumentTypeError(f"no fault has {text!r} in its name. There are: {', '.join(KINDS)}")
    return text


def _folder(text: str) -> Path:
    folder = Path(text)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise argparse.ArgumentTypeError(f"{text} is there already, and not an empty folder: choose another")
    return folder


def _directory(keep: Path | None) -> contextlib.AbstractContextManager[str]:
    """Where logs are, and what the processes keep; gone afterwards if nobody wants it."""
    if keep is None:
        return tempfile.TemporaryDirectory(prefix="preflight-chaos-")
    return contextlib.nullcontext(str(keep))


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
