"""HTTP answers that are there in time, however steadily they drip.

A socket's timeout begins anew with every byte: a server (or what stands before it) that sends one now and
then would hold a thread for ever, in the headers as well as in the body.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer
    from urllib3 import PoolManager

LONGEST_ANSWER = 30.0
"""Seconds from the request to the last byte, where nothing else is said."""


class _Longest(threading.local):
    """What is said by this thread about the answers to what it sends."""

    seconds = LONGEST_ANSWER


_longest = _Longest()


@contextmanager
def longest(seconds: float) -> Iterator[None]:
    """Answers to what is sent within the block may take so long, also if they are read after it."""
    before = _longest.seconds
    _longest.seconds = seconds
    try:
        yield
    finally:
        _longest.seconds = before


def keep_time(manager: PoolManager) -> None:
    """Have all answers that come by this manager's connections be there in time, else it is a timeout."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Reading(io.RawIOBase):
    """What comes from a socket, until then."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        super().__init__()
        self._raw, self._sock, self._until = raw, sock, until

    def readable(self) -> bool:
        """Of course."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Some bytes; TimeoutError if they don't come in time."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        silence = self._sock.gettimeout()
        if silence is None or silence > left:
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(sock, *args, **kwargs)
        until = time.monotonic() + _longest.seconds
        self.fp = io.BufferedReader(_Reading(self.fp.detach(), sock, until))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
