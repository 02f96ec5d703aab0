"""Our own web asked from outside, and each way in which it can fail to answer."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.adapters.web.doctor import LONGEST, PublicWeb
from bot.errors import NoAnswer, WebUnreachable
from deploy.local import ports
from tests.adapters.github_answering import Say, answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def unreached(url: str) -> tuple[NoAnswer, str]:
    with pytest.raises(WebUnreachable) as caught:
        PublicWeb(url).get("/healthz")
    return caught.value.why, str(caught.value)


class TestAnswers:
    def test_a_page(self) -> None:
        with answering(Say(200, "ok\n")).running() as server:
            page = PublicWeb(server.url).get("/healthz")

        assert (page.status, page.text, page.location) == (200, "ok\n", "")
        assert [asked.path for asked in server.asked] == ["/healthz"]

    def test_a_post_with_its_headers(self) -> None:
        with answering(Say(200, "pong\n")).running() as server:
            page = PublicWeb(server.url).post("/webhook", b"{}", {"X-GitHub-Event": "ping"})

        assert page.text == "pong\n"
        [asked] = server.asked
        assert (asked.method, asked.body, asked.headers["X-GitHub-Event"]) == ("POST", "{}", "ping")

    def test_no_redirect_is_followed(self) -> None:
        with answering(Say(301, "", {"Location": "https://elsewhere/"})).running() as server:
            page = PublicWeb(server.url).get("/healthz")

        assert (page.status, page.location, len(server.asked)) == (301, "https://elsewhere/", 1)

    def test_a_long_page_is_cut(self) -> None:
        with answering(Say(200, "x" * (2 * LONGEST))).running() as server:
            assert len(PublicWeb(server.url).get("/").text) == LONGEST


class TestNoAnswer:
    def test_nobody_listens(self) -> None:
        url = f"http://127.0.0.1:{ports.choose_any()}"

        assert unreached(url) == (NoAnswer.REFUSED, f"{url} can't be reached: the connection was refused")

    def test_no_such_name(self) -> None:
        why, words = unreached("http://no-such-host.invalid")

        assert why is NoAnswer.NAME
        assert "can't be resolved" in words

    def test_the_connection_is_cut(self) -> None:
        with answering(Say(cut=True)).running() as server:
            assert unreached(server.url)[0] is NoAnswer.CUT

    def test_something_that_does_not_speak_tls(self) -> None:
        with answering(Say(200, "ok\n")).running() as server:
            assert unreached(server.url.replace("http://", "https://"))[0] is NoAnswer.CUT

    def test_something_that_never_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.adapters.web.doctor._TIMEOUTS", (0.2, 0.2))
        with socket.create_server(("127.0.0.1", 0)) as silent:
            assert unreached(f"http://127.0.0.1:{silent.getsockname()[1]}")[0] is NoAnswer.TIME

    @pytest.mark.parametrize(
        ("host", "ends", "words"),
        [
            pytest.param("localhost", DAY, "self-signed", id="self-signed"),
            pytest.param("localhost", -DAY, "self-signed|expired", id="expired"),
        ],
    )
    def test_a_certificate_that_is_not_trusted(
        self, tmp_path: Path, host: str, ends: dt.timedelta, words: str
    ) -> None:
        with tls(tmp_path, host, ends) as port:
            why, said = unreached(f"https://localhost:{port}")

        assert why is NoAnswer.CERTIFICATE
        assert any(word in said for word in words.split("|"))

    @pytest.mark.parametrize(
        ("host", "ends", "words"),
        [
            pytest.param("localhost", -DAY, "expired", id="expired"),
            pytest.param("other.example.com", DAY, "mismatch|match", id="of another name"),
        ],
    )
    def test_a_trusted_one_that_is_not_good_any_more_or_not_for_us(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, ends: dt.timedelta, words: str
    ) -> None:
        with tls(tmp_path, host, ends) as port:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "tls.pem"))
            why, said = unreached(f"https://localhost:{port}")

        assert why is NoAnswer.CERTIFICATE
        assert any(word in said for word in words.split("|"))


class TestAddresses:
    def test_of_this_machine(self) -> None:
        assert "127.0.0.1" in PublicWeb("http://127.0.0.1:8080").addresses()

    def test_of_no_such_name(self) -> None:
        with pytest.raises(WebUnreachable) as caught:
            PublicWeb("https://no-such-host.invalid").addresses()
        assert caught.value.why is NoAnswer.NAME


class _Ok(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


class _Quiet(HTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up."""


@contextmanager
def tls(folder: Path, host: str, ends: dt.timedelta) -> Iterator[int]:
    """A server with a certificate that it signed itself; its port."""
    pem = folder / "tls.pem"
    pem.write_bytes(_certificate(host, ends))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = _Quiet(("127.0.0.1", 0), _Ok)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(host: str, ends: dt.timedelta) -> bytes:
    """Key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + made.public_bytes(Encoding.PEM)
