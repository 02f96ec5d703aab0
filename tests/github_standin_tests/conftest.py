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
import requests
from github import Auth, Github

from tests.github_standin import Repository, Standin, running, wait_for
from tests.github_standin.make_openapi_extract import WEBHOOKS
from tests.github_standin.openapi_check import Schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.github_standin.records import App

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


@dataclass
class Api:
    """Bare requests with one token, to `acme/app`."""

    url: str
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
    ) -> requests.Response:
        """Ask, and follow redirects as requests does: with another method after a 301."""
        authorization = {"Authorization": f"token {self.token}"} if self.token else {}
        return requests.request(
            method,
            self.url + path,
            json=body,
            headers={**authorization, **(headers or {})},
            timeout=20,
            allow_redirects=follow,
        )

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, **body: object) -> requests.Response:
        return self.ask("POST", path, body)

    def patch(self, path: str, **body: object) -> requests.Response:
        return self.ask("PATCH", path, body)


@pytest.fixture
def api(github: Standin, repository: Repository) -> Callable[[str], Api]:
    """`acme/app` by a token."""
    return lambda token: Api(f"{github.api_url}/repos/acme/app", token)


@pytest.fixture
def app(github: Standin, repository: Repository, receiver: Receiver) -> App:
    """`preflight`, installed on all of acme's repositories, with what is told so far taken."""
    app = github.app("preflight", owner="acme", webhook_url=receiver.url)
    receiver.wait_for("installation.created")
    github.settle()
    receiver.received.clear()
    return app


@pytest.fixture
def checks(github: Standin, app: App, api: Callable[[str], Api]) -> Api:
    """`acme/app` as `preflight`, which may write checks."""
    return api(github.installation_token(app.installations["acme"]))


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
