"""`POST /webhook`: verified over the raw bytes, stored, and only then answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from bot.claims import Receipt
from bot.errors import StoreUnavailable
from bot.intake import webhook
from bot.intake.signature import sign
from bot.models import Delivery
from tests.examples import comment_payload, pull_payload

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

OLD, NEW = "the old secret", "the new secret"


@dataclass
class Stored:
    """An inbox's entrance."""

    deliveries: list[Delivery] = field(default_factory=list)
    down: bool = False

    def put(self, delivery: Delivery) -> Receipt:
        if self.down:
            raise StoreUnavailable("the database does not answer: no route to 10.0.0.7")
        known = delivery.id in [one.id for one in self.deliveries]
        self.deliveries.append(delivery)
        return Receipt.REPEATED if known else Receipt.STORED


@dataclass
class Hook:
    """What GitHub does."""

    client: FlaskClient
    stored: Stored

    def post(self, body: bytes, **changed: str | None) -> TestResponse:
        """Deliver; a header given as None is left out."""
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "X-Hub-Signature-256": sign(body, NEW),
        } | {name.replace("_", "-"): value for name, value in changed.items()}
        present = {name: value for name, value in headers.items() if value is not None}
        return self.client.post("/webhook", data=body, headers=present)


@pytest.fixture
def hook() -> Hook:
    stored = Stored()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = webhook.MAX_BYTES + 1
    app.register_blueprint(webhook.blueprint(stored, (OLD, NEW)))
    return Hook(app.test_client(), stored)


BODY = json.dumps(pull_payload("opened")).encode()


class TestTaken:
    def test_is_stored_with_its_raw_bytes(self, hook: Hook) -> None:
        spaced = b'  {"repository": {"id": 42},\n "pull_request": {"number": 12}} \n'
        assert hook.post(spaced).status_code == 202
        (delivery,) = hook.stored.deliveries
        assert delivery == Delivery("72d3162e-cc78-11e3-81ab-4c9367dc0958", "pull_request", spaced, "42#12")

    @pytest.mark.parametrize("secret", [OLD, NEW])
    def test_with_any_of_the_secrets(self, hook: Hook, secret: str) -> None:
        assert hook.post(BODY, X_Hub_Signature_256=sign(BODY, secret)).status_code == 202

    def test_a_charset_does_not_matter(self, hook: Hook) -> None:
        assert hook.post(BODY, Content_Type="application/json; charset=utf-8").status_code == 202

    def test_a_repeated_one_is_taken_as_well(self, hook: Hook) -> None:
        assert [hook.post(BODY).status_code for _ in range(2)] == [202, 202]

    def test_events_of_one_pull_request_share_a_lane(self, hook: Hook) -> None:
        hook.post(BODY)
        hook.post(json.dumps(comment_payload("/test")).encode(), X_GitHub_Event="issue_comment")
        assert {one.lane for one in hook.stored.deliveries} == {"42#12"}

    def test_an_event_that_we_do_not_know_is_kept_too(self, hook: Hook) -> None:
        assert hook.post(b"{}", X_GitHub_Event="star").status_code == 202

    def test_25_mb_are_not_too_much(self, hook: Hook) -> None:
        padding = b" " * (webhook.MAX_BYTES - len(BODY))
        assert hook.post(BODY + padding).status_code == 202

    def test_a_ping_is_answered(self, hook: Hook) -> None:
        answer = hook.post(b'{"zen": "Design for failure."}', X_GitHub_Event="ping")
        assert 200 <= answer.status_code < 300
        assert hook.stored.deliveries == []

    def test_a_ping_is_no_way_around_the_signature(self, hook: Hook) -> None:
        assert hook.post(b"{}", X_GitHub_Event="ping", X_Hub_Signature_256=None).status_code == 401


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "status", "says"),
        [
            pytest.param({"X_Hub_Signature_256": None}, 401, "signature", id="unsigned"),
            pytest.param({"X_Hub_Signature_256": ""}, 401, "signature", id="empty-signature"),
            pytest.param({"X_Hub_Signature_256": sign(BODY, "a guess")}, 401, "signature", id="wrong-secret"),
            pytest.param({"X_Hub_Signature_256": sign(b"{}", NEW)}, 401, "signature", id="another-body"),
            pytest.param(
                {"X_Hub_Signature_256": None, "X_Hub_Signature": "sha1=" + "0" * 40},
                401,
                "signature",
                id="sha1-only",
            ),
            pytest.param({"X_GitHub_Event": None}, 400, "X-GitHub-Event", id="no-event"),
            pytest.param({"X_GitHub_Event": ""}, 400, "X-GitHub-Event", id="empty-event"),
            pytest.param({"X_GitHub_Delivery": None}, 400, "X-GitHub-Delivery", id="no-delivery-id"),
            pytest.param({"X_GitHub_Delivery": ""}, 400, "X-GitHub-Delivery", id="empty-delivery-id"),
            pytest.param(
                {"X_GitHub_Delivery": "x" * 5000}, 400, "X-GitHub-Delivery", id="endless-delivery-id"
            ),
            pytest.param({"Content_Type": "text/plain"}, 415, "application/json", id="text"),
            pytest.param({"Content_Type": None}, 415, "application/json", id="no-content-type"),
        ],
    )
    def test_and_nothing_is_stored(
        self, hook: Hook, changed: dict[str, str | None], status: int, says: str
    ) -> None:
        answer = hook.post(BODY, **changed)
        assert answer.status_code == status
        assert says in answer.text
        assert hook.stored.deliveries == []

    def test_a_form_is_told_what_to_set(self, hook: Hook) -> None:
        body = b"payload=%7B%7D"
        answer = hook.post(body, Content_Type="application/x-www-form-urlencoded")
        assert answer.status_code == 415
        assert "set the webhook's content type to application/json" in answer.text
        assert hook.stored.deliveries == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"[]",
            b'"text"',
            b"null",
            b"3",
            b"\xff\xfe\xfd",
            b"[" * 100_000,
            b"{" * 5,
            b"1" * 5000,
        ],
        ids=["empty", "text", "list", "string", "null", "number", "bytes", "deep", "cut", "digits"],
    )
    def test_a_body_that_is_no_json_object(self, hook: Hook, body: bytes) -> None:
        assert hook.post(body).status_code == 400
        assert hook.stored.deliveries == []

    def test_more_than_25_mb(self, hook: Hook) -> None:
        assert hook.post(b" " * (webhook.MAX_BYTES + 1)).status_code == 413
        assert hook.stored.deliveries == []

    def test_any_other_method(self, hook: Hook) -> None:
        assert hook.client.get("/webhook").status_code == 405

    def test_while_the_database_is_down_so_that_it_is_delivered_again(self, hook: Hook) -> None:
        hook.stored.down = True
        answer = hook.post(BODY)
        assert answer.status_code == 503
        assert "10.0.0.7" not in answer.text, "outside nobody needs to know where the database is"
