"""Old deliveries sent again under new ids: the id is not signed, so whoever saw one delivery can do that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot import events
from bot.adapters.postgres import PostgresReader
from bot.models import Delivery, Permission
from bot.pages.gate import PublicGate
from tests.acceptance import payloads
from tests.examples import (
    HEAD,
    REPOSITORY,
    at,
    comment_payload,
    delivery,
    moved,
    pull,
    pull_payload,
    repository_payload,
    sha,
    user_payload,
)
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres

HIDDEN = replace(REPOSITORY, private=True)


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def replay(bot: Bot, *seen: Delivery) -> None:
    """Somebody sends what they saw once more, under ids of their own."""
    bot.hear(*(replace(one, id=f"replayed-{one.id}") for one in seen))
    bot.work_for_long()


def runs(bot: Bot) -> list[tuple[str, str, bool]]:
    """All runs of the pull request: pipeline, head, and whether it was asked to stop."""
    return [(run.pipeline, run.head_sha, run.cancel is not None) for run in bot.runs()]


@pytest.mark.parametrize(
    "action",
    ["opened", "reopened", "synchronize", "ready_for_review", "converted_to_draft", "edited", "labeled"],
)
def test_an_old_event_of_a_pull_request_changes_nothing(bot: Bot, action: str) -> None:
    """What is decided on is the pull request as it is now."""
    bot.hear_of_pull("opened")
    bot.work()
    payload = pull_payload(action) | {"changes": {"base": {"ref": {"from": "old"}}}}
    seen = delivery("pull_request", payload)
    bot.hear(seen)
    bot.work()
    bot.hear_of_pull("synchronize", of=moved(pull(), sha(2)))
    bot.work()
    before = runs(bot)
    assert (len(before), before[-1]) == (2, ("unit", sha(2), False))
    replay(bot, seen)
    assert runs(bot) == before


def test_an_old_closing_stops_nothing_of_what_was_opened_again(bot: Bot) -> None:
    seen = bot.hear_of_pull("closed", of=pull(is_open=False, updated_at=at(10)))
    bot.work()
    bot.hear_of_pull("reopened", of=pull(updated_at=at(20)))
    bot.work()
    before = runs(bot)
    replay(bot, seen)
    assert runs(bot) == before == [("unit", HEAD, False)]


def test_an_old_opening_opens_nothing_that_is_closed(bot: Bot) -> None:
    seen = bot.hear_of_pull("opened")
    bot.work()
    bot.hear_of_pull("closed", of=pull(is_open=False, updated_at=at(10)))
    bot.work()
    replay(bot, seen)
    assert runs(bot) == [("unit", HEAD, True)]


@pytest.mark.parametrize(
    "command", ["/test unit", "/retest", "/cancel", "/test unit\n/cancel", "/dryrun unit"]
)
def test_a_comment_is_obeyed_once(bot: Bot, command: str) -> None:
    bot.hear_of_pull("opened")
    bot.work()
    seen = bot.hear_comment(command)
    bot.work()
    bot.hear_comment("/test unit", comment_id=5002)
    bot.work()
    before = [(run.id, run.cancel) for run in bot.runs()]
    replay(bot, seen)
    assert [(run.id, run.cancel) for run in bot.runs()] == before


def test_an_old_approval_approves_no_newer_head(bot: Bot) -> None:
    theirs = pull(author="mallory", head_repository="mallory/widgets")
    bot.hear_of_pull("opened", of=theirs, sender="mallory")
    seen = bot.hear_comment(f"/ok-to-test {HEAD}", author="rita")
    bot.work()
    assert runs(bot) == [("unit", HEAD, False)]
    bot.hear_of_pull("synchronize", of=moved(theirs, sha(2)), sender="mallory")
    bot.work()
    replay(bot, seen)
    assert [run.head_sha for run in bot.runs() if run.cancel is None] == []


def test_an_old_push_makes_nobody_the_pusher_of_a_newer_head(bot: Bot) -> None:
    """Alice pushed once to her fork; what somebody else pushed there since is not hers by that."""
    mine = pull(head_repository="alice/widgets")
    seen = bot.hear_of_pull("opened", of=mine)
    bot.work()
    bot.hear_of_pull("synchronize", of=moved(mine, sha(2)), sender="mallory")
    bot.work()
    replay(bot, seen)
    assert {run.head_sha for run in bot.runs()} == {HEAD}


def test_somebody_who_lost_their_role_gains_nothing_by_their_old_comment(bot: Bot) -> None:
    """A comment of theirs that we never obeyed: what they may do is asked now."""
    bot.github.put_pull(theirs := pull(author="mallory", head_repository="mallory/widgets"))
    bot.hear_of_pull("opened", of=theirs, sender="mallory")
    bot.work()
    bot.github.put_role(REPOSITORY, "rita", Permission.READ)
    replay(bot, delivery("issue_comment", comment_payload(f"/ok-to-test {HEAD}", author="rita")))
    assert runs(bot) == []


class TestWhatARepositoryIs:
    """Names and privacy are GitHub's word of now, whatever a delivery says."""

    @pytest.mark.parametrize("action", ["publicized", "renamed", "transferred"])
    def test_an_old_word_opens_nothing_that_is_private_now(
        self, bot: Bot, database: Database, action: str
    ) -> None:
        self._private(bot)
        (run,) = bot.runs()
        seen = {"action": action, "repository": repository_payload(), "sender": user_payload("alice")}
        replay(bot, delivery("repository", seen))
        shown = PostgresReader(database).run(run.id)
        assert shown is not None
        assert shown.repository.private
        assert not PublicGate().may_read(shown.repository)

    @pytest.mark.parametrize("action", ["publicized", "renamed", "transferred", "privatized"])
    def test_nor_gives_it_an_old_name(self, bot: Bot, action: str) -> None:
        self._private(bot)
        bot.github.repositories[42] = replace(HIDDEN, full_name="acme/gadgets")
        bot.hear(delivery("repository", {"action": "renamed", "repository": repository_payload(HIDDEN)}))
        bot.work_for_long()
        assert [run.repository.full_name for run in bot.runs()] == ["acme/gadgets"]
        replay(bot, delivery("repository", {"action": action, "repository": repository_payload()}))
        assert [run.repository.full_name for run in bot.runs()] == ["acme/gadgets"]

    @pytest.mark.parametrize("event", ["pull_request", "issue_comment", "push", "merge_group"])
    def test_nor_does_an_old_event_about_something_in_it(self, bot: Bot, event: str) -> None:
        self._private(bot)
        seen = {
            "pull_request": pull_payload("opened"),
            "issue_comment": comment_payload("/test"),
            "push": payloads.push() | {"repository": repository_payload()},
            "merge_group": payloads.merge_group("checks_requested") | {"repository": repository_payload()},
        }[event]
        replay(bot, delivery(event, seen))
        assert all(run.repository.private for run in bot.runs())

    def test_an_old_installation_gives_no_access_and_takes_none(self, bot: Bot) -> None:
        """We only forget which installation it was, and ask GitHub anew."""
        listed = [{"id": 42, "full_name": "acme/widgets", "private": False}]
        payload = {"action": "deleted", "installation": {"id": 7, "account": user_payload("acme")}}
        replay(bot, delivery("installation", payload | {"repositories": listed}))
        bot.hear_of_pull("opened")
        bot.work()
        assert runs(bot) == [("unit", HEAD, False)]

    @staticmethod
    def _private(bot: Bot) -> None:
        """The repository was public once, and is private now."""
        bot.github.repositories[42] = HIDDEN
        bot.hear_of_pull("opened", of=pull(repository=HIDDEN))
        bot.work_for_long()


@pytest.mark.parametrize("event", [one for one in events.parsers() if not events.is_ours(one)])
def test_a_body_means_nothing_under_the_name_of_another_event(bot: Bot, event: str) -> None:
    """Nor is the event's name signed."""
    signed = {
        "issue_comment": comment_payload("/test unit", comment_id=1),
        "pull_request": pull_payload("opened"),
        "push": payloads.push() | {"repository": repository_payload()},
    }
    for of, payload in signed.items():
        if of != event:
            bot.hear(Delivery(f"{of}-as-{event}", event, json.dumps(payload).encode(), "42#12"))
    bot.work_for_long()
    assert runs(bot) == []


def test_the_same_event_of_an_app_and_of_a_hook_is_one(bot: Bot, database: Database) -> None:
    """Both bring it, each under an id of its own and with its own signature."""
    bot.hear_of_pull("opened")
    bot.work()
    for number in (1, 2):
        payload = comment_payload("/test unit")
        if number == 1:
            payload["installation"] = {"id": 7}
        bot.hear(delivery("issue_comment", payload, delivery_id=f"of-{number}"))
    bot.work_for_long()
    assert len(bot.runs()) == 2
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM replies")).scalar_one() == 1
