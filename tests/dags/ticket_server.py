"""A bot that exchanges tickets for tokens, as a test wants it to."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class TicketServer:
    """Where it is, what it got, and what it answers: in this order, the last of them for ever."""

    url: str = ""
    answers: list[tuple[int, bytes | dict[str, Any]]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False
    """Whether it takes the request and never answers."""
    cut: bool = False
    """Whether it takes the request and closes the connection."""
    location: str = ""
    """What an answer says as its Location."""
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def ticket_server(*answers: tuple[int, bytes | dict[str, Any]], **more: Any) -> Iterator[TicketServer]:  # noqa: ANN401 - TicketServer's own
    """Serve `answers`."""
    bot = TicketServer(answers=[*answers], **more)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bot.asked.append({})  # whoever followed a redirect

        def do_POST(self) -> None:
            bot.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if bot.silent:
                bot.over.wait()
            if bot.silent or bot.cut:
                self.close_connection = True
                return
            status, content = bot.answers.pop(0) if len(bot.answers) > 1 else bot.answers[0]
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if bot.location:
                self.send_header("Location", bot.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bot.url = f"http://127.0.0.1:{server.server_port}/ticket"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield bot
        finally:
            bot.over.set()
            server.shutdown()
            thread.join()
