"""`python -m bot worker`."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
from typing import TYPE_CHECKING

from bot import logs
from bot.cli import OK
from bot.settings import Settings

if TYPE_CHECKING:
    import argparse

HELP = "handle deliveries, follow runs, report to GitHub"

log = logging.getLogger(__name__)


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Nothing can follow."""


def run(_: argparse.Namespace) -> int:
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
