"""`python -m tests.bench.load PORT CONNECTIONS SECONDS RATE LANES`: deliveries, one after another on each.

RATE is how many per second all connections together send, 0 for as many as they can. A delivery that is late
because the one before it took so long counts from when it should have been sent. They are about LANES pull
requests in turns.

Bounded in time, and only ever to 127.0.0.1. It speaks HTTP by hand, because on two cores every cycle that
it needs is taken from who is measured. Prints JSON: seconds, milliseconds of each answer, and what went
wrong.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.local.ports import HOST
from tests.bench import webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT = 10.0
_LONGEST_SECONDS = 120.0
_ID = "00000000-0000-0000-0000-000000000000"


@dataclass
class Load:
    """What some connections at once found."""

    port: int
    seconds: float
    rate: float = 0.0
    lanes: int = 1
    milliseconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self, connections: int) -> float:
        """Send until the time is over; the seconds that it took until the last answer."""
        requests = [_request(number) for number in range(1, self.lanes + 1)]
        began = time.perf_counter()
        every = connections / self.rate if self.rate else 0.0
        threads = [
            threading.Thread(
                target=self._send_all, args=(requests, began + every * index / connections, every)
            )
            for index in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began

    def _send_all(self, requests: Sequence[bytes], first: float, every: float) -> None:
        """The first at that moment, then one every so many seconds; 0 for at once."""
        end = time.perf_counter() + min(self.seconds, _LONGEST_SECONDS)
        try:
            with socket.create_connection((HOST, self.port), _TIMEOUT) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for index in itertools.count():
                    due = first + index * every if every else time.perf_counter()
                    if due >= end:
                        return
                    time.sleep(max(0.0, due - time.perf_counter()))
                    request = requests[index % len(requests)]
                    connection.sendall(request.replace(_ID.encode(), str(uuid.uuid4()).encode(), 1))
                    status = _answer(connection)
                    self.milliseconds.append((time.perf_counter() - due) * 1000)
                    if status != b"202":
                        self.problems.append(f"answered with {status.decode(errors='replace')}")
                        return
        except OSError as error:
            self.problems.append(repr(error))


def _request(number: int) -> bytes:
    """One whole request about that pull request, whose delivery id is to be replaced."""
    content = webhook.body(number)
    headers = {"Host": HOST, "Content-Length": str(len(content)), **webhook.headers(_ID, content)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhook HTTP/1.1\r\n{head}\r\n".encode() + content


def _answer(connection: socket.socket) -> bytes:
    """Read one answer to its end; its status."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(connection)
    head, _, rest = answer.partition(b"\r\n\r\n")
    missing = int(head.lower().partition(b"content-length:")[2].split(maxsplit=1)[0]) - len(rest)
    while missing > 0:
        missing -= len(_more(connection))
    return head.split(maxsplit=2)[1]


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(64 * 1024)
    if not received:
        raise ConnectionError("the connection was closed in the middle")
    return received


def main() -> None:
    """Do what the command line says."""
    port, connections, seconds, rate, lanes = sys.argv[1:]
    load = Load(int(port), float(seconds), float(rate), int(lanes))
    took = load.run(int(connections))
    sys.stdout.write(
        json.dumps({"seconds": took, "milliseconds": load.milliseconds, "problems": load.problems}) + "\n"
    )


if __name__ == "__main__":
    main()
