"""Web takes deliveries without any database when they wait on Pub/Sub; what needs one says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.pubsub import PubSubSubscription
from bot.bootstrap import Web, build_web
from bot.intake.nudge import SIGNATURE
from bot.intake.signature import sign
from bot.settings import Settings
from deploy.local import ports
from tests.adapters.inboxes import SECRET
from tests.adapters.test_inbox_contract import delivery

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from bot.settings import PubSub

NOWHERE = f"{ports.HOST}:1"


def web(pubsub: PubSub, *, emulator: str) -> Web:
    """A web process without a database."""
    environment = {
        "PREFLIGHT_DATABASE_URL": f"postgresql+psycopg://nobody:secret@{NOWHERE}/nothing",
        "PREFLIGHT_WEBHOOK_SECRETS": SECRET,
        "PREFLIGHT_NUDGE_SECRET": SECRET,
        "PREFLIGHT_GITHUB_TOKEN": "ghp_token",
        "PREFLIGHT_AIRFLOW_URL": f"http://{NOWHERE}",
        "PREFLIGHT_AIRFLOW_USERNAME": "u",
        "PREFLIGHT_AIRFLOW_PASSWORD": "p",
        "PREFLIGHT_PUBLIC_URL": "https://preflight.example.com",
        "PREFLIGHT_INBOX": "pubsub",
        "PREFLIGHT_PUBSUB_PROJECT": pubsub.project,
        "PUBSUB_EMULATOR_HOST": emulator,
    }
    return build_web(Settings.from_env(environment))


def delivered(to: Web) -> TestResponse:
    one = delivery(delivery_id="d-1")
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": one.event,
        "X-GitHub-Delivery": one.id,
        "X-Hub-Signature-256": one.signature,
    }
    return to.public.test_client().post("/webhook", data=one.body, headers=headers)


def test_a_delivery_is_taken_once_pubsub_has_confirmed_it(pubsub: PubSub) -> None:
    assert delivered(web(pubsub, emulator=pubsub.emulator)).status_code == 202
    (message,) = PubSubSubscription(pubsub.project, pubsub.deliveries, emulator=pubsub.emulator).pull(1)
    assert message.attributes["id"] == "d-1"


def test_and_refused_until_then(pubsub: PubSub) -> None:
    answer = delivered(web(pubsub, emulator=NOWHERE))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_that_pubsub_is_left_alone_is_among_the_metrics(pubsub: PubSub) -> None:
    silent = web(pubsub, emulator=NOWHERE)
    delivered(silent)
    shown = silent.internal.test_client().get("/metrics").text
    assert 'preflight_breaker_open{service="pubsub"} 1.0' in shown


@pytest.mark.parametrize(
    ("inside", "path", "status"),
    [
        pytest.param(False, "/readyz", 200, id="it is ready"),
        pytest.param(True, "/readyz", 200, id="inside, too"),
        pytest.param(True, "/metrics", 200, id="its metrics are shown"),
        pytest.param(False, "/", 503, id="pages wait for the database"),
        pytest.param(False, "/runs/0123456789abcdef0123456789abcdef", 503, id="those of runs, too"),
    ],
)
def test_without_a_database(pubsub: PubSub, inside: bool, path: str, status: int) -> None:  # noqa: FBT001 - a table
    found = web(pubsub, emulator=pubsub.emulator)
    client = (found.internal if inside else found.public).test_client()
    assert client.get(path).status_code == status


def test_a_nudge_waits_for_the_database(pubsub: PubSub) -> None:
    body = b'{"dag_run_id": "preflight~x"}'
    client = web(pubsub, emulator=pubsub.emulator).internal.test_client()
    assert client.post("/nudge", data=body, headers={SIGNATURE: sign(body, SECRET)}).status_code == 503
