"""Real bare repositories over HTTP, by git's own http-backend."""

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit


class _Handler(http.server.BaseHTTPRequestHandler):
    root: ClassVar[Path]
    protocol_version = "HTTP/1.1"
    status: ClassVar[int] = 200
    version2: ClassVar[bool] = True
    token: ClassVar[str] = ""
    moved_to: ClassVar[str] = ""
    seen: ClassVar[list[str]]

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(self.headers.get("Authorization", ""))
        if self.status != 200:
            # As a hostile or careless server might, it repeats what it was sent: git shows that to its user.
            said = f"you sent {self.seen[-1]}\n".encode()
            self._answer(self.status, [("Content-Type", "text/plain")], said)
            return
        if self.moved_to:
            self._answer(301, [("Location", f"{self.moved_to}{self.path}")], b"")
            return
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.token and self.seen[-1] != f"Basic {basic}":
            self._answer(401, [("WWW-Authenticate", 'Basic realm="GitHub"')], b"")
            return
        url = urlsplit(self.path)
        version = self.headers.get("Git-Protocol", "") if self.version2 else ""
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": version,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_ADDR": "127.0.0.1",
            },
            capture_output=True,
            check=False,
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._answer(status, [(name, value) for name, value in headers if name != "Status"], answer)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def git_server(
    root: Path,
    *,
    status: int = 200,
    version2: bool = True,
    token: str = "",
    moved_to: str = "",
    seen: list[str] | None = None,
) -> Iterator[str]:
    """Serve what is below `root`; yields the address.

    Args:
        root: a folder of bare repositories.
        status: what every request is answered with, when it isn't 200.
        version2: whether the server speaks protocol 2, which gives every commit by its SHA.
        token: what opens the repositories, as GitHub's tokens do; empty: they are public.
        moved_to: the address that every request is redirected to.
        seen: gets the Authorization header of each request, empty where it had none.
    """
    answers = {"root": root, "status": status, "version2": version2, "token": token, "moved_to": moved_to}
    handler = type("Handler", (_Handler,), {**answers, "seen": [] if seen is None else seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
