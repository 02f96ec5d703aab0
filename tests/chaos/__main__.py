"""`make chaos`: the last line says how many lives were lived, and how many violations there were."""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from deploy.local.console import Console
from deploy.local.errors import StackError
from tests.chaos.chaos import Options, run
from tests.chaos.plants import PLANTS
from tests.chaos.settling import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130


def main() -> int:
    """The exit code: 0 if nothing was wrong."""
    asked = _arguments()
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--lives", type=int, default=200, help="how many pull requests live (200)")
    parser.add_argument("--seed", type=int, help="what they live through; any, if not given")
    parser.add_argument("--at-once", type=int, default=12, help="how many at a time (12)")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="run the bot with this bug")
    parser.add_argument("--brisk", action="store_true", help="freeze no worker beyond its lease")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="only faults of that name, and many, until met"
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_SECONDS, help="seconds without a change in the end (90)"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the logs, kept afterwards")
    return parser.parse_args()


def _directory(keep: Path | None) -> contextlib.AbstractContextManager[str]:
    """Where logs are, and what the processes keep; gone afterwards if nobody wants it."""
    if keep is None:
        return tempfile.TemporaryDirectory(prefix="preflight-chaos-")
    return contextlib.nullcontext(str(keep))


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
