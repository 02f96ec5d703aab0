"""`python -m tests.bench.receivers KIND`: receivers that `accepted.py` compares the bot's own with.

Each is served as the bot's is, by its own gunicorn and Flask, verifies the signature, and then does what
KIND says: nothing, a plain INSERT into the bot's table over a kept connection, or deferring a job with
procrastinate.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import procrastinate
import psycopg
from flask import Flask, Response, request

from bot.bootstrap import Web
from bot.intake.signature import verify
from bot.server import ByListener, Server
from bot.settings import Settings
from tests.bench.webhook import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    Keep = Callable[[str, str, bytes], object]
    """Keeps a delivery: its id, its event and its body."""

INSERT = "INSERT INTO deliveries (id, event, lane, body) VALUES (%b, %b, '1#1', %b) ON CONFLICT DO NOTHING"
_CONNECTIONS = 8
"""As many as a process has threads."""


def nothing(_: str) -> Keep:
    """Keeps nothing."""
    return lambda *_: None


def insert(url: str) -> Keep:
    """One statement and one commit for each, on a connection for each thread."""
    mine = threading.local()

    def keep(delivery: str, event: str, body: bytes) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        mine.connection.execute(INSERT, (delivery, event, body))

    return keep


def defer(url: str) -> Keep:
    """A job of procrastinate for each, as its documentation does it in synchronous code."""
    app = procrastinate.App(
        connector=procrastinate.SyncPsycopgConnector(
            conninfo=url, min_size=_CONNECTIONS, max_size=_CONNECTIONS
        )
    )
    app.open()
    task = app.configure_task("handle")
    return lambda delivery, event, body: task.defer(delivery=delivery, event=event, body=body.decode())


KINDS = {"nothing": nothing, "insert": insert, "procrastinate": defer}


def application(keep: Keep) -> Flask:
    """One that verifies what comes to /webhook, and keeps it."""
    app = Flask("tests.bench", static_folder=None)

    @app.post("/webhook")
    def webhook() -> Response:
        body = request.get_data(cache=False)
        if not verify(body, request.headers.get("X-Hub-Signature-256"), [SECRET]):
            return Response("not verified\n", 401, mimetype="text/plain")
        keep(request.headers["X-GitHub-Delivery"], request.headers["X-GitHub-Event"], body)
        return Response("kept\n", 202, mimetype="text/plain")

    return app


class Receiver(Server):
    """The bot's server with another application."""

    def __init__(self, settings: Settings, kind: str) -> None:
        self.kind = kind
        super().__init__(settings)

    def load(self) -> Any:  # noqa: ANN401 - as the server has it
        """Build the application, in each process anew."""
        url = self.settings.database_url.replace("postgresql+psycopg://", "postgresql://")
        app = application(KINDS[self.kind](url))
        return ByListener(Web(app, app), self.settings.internal_listen.port)


def prepare_jobs(url: str) -> None:
    """Make procrastinate's tables."""
    with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open() as app:
        app.schema_manager.apply_schema()


def main() -> None:
    """Serve until SIGTERM."""
    Receiver(Settings.from_env(os.environ), sys.argv[1]).run()


if __name__ == "__main__":
    main()
