"""`python -m bot web`."""

from __future__ import annotations

import faulthandler
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from bot import logs
from bot.cli import OK
from bot.settings import Settings

if TYPE_CHECKING:
    import argparse

HELP = "receive webhooks and serve run pages"


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Nothing can follow."""


def run(_: argparse.Namespace) -> int:
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
