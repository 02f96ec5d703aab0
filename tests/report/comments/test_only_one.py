"""A worker that stood still just before it posts, and wakes after another took over: one comment is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import Outcome, Reply, StepState
from tests.examples import REPOSITORY, change, run, wanted
from tests.fixtures.postgres import let_leases_end
from tests.report.reporting import MARKER, Bot, step

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Repository

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def stand_still_before_the_next_post(bot: Bot, *, others: bool) -> None:
    """Meanwhile the lease ends, and `others` do what was to be done."""
    post = bot.github.create_comment

    def late(repository: Repository, number: int, body: str) -> int:
        bot.github.create_comment = post  # type: ignore[method-assign] # only once
        let_leases_end(bot.database, "pull_requests")
        if others:
            bot.report()
        return post(repository, number, body)

    bot.github.create_comment = late  # type: ignore[method-assign] # as a frozen process would


def bodies(bot: Bot) -> list[str]:
    return [one.body for one in bot.github.comments_on(REPOSITORY, 12, bot.github.login)]


@pytest.mark.parametrize("others", [True, False], ids=["others-posted-it", "nobody-did"])
def test_of_the_comment_there_is_one(bot: Bot, *, others: bool) -> None:
    stand_still_before_the_next_post(bot, others=others)
    bot.decide(wanted(run()))
    bot.report()
    bot.report(later=100)
    assert [MARKER in body for body in bodies(bot)] == [True]


@pytest.mark.parametrize("others", [True, False], ids=["others-posted-it", "nobody-did"])
def test_also_where_it_is_posted_anew(bot: Bot, *, others: bool) -> None:
    one = run()
    bot.decide(wanted(one))
    bot.report()
    stand_still_before_the_next_post(bot, others=others)
    bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed: exit 1")
    bot.report()
    bot.report(later=100)
    (body,) = bodies(bot)
    assert "exit 1" in body


@pytest.mark.parametrize("others", [True, False], ids=["others-posted-it", "nobody-did"])
def test_and_of_an_answer(bot: Bot, *, others: bool) -> None:
    asked = bot.github.put_comment(REPOSITORY, 12, "alice", "/help")
    stand_still_before_the_next_post(bot, others=others)
    bot.decide(replace(change(), reply=Reply(asked, "here is help")))
    bot.report()
    bot.report(later=100)
    assert ["here is help" in body for body in bodies(bot)] == [True]
