"""What happens around pull requests: installations, names, and what we tell ourselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import events
from bot.events.pull_request import PullAction, PullRequestEvent
from bot.events.recheck import recheck
from bot.events.types import Ignored
from bot.models import Repository
from bot.policy.decision import DecisionKind, Forget, Rename
from bot.policy.facts import Facts
from tests.examples import REPOSITORY, delivery, repository_payload, user_payload
from tests.policy.deciding import Known, started

LISTED = [{"id": 42, "full_name": "acme/widgets", "private": False}]


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("installation", {"action": "created", "repositories": LISTED}),
        ("installation", {"action": "deleted", "repositories": LISTED}),
        ("installation_repositories", {"action": "added", "repositories_added": LISTED}),
        ("installation_repositories", {"action": "removed", "repositories_removed": LISTED}),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value["action"]),
)
def test_an_installation_starts_nothing_and_is_learned(event: str, fields: dict[str, object]) -> None:
    payload = {"installation": {"id": 7, "account": user_payload("acme")}, **fields}
    decision = events.parse(delivery(event, payload)).decide(Facts())
    assert decision.kind is DecisionKind.IGNORE
    assert decision.actions == (Forget(Repository(42, "acme/widgets")),)


@pytest.mark.parametrize("action", ["renamed", "transferred", "privatized", "publicized"])
def test_a_new_name_and_who_may_see_it_are_learned(action: str) -> None:
    payload = {"action": action, "repository": repository_payload()}
    decision = Known().decide(events.parse(delivery("repository", payload)))
    assert decision.actions == (Rename(REPOSITORY), Forget(REPOSITORY))


@pytest.mark.parametrize("action", ["renamed", "transferred", "publicized"])
def test_but_github_itself_says_what_is_so_now(action: str) -> None:
    """The delivery may be an old one, sent again under another id by somebody who saw it."""
    event = events.parse(delivery("repository", {"action": action, "repository": repository_payload()}))
    now = Repository(42, "acme/gadgets", private=True)
    assert Known(repository=now).decide(event).actions == (Rename(now), Forget(REPOSITORY))
    assert Known(repository=None).decide(event).actions == (Forget(REPOSITORY),)


def test_what_becomes_private_is_closed_at_once() -> None:
    private = replace(REPOSITORY, private=True)
    payload = {"action": "privatized", "repository": repository_payload(private)}
    decision = events.parse(delivery("repository", payload)).decide(Facts())
    assert decision.actions == (Rename(private), Forget(private))


def test_other_news_of_a_repository_mean_nothing() -> None:
    payload = {"action": "archived", "repository": repository_payload()}
    assert isinstance(events.parse(delivery("repository", payload)), Ignored)


def test_what_we_ask_ourselves_is_decided_like_a_push() -> None:
    sent = recheck(REPOSITORY, 12, sender="rita", because="d-1")
    event = events.parse(sent)
    assert event == PullRequestEvent(REPOSITORY, 12, PullAction.RECHECK, "", "rita", None)
    assert started(Known().decide(event)) == ["unit"]
    assert sent.lane == "42#12"


def test_and_has_a_name_that_nobody_else_may_use() -> None:
    assert events.is_ours("recheck")
    assert events.is_ours("proposal")
    assert not events.is_ours("pull_request")
    assert not events.is_ours("nonsense")
