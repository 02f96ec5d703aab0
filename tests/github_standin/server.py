"""Puts the parts together, and serves them in a thread of this process (`running`)."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from . import control, oauth, pages, pages_repository
from .client import Standin
from .crowd import Crowd
from .faults import Faults
from .git_http import add_git_http
from .hub import Hub
from .limits import Limits
from .openapi_check import EXTRACT, OpenApiCheck
from .renames import Renames
from .request_log import RequestLog
from .rest import add_rest
from .state import World
from .webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.typing import ResponseReturnValue


class StandinApp(Flask):
    """Handles one request at a time; only what is streamed, and deliveries, happen beside it."""

    hub: Hub

    def full_dispatch_request(self) -> ResponseReturnValue:  # type: ignore[override] # Flask says Response
        """Handle a request below the world's lock."""
        with self.hub.world.lock:
            return super().full_dispatch_request()


class Handler(WSGIRequestHandler):
    """Answers in HTTP/1.1, and keeps quiet."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: the request log knows."""


def make_hub(directory: Path, *, limits: Limits | None = None, check: bool = True) -> Hub:
    """A stand-in with nothing on it; `hub.log` is the WSGI application."""
    directory.mkdir(parents=True, exist_ok=True)
    for leftover in directory.glob("[0-9]*.git"):
        shutil.rmtree(leftover)  # of an earlier process, whose memory of it is gone
    app = StandinApp(__name__)
    world = World(directory.resolve())
    checked = OpenApiCheck(app.wsgi_app, EXTRACT if check else None)
    faults = Faults(Renames(checked, world))
    hub = Hub(
        world=world,
        webhooks=Webhooks(world),
        limits=limits or Limits(),
        check=checked,
        faults=faults,
        log=RequestLog(Crowd(faults)),
    )
    app.hub = app.extensions["standin"] = hub
    add_rest(app)
    add_git_http(app)
    app.register_blueprint(control.routes)
    app.register_blueprint(oauth.routes)
    app.register_blueprint(pages.routes)
    app.register_blueprint(pages_repository.routes)
    return hub


def listen(hub: Hub, host: str, port: int) -> BaseWSGIServer:
    """Bind; port 0 is any free one. From now on the world knows its address."""
    server = make_server(host, port, hub.log, threaded=True, request_handler=Handler)
    hub.world.base_url = f"http://{host}:{server.server_port}"
    return server


@contextmanager
def running(
    directory: Path, *, limits: Limits | None = None, check: bool = True, port: int = 0
) -> Iterator[Standin]:
    """A stand-in served by a thread of this process; its git repositories are made in `directory`."""
    hub = make_hub(directory, limits=limits, check=check)
    server = listen(hub, "127.0.0.1", port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True, name="github-standin"
    )
    thread.start()
    try:
        yield Standin(hub.world.base_url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        hub.webhooks.stop()
