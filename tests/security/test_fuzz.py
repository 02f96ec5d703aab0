"""Whatever comes in is taken, refused or ignored: nobody meets an error that was not expected.

`make test ARGS='tests/security/test_fuzz.py --hypothesis-profile=thorough'` looks at many more examples.
"""

from __future__ import annotations

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bot import commands, events
from bot.errors import MalformedPayload
from bot.events.types import Told
from bot.intake import hints, nudge, push, webhook
from bot.intake.nudge import SIGNATURE
from bot.intake.parcels import Unreadable, opened, read
from bot.intake.signature import sign
from bot.models import Delivery, Message
from bot.policy.configuration import Configuration, ConfigurationError, parse
from bot.report.logs.excerpt import excerpt
from bot.report.logs.redact import redact
from tests.acceptance import payloads
from tests.examples import comment_payload, pull_payload, repository_payload, user_payload
from tests.fakes.nudged import Nudged
from tests.intake.test_webhook import Stored
from tests.report.hostile import OWN_SECRET, assert_keeps_secrets, free_text, hostile_text

SECRET = "a secret"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HUGE = 10**400

CHECK_RUN: dict[str, Any] = {
    "action": "rerequested",
    "check_run": {
        "name": "preflight/unit",
        "external_id": "12/" + "0" * 32,
        "head_sha": payloads.HEAD,
        "check_suite": {"head_branch": "main"},
    },
    "requested_action": {"identifier": "retry"},
    "repository": repository_payload(),
    "sender": user_payload("alice"),
}
REAL: dict[str, dict[str, Any]] = {
    "check_run": CHECK_RUN,
    "check_suite": {
        "action": "rerequested",
        "check_suite": {"head_sha": payloads.HEAD},
        "repository": repository_payload(),
        "sender": user_payload("alice"),
    },
    "installation": payloads.installation("created"),
    "installation_repositories": payloads.installation_repositories("added"),
    "issue_comment": comment_payload("/test unit"),
    "merge_group": payloads.merge_group("checks_requested"),
    "ping": payloads.ping(),
    "proposal": pull_payload("proposal"),
    "pull_request": pull_payload("synchronize"),
    "push": payloads.push(),
    "recheck": pull_payload("recheck"),
    "repository": payloads.repository_event("renamed"),
    "rerun": pull_payload("rerun") | {"head_sha": payloads.HEAD},
}
"""What GitHub sends of each event, and what we send ourselves."""

scalar = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([HUGE, -1, 2**63, 2**64, "", "\0", "\ud800", "../..", "a/b/c", "2026-13-45T99:99:99Z"]),
    hostile_text,
)
json_value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3)
)
words = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


def paths(value: object, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where there is anything in a payload."""
    inside = list(value.items()) if isinstance(value, dict) else []
    inside += list(enumerate(value)) if isinstance(value, list) else []
    return [before, *(path for key, one in inside for path in paths(one, (*before, key)))]


def changed(value: Any, path: tuple[Any, ...], new: object) -> Any:  # noqa: ANN401 - JSON
    """The payload with something else there."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = changed(value[path[0]], path[1:], new)
    return copied


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str, object]:
    """An event and a payload of it in which some things are something else."""
    event = draw(st.sampled_from(sorted(REAL)))
    payload: object = REAL[event]
    for _ in range(draw(st.integers(1, 3))):
        payload = changed(payload, draw(st.sampled_from(paths(payload))), draw(json_value))
    return event, payload


def told_of(event: str, payload: object) -> Told | str:
    """What a delivery tells, or why it can't be read."""
    try:
        return events.parse(Delivery("d", event, json.dumps(payload).encode(), "lane")).told
    except MalformedPayload as error:
        return str(error)


def test_every_event_is_among_the_examples() -> None:
    assert sorted(REAL) == sorted(events.parsers())


@pytest.mark.parametrize("event", REAL)
def test_and_as_it_is_it_can_be_read(event: str) -> None:
    body = json.dumps(REAL[event]).encode()
    assert isinstance(events.parse(Delivery("d", event, body, "l")).told, Told)


@given(deliveries())
def test_a_payload_is_read_or_refused(sent: tuple[str, object]) -> None:
    said = told_of(*sent)
    assert isinstance(said, Told) or len(said) < 2_000


@given(deliveries(), st.sampled_from(sorted(REAL)))
def test_so_is_one_by_the_name_of_another_event(sent: tuple[str, object], event: str) -> None:
    said = told_of(event, sent[1])
    assert isinstance(said, Told) or len(said) < 2_000


@given(
    st.one_of(st.binary(max_size=200), deliveries().map(lambda sent: json.dumps(sent[1]).encode())),
    st.dictionaries(
        st.sampled_from(["CONTENT_TYPE", "HTTP_X_GITHUB_EVENT", "HTTP_X_GITHUB_DELIVERY"]), words
    ),
    st.sampled_from([SECRET, "a guess"]),
)
def test_the_webhook_answers_any_request(body: bytes, headers: dict[str, str], secret: str) -> None:
    stored = Stored()
    app = Flask(__name__)
    app.register_blueprint(webhook.blueprint(stored, (SECRET,)))
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/webhook",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "HTTP_X_GITHUB_EVENT": "push",
        "HTTP_X_GITHUB_DELIVERY": "d-1",
        "HTTP_X_HUB_SIGNATURE_256": sign(body, secret),
        **headers,
    }
    app.config["PROPAGATE_EXCEPTIONS"] = True
    answer = b"".join(app(environ, lambda status, _headers, _info=None: statuses.append(status)))  # type: ignore[arg-type]  # WSGI's own, without write
    assert statuses[0][:3] in {"200", "202", "400", "401", "415"}
    assert len(answer) < 1_000
    assert secret == SECRET or not stored.deliveries
    assert all(one.body == body and len(one.lane) < 300 for one in stored.deliveries)


@given(
    st.one_of(st.binary(max_size=100), json_value.map(lambda one: json.dumps(one).encode())),
    st.sampled_from([SECRET, "a guess"]),
)
def test_a_nudge_is_taken_or_refused(body: bytes, secret: str) -> None:
    runs = Nudged()
    app = Flask(__name__)
    app.register_blueprint(nudge.blueprint(runs, SECRET))  # type: ignore[arg-type]  # nudge is all it needs
    app.testing = True
    header = {SIGNATURE: sign(body, secret)}
    status = app.test_client().post("/nudge", data=body, headers=header).status_code
    assert status in ({202, 400} if secret == SECRET else {401})
    assert secret == SECRET or not runs.nudges


@given(json_value, json_value)
def test_a_hint_is_read_or_dropped(dag_run_id: object, sent_at: object) -> None:
    body = json.dumps({"dag_run_id": dag_run_id, "sent_at": sent_at}).encode()
    found = hints.read(body, {hints.SIGNATURE: sign(body, SECRET)}, SECRET, NOW)
    assert isinstance(found, hints.Hint | hints.Dropped)


@given(
    st.one_of(
        st.binary(max_size=200),
        json_value.map(lambda one: json.dumps(one).encode()),
        st.tuples(json_value, json_value).map(
            lambda two: json.dumps({"message": {"data": two[0], "attributes": two[1]}}).encode()
        ),
        json_value.map(
            lambda one: json.dumps(
                {"message": {"data": base64.b64encode(json.dumps(one).encode()).decode()}}
            ).encode()
        ),
    )
)
def test_a_push_of_pubsub_s_is_taken_or_dropped(body: bytes) -> None:
    app = Flask(__name__)
    with app.test_request_context("/pubsub", method="POST", data=body):
        status, text, _ = push.receive(Nudged(), "", lambda: NOW)  # type: ignore[arg-type]  # nudge is all it needs
    assert status in {200, 202}
    assert len(text) < 2_000


@given(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(["id", "event", "signature", "encoding", "part", "parts", "whole"]),
        st.one_of(words, st.sampled_from(["gzip", "1", "2", "4", "99999999999", "push"])),
    ),
)
def test_a_message_is_opened_or_put_aside(data: bytes, attributes: dict[str, str]) -> None:
    try:
        said = str(opened(read(Message(data, attributes, "ack")), data, (SECRET,)))
    except Unreadable as error:
        said = str(error)
    assert len(said) < 1_000


@given(st.lists(st.one_of(free_text, st.sampled_from(["/test", "/dryrun a", "/ok-to-test", ">", "```"]))))
def test_a_comment_has_commands_or_errors(parts: list[str]) -> None:
    assert commands.parse("\n".join(parts)) == commands.parse("\n".join(parts))


@given(
    st.one_of(
        st.binary(max_size=300),
        json_value.map(lambda one: json.dumps({"pipelines": one}).encode()),
        st.dictionaries(
            st.sampled_from(["dag", "params", "inputs", "paths", "branches", "labels", "needs", "timeout"]),
            json_value,
        ).map(lambda one: json.dumps({"pipelines": {"unit": {"dag": "checks"} | one}}).encode()),
    )
)
def test_a_configuration_is_read_or_complained_about(content: bytes) -> None:
    said: Configuration | str
    try:
        said = parse(content)
    except ConfigurationError as error:
        said = str(error)
    assert isinstance(said, Configuration) or len(said) < 100_000


@given(st.lists(free_text, max_size=30))
def test_an_excerpt_is_short_and_keeps_secrets(log: list[str]) -> None:
    shown = excerpt(redact("\n".join(log), (OWN_SECRET,)).split("\n"))
    assert len("\n".join(shown)) < 20_000
    assert_keeps_secrets("\n".join(shown))
