"""`python -m deploy.local demo | up | bot | run_postgre | run_airflow | clean`: what `make` calls."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from deploy.local import by_hand, clean, demo, environment, reaper, run_airflow, run_postgre, up
from deploy.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

_INTERRUPTED = 130
_COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": lambda options: demo.run(
        options.state.absolute() / "demo", once=options.once, deadline=options.deadline
    ),
    "up": lambda options: up.run(options.state.absolute() / "up", options.env_file),
    "bot": lambda options: by_hand.run(options.state.absolute(), options.words),
    "run_postgre": lambda options: run_postgre.run(options.state.absolute()),
    "run_airflow": lambda options: run_airflow.run(options.state.absolute(), options.image),
    "clean": lambda options: clean.run(options.state),
}


def main() -> int:
    """Parse the command line and do what it asks for; returns the exit code."""
    options = _parser().parse_args()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = environment.without_proxy()
    if options.command in ("clean", "bot"):
        return _reported(options)
    return reaper.run_below(lambda: _reported(options), until_parent_ends=options.with_parent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    modules = {
        "demo": demo,
        "up": up,
        "bot": by_hand,
        "run_postgre": run_postgre,
        "run_airflow": run_airflow,
        "clean": clean,
    }
    for name, module in modules.items():
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        command.add_argument(
            "--state", type=Path, default=environment.STATE, metavar="DIR", help="where it keeps what it has"
        )
        command.add_argument(
            "--with-parent", action="store_true", help="stop when the process that started this ends"
        )
        if name == "up":
            command.add_argument(
                "--env-file",
                type=Path,
                default=environment.ROOT / ".env",
                metavar="FILE",
                help="default: .env",
            )
        if name == "bot":
            command.add_argument("words", nargs=argparse.REMAINDER, help="such as: doctor")
        if name == "run_airflow":
            command.add_argument("--image", required=True, help="what an engine would run")
        if name == "demo":
            command.add_argument(
                "--once",
                action="store_true",
                help="end when all is shown; exit code 0 if it's as it should be",
            )
            command.add_argument(
                "--deadline", type=float, default=180, metavar="SECONDS", help="until then (default: 180)"
            )
    return parser


def _reported(options: argparse.Namespace) -> int:
    """Do it, and say in words what went wrong."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _COMMANDS[options.command](options)
    except StackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return _INTERRUPTED


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
