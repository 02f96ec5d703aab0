from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench.decision_requests import COLD_GOAL, FILES, WARM_GOAL, Listener, Place, fresh_bot
from tests.bench.github_requests import endpoint
from tests.github_standin import running
from tests.github_standin.records import LoggedRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running(tmp_path_factory.mktemp("github")) as github:
        yield Place(github)
        assert github.violations() == []


@pytest.fixture(params=[0, 1], ids=["token", "app"])
def listener(request: pytest.FixtureRequest, place: Place) -> Listener:
    return place.listeners[request.param]


def test_there_is_an_event_of_each_kind(place: Place) -> None:
    happened = [{delivery.event for delivery in event.deliveries.values()} for event in place.events]
    assert happened == [
        *({"pull_request"}, {"issue_comment"}, {"pull_request"}, {"issue_comment"}, {"merge_group"}, {"push"})
    ]


def test_only_an_app_is_told_of_its_installation(place: Place) -> None:
    told = [
        {title for title, delivery in event.deliveries.items() if "installation" in json.loads(delivery.body)}
        for event in place.events
    ]
    assert told == [{"as an App"}] * len(place.events)


def test_who_knows_all_asks_no_more_than_is_allowed(place: Place, listener: Listener) -> None:
    for event in place.events:
        with fresh_bot(place, listener) as bot:
            cold, warm = bot.decide(event), bot.decide(event)
        assert warm.count <= WARM_GOAL, (event.what, warm)
        assert warm.count < cold.count


def test_who_knows_nothing_asks_each_thing_once(place: Place, listener: Listener) -> None:
    opened = place.events[0]
    with fresh_bot(place, listener) as bot:
        asked = bot.decide(opened)
    assert asked.count <= COLD_GOAL + FILES
    assert asked.by_endpoint["GET /pulls/N/files"] == FILES
    assert {count for what, count in asked.by_endpoint.items() if not what.endswith("/files")} == {1}


def test_a_new_head_is_asked_for_its_files_only(place: Place, listener: Listener) -> None:
    with fresh_bot(place, listener) as bot:
        bot.decide(place.events[0])
        asked = bot.decide(place.push())
    assert asked.by_endpoint == {
        "GET /pulls/N": 1,
        "GET /git/ref/heads/main": 1,
        "GET /pulls/N/files": FILES,
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/repos/acme/app/pulls/12/files", "GET /pulls/N/files"),
        (f"/repos/acme/app/statuses/{SHA}", "GET /statuses/SHA"),
        (f"/repos/acme/app/compare/{SHA}...{SHA}", "GET /compare/SHA...SHA"),
        ("/repos/acme/app/collaborators/renovate[bot]/permission", "GET /collaborators/LOGIN/permission"),
        ("/orgs/acme/members/alice", "GET /orgs/acme/members/LOGIN"),
        ("/app/installations/7/access_tokens", "GET /app/installations/N/access_tokens"),
    ],
)
def test_an_endpoint_is_named_without_what_differs(path: str, expected: str) -> None:
    request = LoggedRequest(1, "GET", path, "", 200, 1, False, "user:alice", None, 0.0, 0.0)  # noqa: FBT003 - as logged
    assert endpoint(request) == expected
