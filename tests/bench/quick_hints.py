"""The hints that our plugin would send to the bot, each when its time has come."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 2.0
_LONGEST_SLEEP = 60.0


class Hints:
    """Sends what is planned from a thread of its own; what does not arrive is lost, as the plugin's are."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = urlsplit(url)
        self._secret = secret.encode()
        self._planned: list[tuple[float, int, Mapping[str, object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._send_all, name="quick-hints", daemon=True).start()

    def plan(self, at: float, hint: Mapping[str, object]) -> None:
        """Send it at that moment, seconds since 1970."""
        with self._changed:
            heapq.heappush(self._planned, (at, next(self._numbers), hint))
            self._changed.notify()

    def close(self) -> None:
        """Send no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _send_all(self) -> None:
        while (hint := self._next()) is not None:
            self._send(json.dumps(hint).encode())

    def _next(self) -> Mapping[str, object] | None:
        with self._changed:
            while not self._closed:
                left = self._planned[0][0] - time.time() if self._planned else _LONGEST_SLEEP
                if left <= 0:
                    return heapq.heappop(self._planned)[2]
                self._changed.wait(left)
        return None

    def _send(self, body: bytes) -> None:
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Preflight-Signature-256": f"sha256={signature}"}
        connection = http.client.HTTPConnection(self._url.netloc, timeout=_SECONDS)
        try:
            connection.request("POST", self._url.path, body, headers)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
