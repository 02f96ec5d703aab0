"""gunicorn, serving the public and the internal application on a listener each."""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker
from prometheus_client import multiprocess

from bot.bootstrap import build_web

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from bot.bootstrap import Web
    from bot.settings import Settings

THREADS = 8
GRACE_SECONDS = 20
SILENCE_SECONDS = 10
REQUEST_SECONDS = 30
"""In which a request must have come whole: GitHub itself waits for an answer for ten."""


class ByListener:
    """Which application answers depends on the socket that the request came in by, on nothing it says."""

    def __init__(self, web: Web, internal_port: int) -> None:
        self.web = web
        self.internal_port = str(internal_port)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; gunicorn takes SERVER_PORT from the listening socket."""
        internal = environ["SERVER_PORT"] == self.internal_port
        app = self.web.internal if internal else self.web.public
        return app(environ, start_response)


class TimedSocket(socket.socket):
    """A connection that is read from until `ends`, by the monotonic clock, though a drop comes now and then.

    What comes too late is to gunicorn as if the client had gone away, which it keeps no words about.
    """

    ends = float("inf")

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read what is there."""
        if time.monotonic() > self.ends:
            raise ConnectionResetError(errno.ECONNRESET, f"the request took more than {REQUEST_SECONDS} s")
        return super().recv(size, flags)


class PatientWorker(ThreadWorker):
    """Gives up on clients that fall silent in the middle of it, or drip: each holds one of few threads."""

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection and its outcome
        """Answer a request on a connection."""
        if not isinstance(conn.sock, TimedSocket):
            conn.sock = TimedSocket(fileno=conn.sock.detach())
        conn.sock.ends = time.monotonic() + REQUEST_SECONDS
        silence = struct.pack("ll", SILENCE_SECONDS, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, silence)
        return super().handle(conn)


class Server(BaseApplication):
    """gunicorn, set up by our settings alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        options = {
            "bind": [str(self.settings.listen), str(self.settings.internal_listen)],
            "workers": self.settings.web_processes,
            "worker_class": PatientWorker,
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 60,
            "keepalive": 5,
            "loglevel": "warning",
            "proc_name": "preflight-web",
            "control_socket_disable": True,
            "child_exit": _forget_process,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401 - gunicorn's own type of a WSGI application differs from wsgiref's
        """Build the application, in each process anew: connections don't survive a fork."""
        return ByListener(build_web(self.settings), self.settings.internal_listen.port)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    Server(settings).run()


def _forget_process(_: object, worker: object) -> None:
    """Gauges of a process that ended are no longer true; counters are kept."""
    multiprocess.mark_process_dead(getattr(worker, "pid", 0))  # type: ignore[no-untyped-call]  # untyped there
