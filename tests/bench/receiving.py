"""A web alone: the bot's own, or another receiver under the same server. Nobody asks GitHub or Airflow."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from deploy.local import environment, ports
from deploy.local.bot import BotPorts, LocalBot
from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.local.processes import Supervisor

WEB_PROCESSES = 2
_START_SECONDS = 30.0


def settings(url: str) -> Mapping[str, str]:
    """Of a bot with this database, and with nobody else to talk to."""
    nowhere = f"http://{ports.HOST}:9"
    return {
        "PREFLIGHT_DATABASE_URL": url,
        "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
        "PREFLIGHT_GITHUB_API_URL": nowhere,
        "PREFLIGHT_GITHUB_TOKEN": "a-token-for-nobody",
        "PREFLIGHT_REPOSITORIES": "*/*",
        "PREFLIGHT_AIRFLOW_URL": nowhere,
        "PREFLIGHT_AIRFLOW_USERNAME": "nobody",
        "PREFLIGHT_AIRFLOW_PASSWORD": "nothing",
        "PREFLIGHT_WEB_PROCESSES": str(WEB_PROCESSES),
    }


@contextlib.contextmanager
def bot(supervisor: Supervisor, url: str, *, worker: bool = False) -> Iterator[BotPorts]:
    """The bot's web, and its worker if that is wanted; where they listen."""
    at = BotPorts.free()
    parts = LocalBot(settings(url), at, supervisor)
    parts.migrate()
    parts.start_web()
    if worker:
        parts.start_worker()
    try:
        parts.wait_ready()
        yield at
    finally:
        if worker:
            parts.stop_worker()
        parts.stop_web()


@contextlib.contextmanager
def other(supervisor: Supervisor, url: str, kind: str) -> Iterator[int]:
    """One of `receivers.py`; where it listens."""
    with _served(supervisor, kind, ["-m", "tests.bench.receivers", kind], url) as port:
        yield port


@contextlib.contextmanager
def bare(supervisor: Supervisor) -> Iterator[int]:
    """`hmac_only.py`, with the settings of the bot's own server; where it listens."""
    port = ports.choose_any()
    arguments = [
        *("-m", "gunicorn", "tests.bench.hmac_only:app"),
        *("--bind", f"{ports.HOST}:{port}", "--workers", str(WEB_PROCESSES), "--no-control-socket"),
        *("--worker-class", "gthread", "--threads", "8", "--keep-alive", "5", "--log-level", "warning"),
    ]
    with _served(supervisor, "bare", arguments, "", port=port):
        yield port


@contextlib.contextmanager
def _served(
    supervisor: Supervisor, name: str, arguments: list[str], url: str, *, port: int = 0
) -> Iterator[int]:
    port = port or ports.choose_any()
    listen = {
        "PREFLIGHT_PUBLIC_URL": f"http://{ports.HOST}:{port}",
        "PREFLIGHT_LISTEN": f"{ports.HOST}:{port}",
        "PREFLIGHT_INTERNAL_LISTEN": f"{ports.HOST}:{ports.choose_any()}",
    }
    child = supervisor.start(
        f"receiver-{name}",
        [environment.BOT_PYTHON, *arguments],
        env={**environment.base(), **settings(url), **listen},
        cwd=environment.ROOT,
    )
    try:
        child.wait_until(lambda: ports.answers(port), "it listened", seconds=_START_SECONDS)
        yield port
    finally:
        supervisor.stop(child)
