"""The bot follows no address that a delivery or an answer of GitHub's names: it asks the API alone."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.adapters.github.delivery_log import GitHubDeliveryLog
from bot.errors import PreflightError
from bot.models import DeliveryLogRef
from tests.acceptance import payloads
from tests.adapters.github_answering import Answering, Asked, Say, answering
from tests.examples import REPOSITORY, delivery
from tests.intake.working import UNIT, Bot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.adapters.postgres import Database

EVENTS = {
    "pull_request": payloads.pull_request("opened"),
    "issue_comment": payloads.issue_comment("/test"),
    "push": payloads.push(),
    "merge_group": payloads.merge_group("checks_requested"),
    "repository": payloads.repository_event("renamed"),
    "installation": payloads.installation("created"),
    "check_suite": payloads.delivered(
        "alice", action="rerequested", check_suite={"head_sha": payloads.HEAD, "url": "https://x/"}
    ),
}


@pytest.fixture
def canary() -> Iterator[Answering]:
    """A server that nobody should ever ask."""
    with answering(Say(200, {})).running() as server:
        yield server


def pointed_at(url: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """The JSON with every address in it leading there."""
    if isinstance(value, dict):
        return {key: pointed_at(url, one) for key, one in value.items()}
    if isinstance(value, list):
        return [pointed_at(url, one) for one in value]
    return (
        f"{url}/followed" if isinstance(value, str) and value.startswith(("http", "git:", "ssh")) else value
    )


def github(url: str) -> Answering:
    """A GitHub whose every answer names the canary: in its body, and as the next page."""

    def answer(asked: Asked) -> Say:
        path = asked.path.partition("?")[0]
        known: dict[str, Any] = {
            "pulls/12": payloads.pull(),
            "heads/main": {"ref": "refs/heads/main", "object": {"sha": payloads.TIP, "url": "https://x/"}},
            "preflight.yaml": {
                "type": "file",
                "size": len(UNIT),
                "encoding": "base64",
                "content": base64.b64encode(UNIT).decode(),
                "download_url": "https://x/",
                "url": "https://x/",
            },
            "permission": {"permission": "write", "role_name": "write", "user": payloads.user("alice")},
            "files": [{"filename": "src/app.py", "status": "modified", "contents_url": "https://x/"}],
            "deliveries": [],
        }
        said = next((body for end, body in known.items() if path.endswith(end)), payloads.repository())
        return Say(
            200,
            pointed_at(url, said),
            {"Link": f'<{url}/next>; rel="next"', "Location": f"{url}/moved"},
        )

    return Answering(answer)


@pytest.mark.postgres
@pytest.mark.parametrize("event", EVENTS)
def test_of_a_delivery(database: Database, canary: Answering, event: str) -> None:
    bot = Bot(database)
    with github(canary.url).running() as server:
        client = GitHubClient(server.url, PersonalToken("ghp_x"))
        bot.handler.sources = replace(bot.handler.sources, github=client, people=client)
        bot.hear(delivery(event, pointed_at(canary.url, EVENTS[event])))
        for _ in range(8):
            bot.work()
            bot.hurry()
        assert server.asked or event in ("installation", "push", "merge_group", "check_suite")
    assert canary.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_of_a_redirect(canary: Answering, status: int) -> None:
    """Not to another host, though it is GitHub that says so: our credentials would go along."""
    say = Say(status, {"url": canary.url}, {"Location": f"{canary.url}/repositories/7"})
    with answering(say).running() as server:
        client = GitHubClient(server.url, PersonalToken("ghp_x"))
        there = replace(REPOSITORY, clone_url=canary.url)
        with pytest.raises(PreflightError):
            client.pull_request(there, 12)
        with pytest.raises(PreflightError):
            client.create_comment(there, 12, "hello")
    assert canary.asked == []


def test_of_the_delivery_log(canary: Answering) -> None:
    """The next page is GitHub's to name; its address stays unasked, and so does that of the webhook."""
    said: dict[str, object] = {
        "id": 1,
        "guid": "g",
        "delivered_at": "2026-01-01T12:00:00Z",
        "redelivery": False,
        "status_code": 502,
        "event": "push",
        "active": True,
        "created_at": "2026-01-01T00:00:00Z",
        "url": canary.url,
        "deliveries_url": canary.url,
        "config": {"url": f"{canary.url}/webhook"},
    }
    next_page = {"Link": f'<{canary.url}/next?cursor=x>; rel="next"'}
    with answering(
        Say(200, [said], next_page), Say(200, [said], next_page), Say(200, [])
    ).running() as server:
        client = GitHubClient(server.url, PersonalToken("ghp_x"))
        log = GitHubDeliveryLog(client, f"{canary.url}/webhook")
        with suppress(PreflightError):
            log.read(DeliveryLogRef(REPOSITORY), datetime(2025, 12, 31, tzinfo=UTC))
        assert server.asked
    assert canary.asked == []
