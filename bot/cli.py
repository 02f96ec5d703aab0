"""The command line: `python -m bot web | worker | migrate | validate | simulate | commands`."""

from __future__ import annotations

import argparse
import faulthandler
import functools
import gc
import io
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bot import logs
from bot.errors import PreflightError
from bot.settings import Settings, database_url

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

OK, FAILED, MISUSED = 0, 1, 2


class Unreadable(PreflightError):
    """A file that the command line names can't be read."""


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code: 0 fine, 1 failed, 2 wrongly called or set up."""
    asked = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal can't show is no reason to fail
    try:
        code: int = asked.run(asked)
    except PreflightError as error:
        print(f"preflight: {error}".replace("\n", "\npreflight: "), file=sys.stderr)
        return FAILED if asked.run is migrate else MISUSED
    return code


@functools.cache
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Runs Airflow pipelines on pull requests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    added = {}
    for name, run, help_text in (
        ("web", web, "receive webhooks and serve run pages"),
        ("worker", worker, "handle deliveries, follow runs, report to GitHub"),
        ("migrate", migrate, "bring the database's schema up to date; safe to repeat"),
        ("validate", validate, "check a preflight.yaml: exit 1 and each problem's line if it can't be used"),
        ("simulate", simulate, "show as JSON what the bot would do about a delivery, without network"),
        ("commands", commands_help, "list what people can write in comments, as /help does"),
    ):
        added[name] = commands.add_parser(name, help=help_text, description=help_text)
        added[name].set_defaults(run=run)
    added["validate"].add_argument("file", metavar="FILE", help="the preflight.yaml")
    option = added["simulate"].add_argument
    option("--event", required=True, metavar="NAME", help="GitHub's name of the event, like issue_comment")
    option("--payload", required=True, metavar="FILE", help="the delivery's body, as GitHub sends it")
    option("--config", metavar="FILE", help="the base branch's preflight.yaml; without it there is none")
    option("--facts", metavar="FILE", help="JSON of what the bot would have looked up")
    return parser


def web(_: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    faulthandler.enable()
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log_level, settings.secrets)
    # Before anything is counted: prometheus-client decides by this variable where figures live.
    directory = tempfile.mkdtemp(prefix="preflight-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
    try:
        from bot.server import serve  # noqa: PLC0415 - see above

        serve(settings)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return OK


def worker(_: argparse.Namespace) -> int:
    """Work until SIGTERM."""
    faulthandler.enable()
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log_level, settings.secrets)
    from prometheus_client import start_http_server  # noqa: PLC0415 - web must not import it this early

    from bot.bootstrap import build_worker  # noqa: PLC0415 - likewise

    if not settings.operator.serves:
        log.warning(
            "no repository is served: with a token, PREFLIGHT_CONFIG or PREFLIGHT_REPOSITORIES says which are"
        )
    running = build_worker(settings)
    gc.collect()
    gc.freeze()  # what is there now stays: collecting it again and again would stop all threads
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    if settings.worker_listen is not None:
        start_http_server(settings.worker_listen.port, settings.worker_listen.host)
    running.run()
    return OK


def migrate(_: argparse.Namespace) -> int:
    """Bring the schema up to date."""
    from bot import bootstrap  # noqa: PLC0415 - as in worker

    bootstrap.migrate(database_url(os.environ))
    print("the database's schema is up to date")
    return OK


def validate(asked: argparse.Namespace) -> int:
    """Check a preflight.yaml as the bot does, short of asking Airflow about its DAGs."""
    from bot.policy.configuration import ConfigurationError, parse  # noqa: PLC0415 - web has no need of it

    try:
        configuration = parse(_read(asked.file), asked.file)
    except ConfigurationError as error:
        print(*error.problems, sep="\n")
        return FAILED
    print(f"{asked.file}: fine: {', '.join(configuration.pipelines) or 'no pipelines'}")
    return OK


def simulate(asked: argparse.Namespace) -> int:
    """Print what the bot would do about a delivery."""
    from bot.simulate import Config, read_facts, simulate  # noqa: PLC0415 - likewise

    facts = read_facts(_read(asked.facts) if asked.facts else b"{}")
    config = Config(_read(asked.config), asked.config) if asked.config else None
    simulation = simulate(asked.event, _read(asked.payload), facts, config)
    print(json.dumps(simulation.shown, indent=2))
    return MISUSED if simulation.missing else OK


def commands_help(_: argparse.Namespace) -> int:
    """Print the help of every command."""
    from bot import commands  # noqa: PLC0415 - likewise

    print(commands.help_text())
    return OK


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unreadable(f"can't read {path}: {reason}") from error
