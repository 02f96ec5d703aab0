from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from github import Auth, Github

from tests.github_standin import Repository, Standin, running, wait_for
from tests.github_standin.make_openapi_extract import WEBHOOKS
from tests.github_standin.openapi_check import Schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "s3cret"


@pytest.fixture(scope="session")
def payload_schemas() -> Schemas:
    return Schemas(WEBHOOKS)


@pytest.fixture
def github(tmp_path: Path, payload_schemas: Schemas) -> Iterator[Standin]:
    """A stand-in; all requests, answers and payloads must agree with GitHub's OpenAPI documents."""
    with running(tmp_path / "github") as standin:
        yield standin
        assert standin.violations() == []
        for delivery in standin.deliveries():
            name = "-".join(filter(None, ["webhook", delivery.event, delivery.action])).replace("_", "-")
            assert list(payload_schemas.errors(f"/components/schemas/{name}", delivery.payload)) == [], name


@pytest.fixture
def repository(github: Standin) -> Repository:
    """`acme/app`: alice may write, mallory may not."""
    github.user("mallory")
    return github.repository(
        "acme/app",
        files={"README.md": "one\n", "src/app.py": "print()\n"},
        permissions={"alice": "write", "root": "admin"},
    )


@pytest.fixture
def connect(github: Standin) -> Callable[[str], Github]:
    """PyGithub as a person, without its own patience."""
    return lambda login: pygithub(github, Auth.Token(github.user(login).token))


def pygithub(github: Standin, auth: Auth.Auth) -> Github:
    return Github(
        base_url=github.api_url,
        auth=auth,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@dataclass
class Received:
    """One delivery as it came over the wire."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> str:
        return self.headers["X-GitHub-Event"]

    @property
    def payload(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def name(self) -> str:
        """`event` or `event.action`."""
        action = self.payload.get("action")
        return f"{self.event}.{action}" if action else self.event

    def signed_with(self, secret: str) -> bool:
        expected = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.headers.get("X-Hub-Signature-256") == f"sha256={expected}"


@dataclass
class Receiver:
    """Takes deliveries as a bot would; answers with `status` after `delay` seconds."""

    url: str = ""
    status: int = 202
    delay: float = 0.0
    received: list[Received] = field(default_factory=list)

    def names(self) -> list[str]:
        return [each.name for each in self.received if each.event != "ping"]

    def wait_for(self, name: str, times: int = 1) -> Received:
        def found() -> list[Received]:
            return [each for each in list(self.received) if each.name == name]

        return wait_for(lambda: found()[times - 1 :])[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.status  # before a test that waits for this delivery may change it
            receiver.received.append(Received(dict(self.headers.items()), body, time.time()))
            time.sleep(receiver.delay)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()
