"""The log of REST requests: what was asked, by whom, what it cost, and when to the microsecond."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from .records import LoggedRequest
from .state import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/v3"


class RequestLog:
    """A WSGI middleware, outermost, that remembers each REST request."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._entries: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def mark(self) -> int:
        """A number that is not larger than any later entry's."""
        with self._lock:
            return len(self._entries)

    def since(self, mark: int, method: str = "", path: str = "") -> list[LoggedRequest]:
        """Entries after a mark whose method is, and whose path matches, what is asked for."""
        with self._lock:
            entries = self._entries[mark:]
        wanted = re.compile(path)
        return [each for each in entries if method in ("", each.method) and wanted.search(each.path)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Note the request when it was answered; REST answers are never streamed."""
        path = environ["PATH_INFO"]
        if not path.startswith(PREFIX):
            return self.app(environ, start_response)
        environ["standin.received_at"] = received_at = now()
        statuses: list[int] = []

        def noting(status: str, headers: list[tuple[str, str]], *more: object) -> object:
            statuses.append(int(status.split(maxsplit=1)[0]))
            return start_response(status, headers, *more)  # type: ignore[arg-type] # handed on as they came

        answer = self.app(environ, noting)  # type: ignore[arg-type] # a start_response all the same
        dropped = environ.get("standin.dropped", False)
        with self._lock:
            entry = LoggedRequest(
                id=len(self._entries),
                method=environ["REQUEST_METHOD"],
                path=path.removeprefix(PREFIX),
                query=environ.get("QUERY_STRING", ""),
                status=0 if dropped or not statuses else statuses[-1],
                cost=environ.get("standin.cost", 0),
                conditional="HTTP_IF_NONE_MATCH" in environ,
                caller=environ.get("standin.caller", "anonymous"),
                fault=environ.get("standin.fault"),
                received_at=received_at,
                answered_at=now(),
                limit=environ.get("standin.limit", ""),
            )
            self._entries.append(entry)
        return answer
