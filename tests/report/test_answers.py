"""Answers to comments that gave commands: a reaction at once, one reply where there is a word to say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubUnavailable
from bot.models import Reply
from tests.examples import REPOSITORY, change
from tests.report.reporting import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def ask(bot: Bot, reply: str) -> int:
    """Alice comments, and the decision is to answer that."""
    commented = bot.github.put_comment(REPOSITORY, 12, "alice", "/test")
    bot.decide(replace(change(), reply=Reply(commented, reply)))
    return commented


def replies(bot: Bot) -> list[str]:
    return [one.body for one in bot.github.comments_on(REPOSITORY, 12, bot.github.login)]


def test_a_command_gets_a_reaction(bot: Bot) -> None:
    commented = ask(bot, "")
    bot.report()
    assert bot.github.comments[commented].reactions == {(bot.github.login, "eyes")}
    assert replies(bot) == []


def test_and_a_reply_where_there_is_something_to_say(bot: Bot) -> None:
    commented = ask(bot, "There is no pipeline `nuit`. Did you mean `unit`?")
    bot.report()
    assert bot.github.comments[commented].reactions
    (body,) = replies(bot)
    assert body.startswith("There is no pipeline `nuit`.")


def test_once(bot: Bot) -> None:
    ask(bot, "hello")
    for _ in range(3):
        bot.report(later=1000)
        bot.decide(change())
    assert len(replies(bot)) == 1
    assert bot.github.count("react") == 1


def test_each_comment_for_itself(bot: Bot) -> None:
    first, second = ask(bot, "first"), ask(bot, "second")
    bot.report()
    assert [body.split("\n")[0] for body in replies(bot)] == ["first", "second"]
    assert all(bot.github.comments[one].reactions for one in (first, second))


def test_one_that_was_deleted_wants_no_answer(bot: Bot) -> None:
    commented = ask(bot, "hello")
    bot.github.delete_comment(commented)
    bot.report()
    bot.report(later=1000)
    assert replies(bot) == []
    assert bot.store.next_due() is None


@pytest.mark.parametrize("method", ["react", "create_comment", "find_comment"])
def test_an_outage_delays_it_but_doubles_nothing(bot: Bot, method: str) -> None:
    bot.github.lose_answers("create_comment")
    bot.github.unavailable(method, times=2)
    ask(bot, "hello")
    for _ in range(8):
        bot.report(later=1000)
    assert len(replies(bot)) == 1


def test_a_reply_to_another_comment_is_not_taken_for_this_one(bot: Bot) -> None:
    """Comment 1000001 and comment 10000011 are two."""
    first = ask(bot, "first")
    bot.report()
    bot.github.fault(GitHubUnavailable("down"), "create_comment")
    bot.decide(replace(change(), reply=Reply(int(f"{first}1"), "second")))
    bot.github.comments[int(f"{first}1")] = replace(
        bot.github.comments[first], id=int(f"{first}1"), reactions=set()
    )
    for _ in range(4):
        bot.report(later=1000)
    assert [body.split("\n")[0] for body in replies(bot)] == ["first", "second"]
