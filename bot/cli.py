"""The command line: `python -m bot web | worker | migrate`."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import shutil
import signal
import sys
import tempfile
from typing import TYPE_CHECKING

from bot import logs
from bot.errors import PreflightError
from bot.settings import Settings, database_url

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

OK, FAILED, MISUSED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code: 0 fine, 1 failed, 2 wrongly called or set up."""
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Runs Airflow pipelines on pull requests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("web", "receive webhooks and serve run pages"),
        ("worker", "handle deliveries, follow runs, report to GitHub"),
        ("migrate", "bring the database's schema up to date; safe to repeat"),
    ):
        commands.add_parser(name, help=help_text, description=help_text)
    command = parser.parse_args(arguments).command
    faulthandler.enable()
    try:
        return {"web": web, "worker": worker, "migrate": migrate}[command]()
    except PreflightError as error:
        print(f"preflight: {error}".replace("\n", "\npreflight: "), file=sys.stderr)
        return MISUSED if command != "migrate" else FAILED


def web() -> int:
    """Serve until SIGTERM."""
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


def worker() -> int:
    """Work until SIGTERM."""
    settings = Settings.from_env(os.environ)
    logs.configure(settings.log_level, settings.secrets)
    from prometheus_client import start_http_server  # noqa: PLC0415 - web must not import it this early

    from bot.bootstrap import build_worker  # noqa: PLC0415 - likewise

    if settings.github_token and not settings.repositories:
        log.warning("no repository is served: with a token, PREFLIGHT_REPOSITORIES says which are")
    running = build_worker(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    if settings.worker_listen is not None:
        start_http_server(settings.worker_listen.port, settings.worker_listen.host)
    running.run()
    return OK


def migrate() -> int:
    """Bring the schema up to date."""
    from bot import bootstrap  # noqa: PLC0415 - as in worker

    bootstrap.migrate(database_url(os.environ))
    print("the database's schema is up to date")
    return OK
