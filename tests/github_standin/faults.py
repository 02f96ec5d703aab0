"""Scripted faults: the next requests that match are delayed, refused, cut off, or done and then denied."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from .responses import error_body
from .state import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SUBJECT = re.compile(r"^/api/|/(info/refs|git-upload-pack|git-receive-pack)$|^/login/oauth/access_token$")
"""Faults befall the REST API, git and tokens for sign-ins; pages and the control API always work."""
REASONS = {
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Server Error",
    502: "Bad Gateway",
}


@dataclass
class Fault:
    """One scripted fault; see `Standin.fault` for what the fields mean."""

    id: int
    path: re.Pattern[str]
    method: str
    times: int | None
    until: float | None
    status: int | None
    headers: dict[str, str]
    message: str
    executed: bool
    drop: bool
    delay: float
    per_path: bool
    met: Counter[str] = field(default_factory=Counter)

    def meets(self, method: str, path: str) -> bool:
        """Whether a request suffers this fault; if so it is counted."""
        if self.method not in ("", method) or not self.path.search(path):
            return False
        if self.until is not None and now() > self.until:
            return False
        counted = path if self.per_path else ""
        if self.times is not None and self.met[counted] >= self.times:
            return False
        self.met[counted] += 1
        return True

    def __str__(self) -> str:
        parts = [f"{self.delay:g} s late" if self.delay else "", str(self.status or "")]
        parts += ["connection cut" if self.drop else "", "after it was done" if self.executed else ""]
        return ", ".join(part for part in parts if part)


class Faults:
    """The faults in force, and the WSGI middleware that makes requests suffer them."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app
        self._faults: list[Fault] = []
        self._ids = count(1)
        self._lock = threading.Lock()

    def add(
        self,
        *,
        path: str,
        method: str,
        times: int | None,
        seconds: float | None,
        status: int | None,
        headers: dict[str, str],
        message: str,
        executed: bool,
        drop: bool,
        delay: float,
        per_path: bool,
    ) -> int:
        """Put a fault in force and return its number."""
        fault = Fault(
            next(self._ids),
            re.compile(path),
            method.upper(),
            times,
            None if seconds is None else now() + seconds,
            status,
            headers,
            message,
            executed,
            drop,
            delay,
            per_path,
        )
        with self._lock:
            self._faults.append(fault)
        return fault.id

    def clear(self, number: int | None = None) -> None:
        """End one fault, or all."""
        with self._lock:
            self._faults = [fault for fault in self._faults if number not in (None, fault.id)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Carry a request out, or not, as the first matching fault says."""
        path = environ["PATH_INFO"]
        if not SUBJECT.search(path):
            return self.app(environ, start_response)
        with self._lock:
            fault = next((each for each in self._faults if each.meets(environ["REQUEST_METHOD"], path)), None)
        if fault is None:
            return self.app(environ, start_response)
        environ["standin.fault"] = str(fault)
        if fault.delay:
            time.sleep(fault.delay)
        if not fault.drop and fault.status is None:
            return self.app(environ, start_response)
        if fault.executed:
            _carry_out(self.app, environ)
        if fault.drop:
            environ["standin.dropped"] = True
            start_response("502 Connection cut", [])
            return _cut(environ["werkzeug.socket"])
        return _refuse(fault, start_response)


def _carry_out(app: WSGIApplication, environ: WSGIEnvironment) -> None:
    """Let the request be done and throw the answer away."""

    def start_response(*_: object) -> object:
        return lambda _data: None

    answer = app(environ, start_response)  # type: ignore[arg-type] # the answer goes nowhere
    try:
        for _ in answer:
            pass
    finally:
        if hasattr(answer, "close"):
            answer.close()


def _cut(connection: socket.socket) -> Iterator[bytes]:
    """An answer that ends the connection when it is to be sent: not before the request was logged."""
    connection.shutdown(socket.SHUT_RDWR)
    yield from ()


def _refuse(fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    status = fault.status or 500
    reason = REASONS.get(status, "Refused")
    body = json.dumps(error_body(status, fault.message or reason)).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
    start_response(f"{status} {reason}", list({**headers, **fault.headers}.items()))
    return [body]
