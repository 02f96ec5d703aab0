"""The one comment of a pull request: found by its id, else by marker and author, and edited in place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.models import CommentPolicy, Outcome, ReportPolicy, StatusState, StepState
from tests.examples import REPOSITORY, change, pull, run, wanted
from tests.report.reporting import MARKER, Bot, step

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def comments(bot: Bot) -> int:
    return len(bot.github.comments_on(REPOSITORY, 12, bot.github.login))


class TestOne:
    def test_is_posted_and_then_edited_in_place(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        posted = bot.comment()
        assert MARKER in posted.body
        bot.move(one, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report()
        assert bot.comment().id == posted.id
        assert "passed" in bot.comment().body
        assert bot.github.count("create_comment") == 1

    def test_is_posted_anew_for_what_newly_fails(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        posted = bot.comment()
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed: exit 1")
        bot.report()
        assert bot.comment().id != posted.id
        assert "exit 1" in bot.comment().body
        bot.decide(replace(change(), notice="`preflight.yaml:3`: no dag"))
        bot.report(later=100)
        assert bot.github.count("create_comment") == 2, "what is remembered is what was told"

    def test_unchanged_makes_no_call(self, bot: Bot) -> None:
        bot.show(StatusState.PENDING, "waiting: a maintainer must approve")
        bot.report()
        before = bot.github.count("create_comment") + bot.github.count("edit_comment")
        bot.decide(change())
        bot.report(later=100)
        assert bot.github.count("create_comment") + bot.github.count("edit_comment") == before

    def test_is_not_searched_for_where_none_can_be(self, bot: Bot) -> None:
        bot.decide(wanted(run()))
        bot.report()
        assert bot.github.count("find_comment") == 0

    def test_progress_does_not_edit_it_all_the_time(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        for _ in range(5):
            bot.move(one, step("clone", StepState.RUNNING))
            bot.report(later=1)
        assert bot.github.count("edit_comment") <= 1

    def test_the_end_is_not_held_back(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report()
        assert "passed" in bot.comment().body

    def test_there_is_none_where_there_is_nothing_to_tell(self, bot: Bot) -> None:
        bot.show(StatusState.SUCCESS, "skipped: no matching files")
        bot.report()
        assert comments(bot) == 0

    def test_a_broken_configuration_is_told_once_and_taken_back(self, bot: Bot) -> None:
        bot.decide(replace(change(), notice="`preflight.yaml:3`: no dag"))
        bot.report()
        bot.decide(replace(change(), notice="`preflight.yaml:3`: no dag"))
        bot.report()
        assert "no dag" in bot.comment().body
        assert bot.github.count("create_comment") == 1
        bot.decide(replace(change(), notice=""))
        bot.report()
        assert comments(bot) == 0

    def test_a_notice_that_goes_leaves_the_rest(self, bot: Bot) -> None:
        bot.decide(replace(wanted(run()), notice="`preflight.yaml:3`: no dag"))
        bot.report()
        bot.decide(replace(change(), notice=""))
        bot.report(later=100)
        assert "no dag" not in bot.comment().body
        assert "unit" in bot.comment().body


class TestTakenAway:
    """A comment that has nothing left to tell goes; a later one is news, and posted anew."""

    def tell(self, bot: Bot, notice: str) -> None:
        bot.decide(replace(change(), notice=notice))
        bot.report(later=100)

    def test_and_posted_anew(self, bot: Bot) -> None:
        self.tell(bot, "what is needed")
        first = bot.comment().id
        self.tell(bot, "")
        assert comments(bot) == 0
        self.tell(bot, "what is needed")
        assert bot.comment().id != first
        assert bot.github.count("find_comment") == 0, "we know that there is none"

    def test_once(self, bot: Bot) -> None:
        self.tell(bot, "what is needed")
        for _ in range(3):
            self.tell(bot, "")
        assert bot.github.count("delete_comment") == 1

    def test_where_somebody_else_has_deleted_it(self, bot: Bot) -> None:
        self.tell(bot, "what is needed")
        bot.github.remove_comment(bot.comment().id)
        self.tell(bot, "")
        assert bot.store.next_due() is None

    def test_after_an_outage(self, bot: Bot) -> None:
        self.tell(bot, "what is needed")
        bot.github.lose_answers("delete_comment")
        bot.github.unavailable("delete_comment", times=2)
        self.tell(bot, "")
        for _ in range(4):
            bot.report(later=1000)
        assert comments(bot) == 0
        assert bot.store.next_due() is None

    def test_where_nobody_told_us_that_it_was_posted(self, bot: Bot) -> None:
        bot.github.lose_answers("create_comment")
        self.tell(bot, "what is needed")
        assert comments(bot) == 1
        self.tell(bot, "")
        assert comments(bot) == 0
        assert bot.github.count("find_comment") == 1

    def test_is_not_looked_for_where_none_was_wanted(self, bot: Bot) -> None:
        bot.decide(change(pull(comments=3)))
        bot.report()
        assert bot.github.count("find_comment") == 0


class TestWhatTheRepositoryWants:
    def test_always_is_what_it_gets_unless_it_says_otherwise(self, bot: Bot) -> None:
        bot.decide(wanted(run()))
        bot.report()
        assert comments(bot) == 1

    def test_failures_only(self, bot: Bot) -> None:
        one = run()
        bot.decide(replace(wanted(one), report=ReportPolicy(CommentPolicy.FAILURES)))
        bot.report()
        assert comments(bot) == 0
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed: exit 1")
        bot.report(later=100)
        assert "test failed" in bot.comment().body
        again = run()
        bot.decide(wanted(again))
        bot.move(again, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report(later=100)
        assert "passed" in bot.comment().body, "what is there is kept right"

    def test_none_but_what_somebody_has_to_know(self, bot: Bot) -> None:
        one = run()
        bot.decide(replace(wanted(one), report=ReportPolicy(CommentPolicy.OFF)))
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed: exit 1")
        bot.report()
        assert comments(bot) == 0
        bot.decide(replace(change(), notice="what is needed"))
        bot.report()
        assert "what is needed" in bot.comment().body
        assert "test failed" not in bot.comment().body
        bot.decide(replace(change(), notice=""))
        bot.report()
        assert comments(bot) == 0

    def test_none_any_more(self, bot: Bot) -> None:
        bot.decide(wanted(run()))
        bot.report()
        bot.decide(replace(change(), report=ReportPolicy(CommentPolicy.OFF)))
        bot.report(later=100)
        assert comments(bot) == 0


class TestLost:
    def forget(self, bot: Bot) -> None:
        """As after the loss of our database."""
        with bot.database.begin() as connection:
            connection.execute(
                text("UPDATE pull_requests SET comment_id = NULL, comment_digest = '', comment_search = true")
            )

    def test_is_found_again_by_its_marker(self, bot: Bot) -> None:
        bot.decide(wanted(run()))
        bot.report()
        posted = bot.comment().id
        self.forget(bot)
        bot.decide(wanted(run("docs")))
        bot.report(later=100)
        assert bot.comment().id == posted
        assert "docs" in bot.comment().body

    def test_is_never_somebody_elses_with_our_marker(self, bot: Bot) -> None:
        copied = bot.github.put_comment(REPOSITORY, 12, "mallory", f"fake\n{MARKER}")
        bot.decide(wanted(run(), of=pull(comments=1)))
        bot.report()
        assert bot.github.comments[copied].body == f"fake\n{MARKER}"
        assert bot.comment().id != copied

    def test_is_posted_anew_where_somebody_deleted_it(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.github.remove_comment(bot.comment().id)
        bot.move(one, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report()
        assert "passed" in bot.comment().body

    @pytest.mark.parametrize("method", ["create_comment", "edit_comment"])
    def test_an_answer_posts_nothing_twice(self, bot: Bot, method: str) -> None:
        one = run()
        bot.github.lose_answers(method, times=3)
        bot.decide(wanted(one))
        for _ in range(6):
            bot.report(later=100)
        bot.move(one, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        for _ in range(6):
            bot.report(later=100)
        assert comments(bot) == 1
        assert "passed" in bot.comment().body
