"""`python -m bot web`: gunicorn with two listeners, as it is run."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger
from bot.intake.signature import sign
from deploy.local import ports
from deploy.local.postgres import embedded_postgres
from tests.examples import pull, pull_payload, run, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
SECONDS = 30.0
MEGABYTES_25 = 25 * 1024 * 1024
SECRET, NUDGE_SECRET = "webhook secret", "nudge secret"
HEAD = "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = json.dumps(pull_payload("opened")).encode()


@dataclass
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Server:
    """A web process and its children."""

    process: subprocess.Popen[bytes]
    public: int
    internal: int
    temporary: Path
    errors: Path

    def get(self, path: str, *, inside: bool = False, headers: dict[str, str] | None = None) -> Answer:
        return self.request("GET", path, inside=inside, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        inside: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.internal if inside else self.public, timeout=SECONDS
        )
        with contextlib.closing(connection):
            connection.request(method, path, body or None, headers or {})
            response = connection.getresponse()
            return Answer(
                response.status, response.read().decode(), {k.lower(): v for k, v in response.getheaders()}
            )

    def deliver(self, delivery_id: str, body: bytes = BODY, changed: dict[str, str] | None = None) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": delivery_id,
            "X-Hub-Signature-256": sign(body, SECRET),
        } | (changed or {})
        return self.request("POST", "/webhook", body, headers=headers)

    def raw(self, sent: Iterator[bytes]) -> bytes:
        """Send bytes as they are for as long as they are taken; what came back."""
        with socket.create_connection(("127.0.0.1", self.public), SECONDS) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for part in sent:
                    connection.sendall(part)
            with contextlib.suppress(ConnectionResetError):
                return connection.recv(65_536)
        return b""

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def serving(
    database_url: str, directory: Path, program: tuple[str, ...] = ("-m", "bot", "web")
) -> Iterator[Server]:
    """A server on that database, once it answers; `program` is what Python runs."""
    directory.mkdir(exist_ok=True)
    public, internal = ports.choose_any(), ports.choose_any()
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(directory),
        "PREFLIGHT_DATABASE_URL": database_url,
        "PREFLIGHT_WEBHOOK_SECRETS": f"an old one,{SECRET}",
        "PREFLIGHT_GITHUB_TOKEN": "token",
        "PREFLIGHT_REPOSITORIES": "acme/*",
        "PREFLIGHT_AIRFLOW_URL": "http://127.0.0.1:9",
        "PREFLIGHT_AIRFLOW_USERNAME": "bot",
        "PREFLIGHT_AIRFLOW_PASSWORD": "airflow password",
        "PREFLIGHT_PUBLIC_URL": "http://127.0.0.1",
        "PREFLIGHT_NUDGE_SECRET": NUDGE_SECRET,
        "PREFLIGHT_LISTEN": f"127.0.0.1:{public}",
        "PREFLIGHT_INTERNAL_LISTEN": f"127.0.0.1:{internal}",
        "PREFLIGHT_WEB_PROCESSES": "2",
    }
    errors = directory.with_suffix(".log")
    with (
        errors.open("wb") as log,
        subprocess.Popen(
            [sys.executable, *program], env=environment, cwd=ROOT, stdout=log, stderr=log
        ) as process,
    ):
        server = Server(process, public, internal, directory, errors)
        children: list[psutil.Process] = []
        try:
            until(lambda: process.poll() is not None or (ports.answers(public) and ports.answers(internal)))
            assert process.poll() is None, errors.read_text()
            until(lambda: server.get("/healthz").status == 200)
            children = psutil.Process(process.pid).children(recursive=True)
            yield server
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS)
            process.kill()
            _, alive = psutil.wait_procs(children, timeout=10)
            for child in alive:
                child.kill()
            assert not alive, "the server's children outlived it"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def database(real_postgres: Postgres) -> Iterator[Database]:
    made = Database(real_postgres.create_database("test_server"), pool_size=2)
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = database.engine.url.render_as_string(hide_password=False)
    with serving(url, tmp_path_factory.mktemp("web") / "tmp") as server:
        yield server


def stored(database: Database, delivery_id: str) -> bytes | None:
    """The body of a delivery, None if it is not in the inbox."""
    query = text("SELECT body FROM deliveries WHERE id = :id")
    with database.begin() as connection:
        row = connection.execute(query, {"id": delivery_id}).one_or_none()
    return None if row is None else bytes(row.body)


class TestTheWebhook:
    def test_has_stored_what_it_answers_with_202(self, server: Server, database: Database) -> None:
        assert server.deliver("stored").status == 202
        assert stored(database, "stored") == BODY

    def test_takes_chunks(self, server: Server, database: Database) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.public, timeout=SECONDS)
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": "chunks",
            "X-Hub-Signature-256": sign(BODY, SECRET),
        }
        parts = (BODY[at : at + 100] for at in range(0, len(BODY), 100))
        with contextlib.closing(connection):
            connection.request("POST", "/webhook", parts, headers, encode_chunked=True)
            assert connection.getresponse().status == 202
        assert stored(database, "chunks") == BODY

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 401),
            ({"X-Hub-Signature-256": ""}, 401),
            ({"X-GitHub-Event": ""}, 400),
            ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ],
        ids=["wrong-signature", "no-signature", "no-event", "form"],
    )
    def test_stores_nothing_that_it_refuses(
        self, server: Server, database: Database, changed: dict[str, str], status: int
    ) -> None:
        assert server.deliver("refused", changed=changed).status == status
        assert stored(database, "refused") is None

    def test_takes_25_mb(self, server: Server, database: Database) -> None:
        body = BODY + b" " * (MEGABYTES_25 - len(BODY))
        assert server.deliver("large", body).status == 202
        assert len(stored(database, "large") or b"") == MEGABYTES_25

    def test_refuses_more_by_its_length_alone(self, server: Server) -> None:
        head = f"{HEAD}Content-Length: {MEGABYTES_25 + 1}\r\n\r\n"
        assert server.raw(iter([head.encode()])).startswith(b"HTTP/1.1 413 ")

    def test_refuses_more_in_chunks_too(self, server: Server, database: Database) -> None:
        def endless() -> Iterator[bytes]:
            yield f"{HEAD}X-GitHub-Event: push\r\nX-GitHub-Delivery: endless\r\n".encode()
            yield b"Transfer-Encoding: chunked\r\n\r\n"
            for _ in range(40):
                yield b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
            yield b"0\r\n\r\n"

        answer = server.raw(endless())
        assert not answer or answer.startswith(b"HTTP/1.1 413 ")
        assert stored(database, "endless") is None
        assert server.get("/healthz").status == 200

    @pytest.mark.parametrize(
        "sent",
        [
            b"\x16\x03\x01\x02\x00" * 100 + b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"POST /webhook HTTP/9.9\r\n\r\n",
            b"\0" * 70_000,
        ],
    )
    def test_survives_what_is_no_http(self, server: Server, sent: bytes) -> None:
        server.raw(iter([sent]))
        assert server.get("/healthz").status == 200


class TestTheTwoListeners:
    @pytest.mark.parametrize("path", ["/metrics", "/nudge", "/ticket"])
    def test_outside_there_are_no_metrics_nudges_and_tickets(self, server: Server, path: str) -> None:
        method = "GET" if path == "/metrics" else "POST"
        assert server.request(method, path).status == 404

    @pytest.mark.parametrize(
        "header",
        ["Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Server", "Forwarded", "Server-Port"],
    )
    def test_whatever_the_request_says(self, server: Server, header: str) -> None:
        value = str(server.internal) if header.endswith("Port") else f"127.0.0.1:{server.internal}"
        assert server.get("/metrics", headers={header: value}).status == 404

    def test_an_absolute_address_does_not_help_either(self, server: Server) -> None:
        inside = f"127.0.0.1:{server.internal}"
        request = f"GET http://{inside}/metrics HTTP/1.1\r\nHost: {inside}\r\n\r\n"
        assert server.raw(iter([request.encode()])).split(b" ")[1] in {b"404", b"400"}

    def test_inside_there_are(self, server: Server) -> None:
        assert server.get("/metrics", inside=True).status == 200
        assert server.request("POST", "/nudge", b"{}", inside=True).status == 401
        assert server.request("POST", "/ticket", b"{}", inside=True).status == 400

    def test_inside_there_is_no_webhook(self, server: Server) -> None:
        assert server.request("POST", "/webhook", BODY, inside=True).status == 404

    def test_health_is_on_both_and_never_kept_by_a_proxy(self, server: Server) -> None:
        for inside in (True, False):
            for path in ("/healthz", "/readyz"):
                answer = server.get(path, inside=inside)
                assert answer.status == 200
                assert "max-age" not in answer.headers.get("cache-control", "")

    def test_a_nudge_is_taken(self, server: Server) -> None:
        body = json.dumps({"dag_run_id": "preflight~unknown"}).encode()
        headers = {"Content-Type": "application/json", "X-Preflight-Signature-256": sign(body, NUDGE_SECRET)}
        assert server.request("POST", "/nudge", body, inside=True, headers=headers).status == 202

    def test_a_run_has_its_page_outside(self, server: Server, database: Database) -> None:
        one = run(number=77)
        PostgresLedger(database).apply(wanted(one, of=pull(number=77)))
        answer = server.get(f"/runs/{one.id}")
        assert answer.status == 200
        assert "acme/widgets" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        (style,) = re.findall(r'href="([^"]+\.css[^"]*)"', answer.text)
        assert server.get(style).status == 200


def counted(server: Server, result: str) -> float:
    found = re.search(
        rf'^preflight_webhooks_total{{result="{result}"}} (\S+)$',
        server.get("/metrics", inside=True).text,
        re.MULTILINE,
    )
    return 0.0 if found is None else float(found[1])


def test_metrics_add_up_over_the_processes(server: Server) -> None:
    before = counted(server, "repeated")
    server.deliver("again")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.deliver("again").status, range(80)))
    assert answers == [202] * 80
    assert [counted(server, "repeated") for _ in range(6)] == [before + 80] * 6


class TestTheEnd:
    def test_sigterm_ends_it_cleanly(self, database: Database, tmp_path: Path) -> None:
        url = database.engine.url.render_as_string(hide_password=False)
        with serving(url, tmp_path / "tmp") as server:
            server.deliver("last")
            assert server.stop() == 0
            assert not ports.answers(server.public)
            assert list(server.temporary.iterdir()) == [], "it leaves nothing behind"
            assert "Traceback" not in server.errors.read_text()

    def test_a_killed_child_is_replaced(self, server: Server) -> None:
        child = psutil.Process(server.process.pid).children()[0]
        child.kill()
        until(
            lambda: (
                len(psutil.Process(server.process.pid).children()) >= 2
                and child.pid not in {one.pid for one in psutil.Process(server.process.pid).children()}
            )
        )
        assert server.deliver("after-the-kill").status == 202


def test_while_the_database_is_down_github_is_told_to_come_again(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "postgres") as postgres:
        url = postgres.create_database("preflight")
        made = Database(url, pool_size=1)
        made.migrate()
        made.close()
        with serving(url, tmp_path / "tmp") as server:
            assert server.deliver("before").status == 202
            postgres.kill()
            assert server.deliver("during").status == 503
            assert server.get("/healthz").status == 200
            inside, outside = server.get("/readyz", inside=True), server.get("/readyz")
            assert (inside.status, outside.status) == (503, 503)
            assert "database" in inside.text
            assert "database" not in outside.text
            assert "preflight_database_up 0.0" in server.get("/metrics", inside=True).text
            postgres.start()
            until(lambda: server.deliver("after").status == 202)
            assert server.get("/readyz").status == 200
        survived = Database(url, pool_size=1)
        assert stored(survived, "before") == BODY
        assert stored(survived, "during") is None
        survived.close()


@pytest.mark.parametrize("command", ["web", "worker"])
def test_without_settings_it_says_all_that_is_missing(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", command],
        env={"PATH": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for name in (
        "PREFLIGHT_DATABASE_URL",
        "PREFLIGHT_WEBHOOK_SECRETS",
        "PREFLIGHT_AIRFLOW_URL",
        "PREFLIGHT_PUBLIC_URL",
    ):
        assert name in done.stderr
