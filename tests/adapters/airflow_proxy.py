"""A proxy before the real Airflow, which spoils single calls the way networks and restarts do."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_OURS = frozenset({"host", "connection", "transfer-encoding", "content-length"})


class Proxy(ThreadingHTTPServer):
    """Hands every call on. `calls` counts them by method and last part of the path."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.http = urllib3.PoolManager(retries=False)
        self.calls: Counter[str] = Counter()
        self.lose_answers_of: str | None = None
        """The method whose calls are handed on, but never answered."""
        self.not_of = "token"
        """Addresses that end so are answered nevertheless."""
        self.spoil_tokens = 0
        """How many of the next calls with a token arrive with another one."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._hand_on()

    do_POST = do_PATCH = do_GET  # noqa: N815 -- the library's names

    def _hand_on(self) -> None:
        proxy = self.server
        proxy.calls[f"{self.command} {self.path.partition('?')[0].rpartition('/')[2]}"] += 1
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_OURS}
        if "Authorization" in headers and proxy.spoil_tokens:
            proxy.spoil_tokens -= 1
            headers["Authorization"] = "Bearer signed.by.another"
        answer = proxy.http.request(
            self.command,
            proxy.upstream + self.path,
            headers=headers,
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        if proxy.lose_answers_of == self.command and not self.path.endswith(proxy.not_of):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _NOT_OURS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the library
        """Keep quiet."""


@contextlib.contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    with Proxy(upstream) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
            proxy.http.clear()
