"""Counts the requests that are under way at once, by whoever sends them."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from .request_log import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Crowd:
    """A WSGI middleware: each request learns how many there are of its token, itself among them."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Count while it is answered; REST answers are never streamed."""
        if not environ["PATH_INFO"].startswith(PREFIX):
            return self.app(environ, start_response)
        token = environ.get("HTTP_AUTHORIZATION", "")
        with self._lock:
            self._under_way[token] += 1
            environ["standin.crowd"] = self._under_way[token]
        try:
            return self.app(environ, start_response)
        finally:
            with self._lock:
                self._under_way[token] -= 1
