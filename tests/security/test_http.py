"""What a stranger can do to the web with bytes alone: gunicorn as we run it, before any of our code."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database
from bot.intake.signature import sign
from bot.server import THREADS
from tests.examples import pull_payload
from tests.intake.test_server import NUDGE_SECRET, SECONDS, SECRET, serving, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres
    from tests.intake.test_server import Server

pytestmark = pytest.mark.postgres

BODY = json.dumps(pull_payload("opened")).encode()
PROCESSES = 2
HURRIED = (
    "-c",
    "import bot.server, bot.cli; bot.server.REQUEST_SECONDS = 2; raise SystemExit(bot.cli.main(['web']))",
)
"""The web, but for its patience with one request."""


@pytest.fixture(scope="module")
def database(real_postgres: Postgres) -> Iterator[Database]:
    made = Database(real_postgres.create_database("test_security_http"), pool_size=2)
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = database.engine.url.render_as_string(hide_password=False)
    with serving(url, tmp_path_factory.mktemp("web") / "tmp", HURRIED) as server:
        yield server


def stored(database: Database) -> list[str]:
    """The ids of all deliveries in the inbox."""
    with database.begin() as connection:
        return list(connection.execute(text("SELECT id FROM deliveries")).scalars())


def head(*lines: str, body: bytes = BODY) -> bytes:
    """A delivery's head, signed, without a length."""
    known = (
        "POST /webhook HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        "X-GitHub-Event: pull_request",
        f"X-Hub-Signature-256: {sign(body, SECRET)}",
    )
    return "\r\n".join((*known, *lines, "", "")).encode("latin-1")


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = f"Content-Length: {len(BODY)}"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            head("X-GitHub-Delivery: both", "Content-Length: 4", "Transfer-Encoding: chunked") + CHUNKED,
            id="length-and-chunks",
        ),
        pytest.param(head("X-GitHub-Delivery: two", LENGTH, "Content-Length: 2") + BODY, id="two-lengths"),
        pytest.param(head("X-GitHub-Delivery: list", f"{LENGTH}, 2") + BODY, id="a-list-of-lengths"),
        pytest.param(head("X-GitHub-Delivery: plus", f"Content-Length: +{len(BODY)}") + BODY, id="signed"),
        pytest.param(head("X-GitHub-Delivery: folded", LENGTH, " continued") + BODY, id="folded-header"),
        pytest.param(
            head("X-GitHub-Delivery: lf\nX-Other: y", LENGTH) + BODY, id="a-line-ended-by-line-feed-alone"
        ),
        pytest.param(head("X-GitHub-Delivery : space", LENGTH) + BODY, id="space-before-the-colon"),
        pytest.param(
            head("X-GitHub-Delivery: twice", "Transfer-Encoding: chunked, chunked") + CHUNKED,
            id="chunked-twice",
        ),
        pytest.param(
            head("X-GitHub-Delivery: odd", "Transfer-Encoding: xchunked") + CHUNKED, id="another-coding"
        ),
        pytest.param(head("X-GitHub-Delivery: nul\0", LENGTH) + BODY, id="nul-in-a-header"),
        pytest.param(head("X_GitHub_Delivery: underscores", LENGTH) + BODY, id="underscores-in-a-name"),
    ],
)
def test_what_two_readers_could_read_differently_is_no_delivery(
    server: Server, database: Database, sent: bytes
) -> None:
    """A proxy before us may see another request than we do in it: where one ends, what its headers are."""
    before = stored(database)
    assert re.match(rb"HTTP/1\.1 [45]\d\d |$", server.raw(iter([sent])))
    assert stored(database) == before


def test_an_underscored_header_does_not_stand_in_for_ours(server: Server, database: Database) -> None:
    """As a proxy may let it pass that strips what it does not trust."""
    forged = head(
        "X-GitHub-Delivery: underscored", f"X_Hub_Signature_256: {sign(b'{}', SECRET)}", "Content-Length: 2"
    )
    assert server.raw(iter([forged + b"{}"])).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
    assert "underscored" not in stored(database)


def test_requests_behind_one_another_are_each_judged_alone(server: Server, database: Database) -> None:
    unsigned = head("X-GitHub-Delivery: behind", LENGTH).replace(b"sha256=", b"sha256=0") + BODY
    first = head("X-GitHub-Delivery: in-front", LENGTH) + BODY
    with socket.create_connection(("127.0.0.1", server.public), SECONDS) as connection:
        connection.sendall(first + unsigned)
        answers = b""
        while answers.count(b"HTTP/1.1 ") < 2 and (read := connection.recv(65_536)):
            answers += read
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"202", b"401"]
    assert "in-front" in stored(database)
    assert "behind" not in stored(database)


def test_what_follows_a_refused_body_is_no_request(server: Server, database: Database) -> None:
    """The body of one that was refused unread is never taken for the next request."""
    inner = head("X-GitHub-Delivery: inner", LENGTH) + BODY
    outer = head("X-GitHub-Delivery: outer", f"Content-Length: {len(inner)}").replace(b"json", b"text")
    server.raw(iter([outer + inner]))
    assert server.get("/healthz").status == 200
    assert "inner" not in stored(database)


def test_a_compressed_body_is_not_unpacked(server: Server, database: Database) -> None:
    """The signature is over the bytes that came, of which GitHub compresses none; a bomb stays small."""
    packed = gzip.compress(b"{" + b" " * 20_000_000 + b"}")
    answer = server.deliver("packed", packed, {"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert "packed" not in stored(database)


def test_many_headers_and_long_ones_are_refused(server: Server) -> None:
    many = [f"X-{number}: y" for number in range(200)]
    for lines in (many, ["X-Long: " + "y" * 100_000]):
        assert server.raw(iter([head(*lines, LENGTH) + BODY])).startswith((b"HTTP/1.1 4", b""))
    assert server.get("/healthz").status == 200


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(head("X-GitHub-Delivery: drip", "Content-Length: 100000"), id="body"),
        pytest.param(
            head("X-GitHub-Delivery: drip", "Transfer-Encoding: chunked") + b"fffff\r\n", id="chunks"
        ),
        pytest.param(b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Endless: ", id="headers"),
    ],
)
def test_who_sends_a_drop_at_a_time_is_cut_off(server: Server, begun: bytes) -> None:
    """As many as there are threads: the web answers others again."""
    with ThreadPoolExecutor(PROCESSES * THREADS) as pool:
        list(pool.map(lambda _: drip(server.public, begun), range(PROCESSES * THREADS)))
    assert server.get("/healthz").status == 200


def drip(port: int, begun: bytes) -> None:
    """Begin a request and send a byte of it now and then, until the server has had enough."""
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(begun)
        while not select.select([connection], [], [], 0.2)[0]:
            connection.sendall(b"x")


def test_a_complaint_about_bytes_repeats_no_secret_and_no_line_of_theirs(server: Server) -> None:
    server.raw(iter([b"GET /\x1b[31mred HTTP/1.1\r\nX: y\nFORGED LINE\r\n\r\n"]))
    until(lambda: server.get("/healthz").status == 200)
    said = server.errors.read_text()
    assert "\x1b" not in said
    assert not re.search("^FORGED", said, re.MULTILINE)


def test_no_process_says_a_secret_in_its_command_line_or_title(server: Server) -> None:
    """Anybody on the machine can read these."""
    process = psutil.Process(server.process.pid)
    for one in (process, *process.children(recursive=True)):
        told = " ".join([*one.cmdline(), one.name()])
        for secret in (SECRET, NUDGE_SECRET, "airflow password"):
            assert secret not in told
