"""Answers to comments that gave commands: a reaction at once, one reply where there is a word to say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubUnavailable
from bot.models import Outcome, Reply, StepResult, StepState
from tests.examples import REPOSITORY, change, run
from tests.report.reporting import Bot, step

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Run

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


class TestAClick:
    """A button under a check run, or "Re-run": a comment with an id below zero, which takes no reactions."""

    def click(self, bot: Bot, reply: str) -> None:
        bot.decide(replace(change(), reply=Reply(-77, reply)))

    def test_is_answered_without_a_reaction(self, bot: Bot) -> None:
        self.click(bot, "@alice, you may not cancel `unit`.")
        for _ in range(3):
            bot.report(later=1000)
        (body,) = replies(bot)
        assert body.startswith("@alice, you may not cancel")
        assert bot.github.count("react") == 0
        assert bot.store.next_due() is None

    def test_that_needs_no_word_gets_none(self, bot: Bot) -> None:
        self.click(bot, "")
        bot.report()
        assert replies(bot) == []
        assert bot.store.next_due() is None

    def test_on_dry_run_is_told_what_would_run(self, bot: Bot) -> None:
        one = replace(run("unit"), dryrun=True, comment_id=-77)
        bot.decide(replace(change(), reply=Reply(-77, "@alice asked:"), dry_runs=(one,)))
        bot.report()
        printed = replace(step("test", StepState.SUCCEEDED), result=StepResult(argv="pytest -q"))
        bot.move(one, printed, outcome=Outcome.SUCCESS)
        bot.report(later=5)
        (body,) = replies(bot)
        assert body.startswith("@alice asked:")
        assert "pytest -q" in body

    def test_whose_answer_got_lost_is_answered_once(self, bot: Bot) -> None:
        bot.github.lose_answers("create_comment")
        self.click(bot, "hello")
        for _ in range(4):
            bot.report(later=1000)
        assert len(replies(bot)) == 1


def test_one_that_was_deleted_wants_no_answer(bot: Bot) -> None:
    commented = ask(bot, "hello")
    bot.github.remove_comment(commented)
    bot.report()
    bot.report(later=1000)
    assert replies(bot) == []
    assert bot.store.next_due() is None


class TestADryRun:
    """The reply waits a moment for what the dry runs print, and goes on in the same place."""

    def ask(self, bot: Bot, *pipelines: str, reply: str = "") -> list[Run]:
        commented = bot.github.put_comment(REPOSITORY, 12, "alice", "/dryrun")
        runs = [replace(run(one), dryrun=True, comment_id=commented) for one in pipelines]
        bot.decide(replace(change(), reply=Reply(commented, reply), dry_runs=tuple(runs)))
        return runs

    def end(self, bot: Bot, one: Run) -> None:
        printed = replace(step("test", StepState.SUCCEEDED), result=StepResult(argv=f"run {one.pipeline}"))
        bot.move(one, printed, outcome=Outcome.SUCCESS)

    def edits(self, bot: Bot) -> int:
        return bot.github.count("edit_comment")

    def test_gets_a_reaction_at_once(self, bot: Bot) -> None:
        self.ask(bot, "unit")
        bot.report()
        assert bot.github.count("react") == 1
        assert replies(bot) == []

    def test_is_told_whole_when_it_ends_soon(self, bot: Bot) -> None:
        (one,) = self.ask(bot, "unit", reply="Line 2: no such thing.")
        bot.report()
        self.end(bot, one)
        bot.report(later=5)
        (body,) = replies(bot)
        assert body.startswith("Line 2: no such thing.")
        assert "run unit" in body
        assert self.edits(bot) == 0
        assert bot.store.next_due() is None

    def test_is_told_of_after_twenty_seconds_and_then_goes_on(self, bot: Bot) -> None:
        unit, e2e = self.ask(bot, "unit", "e2e")
        self.end(bot, unit)
        bot.report()
        due = bot.store.next_due()
        assert due is not None
        assert 0 < due <= 20
        bot.report(later=19)
        assert replies(bot) == []
        bot.report(later=2)
        (body,) = replies(bot)
        assert "run unit" in body
        assert "run e2e" not in body
        bot.report(later=1000)
        assert self.edits(bot) == 0, "nothing has changed"
        self.end(bot, e2e)
        bot.report(later=1000)
        (body,) = replies(bot)
        assert "run e2e" in body
        assert self.edits(bot) == 1
        assert bot.store.next_due() is None

    def test_says_what_it_waits_for(self, bot: Bot) -> None:
        self.ask(bot, "unit")
        bot.report(later=21)
        (body,) = replies(bot)
        assert "Dry run of `unit`" in body
        assert "in progress" in body

    def test_is_no_part_of_the_comment(self, bot: Bot) -> None:
        (one,) = self.ask(bot, "unit")
        self.end(bot, one)
        bot.report()
        assert len(replies(bot)) == 1
        assert bot.github.count("set_status") == 0

    def test_whose_comments_are_two_is_told_in_two_replies(self, bot: Bot) -> None:
        (first,), (second,) = self.ask(bot, "unit"), self.ask(bot, "e2e")
        self.end(bot, first)
        bot.report()
        assert ["run unit" in body for body in replies(bot)] == [True]
        self.end(bot, second)
        bot.report()
        assert ["run e2e" in body for body in replies(bot)] == [False, True]

    def test_whose_reply_somebody_deleted_is_told_no_more(self, bot: Bot) -> None:
        (one,) = self.ask(bot, "unit")
        bot.report(later=21)
        (posted,) = bot.github.comments_on(REPOSITORY, 12, bot.github.login)
        bot.github.remove_comment(posted.id)
        self.end(bot, one)
        bot.report(later=1000)
        bot.report(later=1000)
        assert replies(bot) == []
        assert bot.store.next_due() is None

    @pytest.mark.parametrize("method", ["react", "create_comment", "find_comment", "edit_comment"])
    @pytest.mark.parametrize("lost", [False, True], ids=["down", "answers lost"])
    def test_has_one_reply_whatever_happens(self, bot: Bot, method: str, lost: bool) -> None:  # noqa: FBT001 - a table's column
        bot.github.lose_answers("create_comment")
        if lost:
            bot.github.lose_answers(method, times=2)
        else:
            bot.github.unavailable(method, times=2)
        (one,) = self.ask(bot, "unit")
        for _ in range(6):
            bot.report(later=1000)
        self.end(bot, one)
        for _ in range(6):
            bot.report(later=1000)
        (body,) = replies(bot)
        assert "run unit" in body
        assert bot.store.next_due() is None

    def test_found_after_a_crash_shows_the_end(self, bot: Bot) -> None:
        """It was posted, and nobody remembered; meanwhile the dry run ended."""
        (one,) = self.ask(bot, "unit")
        bot.github.lose_answers("create_comment")
        bot.report(later=21)
        assert len(replies(bot)) == 1
        self.end(bot, one)
        bot.report(later=1000)
        (body,) = replies(bot)
        assert "run unit" in body


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
