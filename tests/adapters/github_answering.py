"""A server that answers as a test scripts it, for what the stand-in GitHub cannot be made to do."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from bot.models import PullRequest, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Repository(7, "acme/app")
PULL = PullRequest(
    repository=REPOSITORY,
    number=3,
    open=True,
    draft=False,
    title="fix",
    author="alice",
    head_sha="c0ffee",
    head_ref="fix",
    head_repository="acme/app",
    base_ref="main",
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)
"""What is asked about."""


@dataclass(frozen=True)
class Asked:
    """A request that was received."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Say:
    """An answer; `cut` closes the connection instead."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class Answering:
    """The running server: `asked` holds what it was asked, `answer` decides what it says."""

    def __init__(self, answer: Callable[[Asked], Say]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode()
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                outer.asked.append(asked)
                said = outer.answer(asked)
                if said.cut:
                    self.close_connection = True
                    return
                text = said.body if isinstance(said.body, str) else json.dumps(said.body)
                content = text.encode() if said.body is not None else b""
                self.send_response_only(said.status)
                headers = {"Content-Type": "application/json; charset=utf-8", **said.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Answering]:
        """Serve within a block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


def answering(*says: Say) -> Answering:
    """A server that gives these answers in turn, the last one from then on."""
    left = list(says)
    lock = threading.Lock()

    def next_one(_: Asked) -> Say:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return Answering(next_one)
