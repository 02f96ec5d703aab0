"""`POST /pubsub`: from Pub/Sub alone, as our push account; sent again only where that helps."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.adapters.google import GoogleIdentityTokens
from bot.errors import CertificatesUnavailable
from bot.intake import push
from bot.intake.signature import sign
from tests.examples import HOSTILE
from tests.fakes import google
from tests.fakes.nudged import Nudged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.test import TestResponse

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECRET = "shared with Airflow"
SENDER = push.Sender(google.ACCOUNT, google.AUDIENCE)
HOUR = 3600


def published(_key_id: str = "") -> dict[str, str]:
    """What Google publishes: its certificate, by key id."""
    return {google.KEY_ID: google.certificate(), "another": google.certificate("another of Google's")}


def unreachable(_key_id: str) -> dict[str, str]:
    raise CertificatesUnavailable("no way to Google")


def send(
    runs: Nudged,
    body: bytes,
    *authorization: str,
    secret: str = SECRET,
    certificates: Callable[[str], Mapping[str, str]] = published,
) -> TestResponse:
    """Push a body with these Authorization headers."""
    app = Flask(__name__)
    app.register_blueprint(
        push.blueprint(runs, GoogleIdentityTokens(certificates), SENDER, secret, lambda: NOW)  # type: ignore[arg-type]  # nudge is all it needs
    )
    headers = [("Authorization", one) for one in authorization]
    return app.test_client().post("/pubsub", data=body, headers=headers, content_type="application/json")


def pushed(runs: Nudged, body: bytes, *, secret: str = SECRET) -> TestResponse:
    """Push a body as Pub/Sub does."""
    return send(runs, body, f"Bearer {google.token()}", secret=secret)


def hint(dag_run_id: object = "preflight~known", *, age: timedelta = timedelta(0), **more: str) -> bytes:
    return json.dumps({"dag_run_id": dag_run_id, "sent_at": (NOW - age).isoformat(), **more}).encode()


def wrapped(data: bytes, **attributes: str) -> bytes:
    """A message, as Pub/Sub wraps it."""
    message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "messageId": "1"}
    return json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode()


def signed(data: bytes) -> bytes:
    return wrapped(data, signature=sign(data, SECRET))


@pytest.mark.parametrize("issuer", ["accounts.google.com", "https://accounts.google.com"])
@pytest.mark.parametrize("dag_run_id", ["preflight~known", "preflight~unknown", HOSTILE])
def test_is_taken_and_the_run_is_looked_at(dag_run_id: str, issuer: str) -> None:
    runs = Nudged()
    answer = send(runs, signed(hint(dag_run_id)), f"Bearer {google.token(iss=issuer)}")
    assert answer.status_code == 202
    assert runs.nudges == [dag_run_id.replace("\0", "")]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda: "a.b.c", id="not base64 of JSON"),
        pytest.param(lambda: "bnVsbA.bnVsbA.bnVsbA", id="JSON, but no objects"),
        pytest.param(lambda: google.token(aud="https://elsewhere.example.com/pubsub"), id="audience"),
        pytest.param(lambda: google.token(aud=[google.AUDIENCE]), id="a list of audiences"),
        pytest.param(lambda: google.token(aud=None), id="no audience"),
        pytest.param(lambda: google.token(iss="https://accounts.example.com"), id="issuer"),
        pytest.param(lambda: google.token(iss=None), id="no issuer"),
        pytest.param(lambda: google.token(iss=["accounts.google.com"]), id="a list of issuers"),
        pytest.param(lambda: google.token(email=f"other-{google.ACCOUNT}"), id="account"),
        pytest.param(lambda: google.token(email=None), id="no account"),
        pytest.param(lambda: google.token(email_verified=False), id="account not verified"),
        pytest.param(lambda: google.token(email_verified="true"), id="verified, but as a text"),
        pytest.param(lambda: google.token(email_verified=None), id="nothing said of verification"),
        pytest.param(lambda: google.token(exp=int(time.time()) - HOUR), id="expired"),
        pytest.param(lambda: google.token(exp=None), id="never expires"),
        pytest.param(lambda: google.token(exp="tomorrow"), id="expires at no time"),
        pytest.param(lambda: google.token(iat=int(time.time()) + HOUR), id="not yet valid"),
        pytest.param(lambda: google.token(iat=None), id="issued at no time"),
        pytest.param(google.unsigned, id="algorithm none"),
        pytest.param(lambda: google.unsigned("RS256"), id="no signature"),
        pytest.param(lambda: google.signed_by_what_is_public(google.public_key()), id="HS256, public key"),
        pytest.param(lambda: google.signed_by_what_is_public(google.certificate()), id="HS256, certificate"),
        pytest.param(lambda: google.token("a stranger"), id="other key under Google's id"),
        pytest.param(lambda: google.token("a stranger", "mine"), id="other key under its own id"),
        pytest.param(lambda: google.token(key_id="another"), id="the id of another key of Google's"),
        pytest.param(lambda: google.token(key_id=None), id="no key id"),
        pytest.param(lambda: google.token()[:-9], id="truncated"),
        pytest.param(lambda: google.token().rpartition(".")[0], id="two parts"),
        pytest.param(lambda: google.token() + ".e30", id="four parts"),
        pytest.param(lambda: google.token(more="A" * push.MAX_TOKEN), id="endless"),
    ],
)
def test_a_wrong_token_is_refused(token: Callable[[], str]) -> None:
    runs = Nudged()
    assert send(runs, signed(hint()), f"Bearer {token()}").status_code == 401
    assert runs.nudges == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="no header"),
        pytest.param([""], id="empty header"),
        pytest.param(["Bearer"], id="no token"),
        pytest.param(["Bearer ."], id="no parts"),
        pytest.param(["bearer {}"], id="lower-case scheme"),
        pytest.param(["Basic {}"], id="other scheme"),
        pytest.param(["{}"], id="no scheme"),
        pytest.param(["Bearer  {}"], id="two spaces"),
        pytest.param(["Bearer {}\x00"], id="a NUL behind it"),
        pytest.param(["Bearer {}", "Bearer {}"], id="two headers"),
        pytest.param(["Bearer {},Bearer {}"], id="two in one"),
    ],
)
def test_a_right_token_must_come_as_google_sends_it(headers: list[str]) -> None:
    runs = Nudged()
    sent = [header.replace("{}", google.token()) for header in headers]
    assert send(runs, signed(hint()), *sent).status_code == 401
    assert runs.nudges == []


def test_whoever_is_refused_does_not_learn_why() -> None:
    answers = {
        send(Nudged(), signed(hint()), f"Bearer {one}").data
        for one in (google.token(aud="x"), google.token("a stranger"), google.unsigned())
    }
    assert len(answers) == 1


def test_while_certificates_cannot_be_had_it_is_sent_again() -> None:
    runs = Nudged()
    answer = send(runs, signed(hint()), f"Bearer {google.token()}", certificates=unreachable)
    assert (answer.status_code, runs.nudges) == (503, [])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x", id="not JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"{}", id="no message"),
        pytest.param(b'{"message": []}', id="no object as message"),
        pytest.param(b'{"message": {}}', id="no data"),
        pytest.param(b'{"message": {"data": "%"}}', id="data that is not base64"),
        pytest.param('{"message": {"data": "\u00e9"}}'.encode(), id="data that is not ASCII"),
        pytest.param(b'{"message": {"data": "e30=", "attributes": [1]}}', id="attributes as a list"),
        pytest.param(b'{"message": {"data": "e30=", "attributes": {"signature": 1}}}', id="odd signature"),
        pytest.param(wrapped(hint()), id="not signed"),
        pytest.param(wrapped(hint(), signature=sign(hint(), "another")), id="signed with another secret"),
        pytest.param(wrapped(hint("other"), signature=sign(hint(), SECRET)), id="another's signature"),
        pytest.param(signed(b"x"), id="a hint that is not JSON"),
        pytest.param(signed(b"{}"), id="a hint of nothing"),
        pytest.param(signed(hint(3)), id="a hint of a number"),
        pytest.param(signed(hint(age=timedelta(minutes=6))), id="an old hint"),
        pytest.param(b" " * (push.MAX_BYTES + 1), id="too large"),
    ],
)
def test_what_can_never_be_obeyed_is_not_sent_again(body: bytes) -> None:
    runs = Nudged()
    assert pushed(runs, body).status_code == 200
    assert runs.nudges == []


@pytest.mark.parametrize(("state", "began"), [("running", ["preflight~known"]), ("success", [])])
def test_what_began_is_told(state: str, began: list[str]) -> None:
    runs = Nudged()
    pushed(runs, signed(hint(state=state)))
    assert runs.began == began


def test_without_a_secret_google_alone_says_who_may_hint() -> None:
    runs = Nudged()
    assert pushed(runs, wrapped(hint()), secret="").status_code == 202
    assert runs.nudges == ["preflight~known"]


def test_while_the_database_is_down_it_is_sent_again() -> None:
    assert pushed(Nudged(down=True), signed(hint())).status_code == 503
