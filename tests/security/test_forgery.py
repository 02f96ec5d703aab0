"""Signatures that are not GitHub's or Airflow's: left out, weakened, doubled, or made for something else."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass

import pytest
from flask import Flask
from prometheus_client import REGISTRY

from bot.claims import DeliveryClaim
from bot.events import parsers
from bot.intake import nudge, webhook
from bot.intake.handle import Handled
from bot.intake.nudge import SIGNATURE
from bot.intake.signature import sign
from bot.intake.worker import MOST_EVENTS, DeliveryWorker
from tests.examples import delivery, pull_payload
from tests.fakes.nudged import Nudged
from tests.intake.test_webhook import Stored

HOOK, NUDGE = "the webhook's secret", "the nudges' secret"
BODY = json.dumps(pull_payload("opened")).encode()
RIGHT = sign(BODY, HOOK)
SHA1 = "sha1=" + hmac.new(HOOK.encode(), BODY, hashlib.sha1).hexdigest()


def post(path: str, body: bytes, headers: list[tuple[str, str]]) -> tuple[int, Stored, Nudged]:
    """Send to the webhook or the nudge; the status, and what was taken."""
    stored, runs = Stored(), Nudged()
    app = Flask(__name__)
    app.register_blueprint(webhook.blueprint(stored, (HOOK,)))
    app.register_blueprint(nudge.blueprint(runs, NUDGE))  # type: ignore[arg-type]  # nudge is all it needs
    sent = [
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", "pull_request"),
        ("X-GitHub-Delivery", "d-1"),
        *headers,
    ]
    return app.test_client().post(path, data=body, headers=sent).status_code, stored, runs


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([("X-Hub-Signature", SHA1)], id="sha1-alone"),
        pytest.param([("X-Hub-Signature-256", SHA1)], id="sha1-in-its-place"),
        pytest.param([("X-Hub-Signature", RIGHT)], id="in-the-old-header"),
        pytest.param([("X-Hub-Signature-256", RIGHT.upper())], id="upper-case"),
        pytest.param([("X-Hub-Signature-256", f"{RIGHT},{RIGHT}")], id="a-list"),
        pytest.param([("X-Hub-Signature-256", f'"{RIGHT}"')], id="quoted"),
        pytest.param([("X-Hub-Signature-256", RIGHT.replace("=", "= "))], id="a-space-inside"),
        pytest.param([("X-Hub-Signature-256", RIGHT[:20])], id="cut"),
        pytest.param([("X-Hub-Signature-256", "sha256=" + sign(BODY, HOOK)[-1] * 64)], id="one-digit"),
        pytest.param(
            [("X-Hub-Signature-256", "sha256=0"), ("X-Hub-Signature-256", RIGHT)], id="two-headers-right-last"
        ),
        pytest.param(
            [("X-Hub-Signature-256", RIGHT), ("X-Hub-Signature-256", "sha256=0")],
            id="two-headers-right-first",
        ),
        pytest.param([("X-Hub-Signature-256", sign(BODY, NUDGE))], id="with-the-nudges-secret"),
        pytest.param([(SIGNATURE, RIGHT)], id="as-a-nudge-is-signed"),
        pytest.param([("X-Hub-Signature-256", sign(BODY, ""))], id="with-no-secret"),
    ],
)
def test_a_delivery_with_such_a_signature_is_refused(headers: list[tuple[str, str]]) -> None:
    status, stored, _ = post("/webhook", BODY, headers)
    assert status == 401
    assert stored.deliveries == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY + b"\n", id="longer"),
        pytest.param(BODY[:-1], id="shorter"),
        pytest.param(BODY.replace(b"alice", b"erica"), id="another-sender"),
        pytest.param(json.dumps(json.loads(BODY), indent=1).encode(), id="the-same-json-written-otherwise"),
        pytest.param(b"", id="none"),
    ],
)
def test_a_signature_is_good_for_its_bytes_alone(body: bytes) -> None:
    status, stored, _ = post("/webhook", body, [("X-Hub-Signature-256", RIGHT)])
    assert status == 401
    assert stored.deliveries == []


HINT = json.dumps({"dag_run_id": "preflight~known"}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([(SIGNATURE, sign(HINT, HOOK))], id="with-the-webhook-s-secret"),
        pytest.param([("X-Hub-Signature-256", sign(HINT, NUDGE))], id="in-the-webhook-s-header"),
        pytest.param([(SIGNATURE, sign(HINT, NUDGE)), (SIGNATURE, "sha256=0")], id="two-headers"),
    ],
)
def test_a_nudge_with_such_a_signature_is_refused(headers: list[tuple[str, str]]) -> None:
    status, _, runs = post("/nudge", HINT, headers)
    assert status == 401
    assert runs.nudges == []


def test_a_nudge_that_is_sent_again_only_has_the_same_run_looked_at() -> None:
    """It says nothing of how the run is."""
    headers = [(SIGNATURE, sign(HINT, NUDGE))]
    for _ in range(3):
        status, _, runs = post("/nudge", HINT, headers)
        assert (status, runs.nudges) == (202, ["preflight~known"])


@pytest.mark.parametrize("event", ["proposal", "recheck", "rerun"])
def test_nobody_sends_what_only_we_send_ourselves(event: str) -> None:
    """Though a body were signed: of these we believe all."""
    assert event in parsers()
    headers = [("X-Hub-Signature-256", RIGHT)]
    stored = Stored()
    app = Flask(__name__)
    app.register_blueprint(webhook.blueprint(stored, (HOOK,)))
    sent = {"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": "d-1"}
    answer = app.test_client().post("/webhook", data=BODY, headers=sent | dict(headers))
    assert answer.status_code == 400
    assert stored.deliveries == []


class TestNamesThatAreNotSigned:
    """Whoever saw one delivery can send it under any delivery id and event name."""

    def test_do_not_make_figures_without_end(self) -> None:
        before = events_told_apart()
        inbox = Endless()
        worker = DeliveryWorker(inbox, Ignoring())  # type: ignore[arg-type]  # all that they need
        for _ in range(MOST_EVENTS * 3):
            assert worker.work()
        assert inbox.handed_out == MOST_EVENTS * 3
        assert events_told_apart() - before <= MOST_EVENTS + 1


@dataclass
class Endless:
    """An inbox that always has one more delivery, of an event that nobody heard of."""

    handed_out: int = 0

    def claim(self) -> DeliveryClaim:
        self.handed_out += 1
        return DeliveryClaim(delivery(f"made_up_{self.handed_out}", {}), tries=1, token="t")

    def finish(self, claim: DeliveryClaim, *, ignored: bool, reason: str) -> None:
        """Nothing."""


class Ignoring:
    """A handler to which everything means nothing."""

    def handle(self, _: DeliveryClaim) -> Handled:
        return Handled(ignored=True, reason="it means nothing to us")


def events_told_apart() -> int:
    """How many events the figures tell apart."""
    (family,) = (one for one in REGISTRY.collect() if one.name == "preflight_deliveries_handled")
    return len({sample.labels["event"] for sample in family.samples})
