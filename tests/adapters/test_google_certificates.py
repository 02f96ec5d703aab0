"""Google's certificates: fetched over HTTP when they are needed, and kept as long as Google says."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bot.adapters.google import Certificates, GoogleIdentityTokens
from bot.adapters.google.certificates import LONGEST_SECONDS, PAUSE_SECONDS, SHORTEST_SECONDS, lifetime
from bot.errors import CertificatesUnavailable, TokenRefused
from tests.fakes import google

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600
PUBLISHED = json.dumps({google.KEY_ID: "its certificate"}).encode()


@dataclass
class Google:
    """What the place of the certificates answers."""

    body: bytes = PUBLISHED
    cache_control: str = f"public, max-age={HOUR}, must-revalidate"
    status: int = 200
    asked: int = 0
    url: str = ""


@dataclass
class Clock:
    """Moved by hand."""

    now: float = field(default=1000.0)

    def __call__(self) -> float:
        return self.now


@contextmanager
def serving(at: Google) -> Iterator[None]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at.asked += 1
            self.send_response(at.status)
            self.send_header("Cache-Control", at.cache_control)
            self.send_header("Content-Length", str(len(at.body)))
            self.end_headers()
            self.wfile.write(at.body)

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        at.url = f"http://127.0.0.1:{server.server_port}/oauth2/v1/certs"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@pytest.fixture
def there() -> Iterator[Google]:
    at = Google()
    with serving(at):
        yield at


def test_are_fetched_once_for_as_long_as_they_are_good(there: Google) -> None:
    clock = Clock()
    certificates = Certificates(there.url, clock)
    for seconds, asked in ((0, 1), (1, 1), (HOUR - 1, 1), (HOUR, 2), (2 * HOUR - 1, 2), (2 * HOUR, 3)):
        clock.now = 1000.0 + seconds
        assert certificates.with_key(google.KEY_ID) == {google.KEY_ID: "its certificate"}
        assert there.asked == asked, f"after {seconds} s"


def test_a_key_that_is_new_is_found_before_that(there: Google) -> None:
    clock = Clock()
    certificates = Certificates(there.url, clock)
    certificates.with_key(google.KEY_ID)
    there.body = json.dumps({"tomorrow": "another"}).encode()
    clock.now += PAUSE_SECONDS
    assert certificates.with_key("tomorrow") == {"tomorrow": "another"}


def test_keys_that_strangers_make_up_do_not_make_us_ask_all_the_time(there: Google) -> None:
    clock = Clock()
    certificates = Certificates(there.url, clock)
    for number in range(100):
        certificates.with_key(f"made up {number}")
        clock.now += PAUSE_SECONDS / 10
    assert there.asked <= 11


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(503, PUBLISHED, id="not now"),
        pytest.param(404, b"no", id="not there"),
        pytest.param(200, b"<html>", id="another page"),
        pytest.param(200, b"[]", id="a list"),
        pytest.param(200, b'{"keys": []}', id="keys of another form"),
        pytest.param(200, b"\xff", id="no text"),
    ],
)
def test_what_cannot_be_fetched_is_said_and_not_asked_for_at_once(
    there: Google, status: int, body: bytes
) -> None:
    clock = Clock()
    certificates = Certificates(there.url, clock)
    there.status, there.body = status, body
    for _ in range(5):
        with pytest.raises(CertificatesUnavailable):
            certificates.with_key(google.KEY_ID)
    assert there.asked == 1
    there.status, there.body = 200, PUBLISHED
    clock.now += PAUSE_SECONDS
    assert certificates.with_key(google.KEY_ID)


def test_old_ones_are_not_trusted_while_there_are_no_new_ones(there: Google) -> None:
    clock = Clock()
    certificates = Certificates(there.url, clock)
    certificates.with_key(google.KEY_ID)
    there.status = 500
    clock.now += HOUR - 1
    assert certificates.with_key(google.KEY_ID)
    clock.now += 1
    with pytest.raises(CertificatesUnavailable):
        certificates.with_key(google.KEY_ID)


def test_nobody_answers() -> None:
    at = Google()
    with serving(at):
        pass
    tokens = GoogleIdentityTokens(Certificates(at.url).with_key)
    with pytest.raises(CertificatesUnavailable, match="can't be fetched"):
        tokens.claims(google.token(), google.AUDIENCE)


def test_a_token_that_could_never_be_right_makes_nobody_ask(there: Google) -> None:
    tokens = GoogleIdentityTokens(Certificates(there.url).with_key)
    for wrong in (google.unsigned(), google.token(key_id=None), "a.b.c"):
        with pytest.raises(TokenRefused):
            tokens.claims(wrong, google.AUDIENCE)
    assert there.asked == 0


def test_tokens_are_verified_with_what_was_fetched(there: Google) -> None:
    there.body = json.dumps({google.KEY_ID: google.certificate()}).encode()
    tokens = GoogleIdentityTokens(Certificates(there.url).with_key)
    assert tokens.claims(google.token(), google.AUDIENCE)["email"] == google.ACCOUNT
    with pytest.raises(TokenRefused):
        tokens.claims(google.token("a stranger"), google.AUDIENCE)


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        pytest.param("public, max-age=20455, must-revalidate, no-transform", 20455, id="as Google says it"),
        pytest.param("MAX-AGE=20455", 20455, id="in capitals"),
        pytest.param("max-age=999999999", LONGEST_SECONDS, id="for ever"),
        pytest.param("max-age=0", SHORTEST_SECONDS, id="not at all"),
        pytest.param("max-age=-1", SHORTEST_SECONDS, id="less than that"),
        pytest.param("s-maxage=20455", SHORTEST_SECONDS, id="for others only"),
        pytest.param("no-store", SHORTEST_SECONDS, id="no word of it"),
        pytest.param("", SHORTEST_SECONDS, id="nothing"),
    ],
)
def test_they_are_good_for(cache_control: str, seconds: float) -> None:
    assert lifetime(cache_control) == seconds
