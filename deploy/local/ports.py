"""Which TCP ports of 127.0.0.1 to use."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

from deploy.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Collection

HOST = "127.0.0.1"
_TRIES = 50


def choose(preferred: int, taken: Collection[int] = ()) -> int:
    """The preferred port, or the next higher one that nobody uses and that is not in `taken`."""
    for port in range(preferred, preferred + _TRIES):
        if port not in taken and is_free(port):
            return port
    raise StackError(f"Ports {preferred} to {preferred + _TRIES - 1} are all in use. Stop what uses them.")


def choose_any() -> int:
    """A free port for a test.

    Below the range from which the kernel takes ports for outgoing connections, so that none of those gets it
    between now and the moment when a server binds it, or while a server is being restarted.
    """
    for _ in range(_TRIES):
        port = random.randint(15_000, 31_000)  # noqa: S311 -- not a secret, only rarely another's choice
        if is_free(port):
            return port
    raise StackError("Found no free port between 15000 and 31000.")


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether a server listens there."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0
