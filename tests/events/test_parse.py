"""Payload -> event: what GitHub really sends, and anything else that JSON can say."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events
from bot.errors import MalformedPayload
from bot.events.issue_comment import CommentEvent
from bot.events.pull_request import OUR_WORDS, PullAction, PullRequestEvent
from bot.events.types import Ignored
from bot.models import Delivery, Repository
from tests.examples import HEAD, NOON, REPOSITORY, comment_payload, delivery, pull, pull_payload

if TYPE_CHECKING:
    from bot.events.types import Event


def parse(event: str, payload: object) -> Event:
    return events.parse(Delivery("d", event, json.dumps(payload).encode(), "lane"))


def changed(payload: dict[str, object], path: str, value: object) -> dict[str, object]:
    """The payload with another value there."""
    result: Any = copy.deepcopy(payload)
    inner = result
    *keys, last = path.split(".")
    for key in keys:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return dict(result)


class TestPullRequest:
    @pytest.mark.parametrize("action", [action for action in PullAction if action not in OUR_WORDS], ids=str)
    def test_what_starts_or_stops_runs(self, action: PullAction) -> None:
        payload = pull_payload(action.value, sender="rita") | {"changes": {"base": {"ref": {"from": "old"}}}}
        assert parse("pull_request", payload) == PullRequestEvent(REPOSITORY, 12, action, HEAD, "rita", NOON)

    def test_an_edit_matters_only_where_it_gives_a_new_base(self) -> None:
        payload = pull_payload("edited") | {"changes": {"title": {"from": "Old"}}}
        assert isinstance(parse("pull_request", payload), Ignored)

    def test_only_opened_and_synchronize_say_who_pushed(self) -> None:
        assert {action for action in PullAction if action.is_push} == {
            PullAction.OPENED,
            PullAction.SYNCHRONIZE,
        }

    @pytest.mark.parametrize("action", ["edited", "assigned", "review_requested", "recheck", "proposal", "x"])
    def test_other_actions_are_ignored(self, action: str) -> None:
        assert isinstance(parse("pull_request", pull_payload(action)), Ignored)

    def test_of_a_private_repository(self) -> None:
        private = Repository(
            7, "acme/secret", private=True, clone_url="https://github.example/acme/secret.git"
        )
        event = parse("pull_request", pull_payload("opened", of=pull(repository=private)))
        assert isinstance(event, PullRequestEvent)
        assert event.repository == private

    def test_of_a_fork_that_is_gone(self) -> None:
        payload = pull_payload("closed", of=pull(head_repository=None, is_open=False))
        assert isinstance(parse("pull_request", payload), PullRequestEvent)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-03-04T12:00:00Z", NOON),
            ("2026-03-04T13:00:00+01:00", NOON),
            ("2026-03-04T12:00:00.5Z", datetime(2026, 3, 4, 12, 0, 0, 500_000, tzinfo=UTC)),
        ],
    )
    def test_times_are_utc(self, text: str, expected: datetime) -> None:
        event = parse("pull_request", changed(pull_payload("opened"), "pull_request.updated_at", text))
        assert isinstance(event, PullRequestEvent)
        assert event.updated_at == expected

    @pytest.mark.parametrize(
        "path",
        [
            "action",
            "repository",
            "repository.id",
            "repository.full_name",
            "repository.private",
            "sender",
            "sender.login",
            "pull_request",
            "pull_request.number",
            "pull_request.head",
            "pull_request.head.sha",
            "pull_request.updated_at",
        ],
    )
    @pytest.mark.parametrize("value", [..., None, [], {}, 1.5, True], ids=repr)
    def test_what_is_needed_is_named_where_it_is_missing(self, path: str, value: object) -> None:
        if path == "repository.private" and value is True:
            return
        with pytest.raises(MalformedPayload, match=path.split(".", maxsplit=1)[0]):
            parse("pull_request", changed(pull_payload("opened"), path, value))

    @pytest.mark.parametrize("text", ["", "yesterday", "99999-01-01T00:00:00Z", "2026-03-04T12:00:00+99:00"])
    def test_no_time(self, text: str) -> None:
        payload = changed(pull_payload("opened"), "pull_request.updated_at", text)
        with pytest.raises(MalformedPayload, match="updated_at"):
            parse("pull_request", payload)


class TestIssueComment:
    def test_on_an_open_pull_request(self) -> None:
        assert parse("issue_comment", comment_payload("/test", author="rita")) == CommentEvent(
            REPOSITORY, 12, 5001, "rita", "/test"
        )

    def test_without_text(self) -> None:
        event = parse("issue_comment", comment_payload(None))
        assert isinstance(event, CommentEvent)
        assert event.body == ""

    @pytest.mark.parametrize("action", ["edited", "deleted", "pinned"])
    def test_only_when_it_is_created(self, action: str) -> None:
        assert isinstance(parse("issue_comment", comment_payload("/test", action=action)), Ignored)

    @pytest.mark.parametrize(
        ("path", "value"),
        [("issue.pull_request", ...), ("issue.state", "closed")],
        ids=["on-an-issue", "on-a-closed-one"],
    )
    def test_otherwise_it_is_ignored(self, path: str, value: object) -> None:
        assert isinstance(parse("issue_comment", changed(comment_payload("/test"), path, value)), Ignored)

    @pytest.mark.parametrize(
        "path", ["comment.id", "comment.user.login", "issue.number", "repository.id", "issue"]
    )
    def test_what_is_needed_is_named_where_it_is_missing(self, path: str) -> None:
        with pytest.raises(MalformedPayload):
            parse("issue_comment", changed(comment_payload("/test"), path, ...))


@pytest.mark.parametrize(
    "event", ["star", "workflow_run", "types", "payload", "lane", "__init__", "../x", ""]
)
def test_every_other_event_is_ignored(event: str) -> None:
    assert isinstance(parse(event, {}), Ignored)


def test_a_ping_asks_for_nothing() -> None:
    assert isinstance(parse("ping", {"zen": "Keep it logically awesome."}), Ignored)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"{", b"[" * 10_000, b"1" * 10_000, b'"a"'])
def test_a_body_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        events.parse(Delivery("d", "pull_request", body, "lane"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from([*events.parsers(), "star"])
PATHS = st.sampled_from(
    [
        "action",
        "repository",
        "repository.id",
        "repository.full_name",
        "repository.clone_url",
        "sender",
        "sender.login",
        "pull_request.number",
        "pull_request.head",
        "pull_request.updated_at",
    ]
)
COMMENT_PATHS = st.sampled_from(
    [
        "action",
        "issue",
        "issue.number",
        "issue.state",
        "issue.pull_request",
        "comment",
        "comment.id",
        "comment.body",
        "comment.user",
        "comment.user.type",
        "repository.private",
    ]
)


def assert_event_or_malformed(event: str, payload: object) -> None:
    body = json.dumps(payload).encode()
    with suppress(MalformedPayload):
        found = events.parse(Delivery("d", event, body, "lane"))
        assert isinstance(found.action, str)


@given(NAMES, JSON)
def test_any_json(event: str, payload: object) -> None:
    assert_event_or_malformed(event, payload)


@given(st.sampled_from([*PullAction]), PATHS, JSON)
def test_any_value_in_a_pull_request(action: PullAction, path: str, value: object) -> None:
    assert_event_or_malformed("pull_request", changed(pull_payload(action.value), path, value))


@given(COMMENT_PATHS, JSON)
def test_any_value_in_a_comment(path: str, value: object) -> None:
    assert_event_or_malformed("issue_comment", changed(comment_payload("/test"), path, value))


@given(NAMES, st.binary(max_size=100))
def test_any_bytes(event: str, body: bytes) -> None:
    with suppress(MalformedPayload):
        events.parse(Delivery("d", event, body, "lane"))


def test_the_example_deliveries_of_these_tests_are_read() -> None:
    assert isinstance(events.parse(delivery("pull_request", pull_payload("opened"))), PullRequestEvent)
