"""The statuses of one head: an unchanged one makes no call, and nothing hides another's failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import Outcome, Status, StatusState, StepState, Verdict
from tests.examples import HEAD, REPOSITORY, branch, change, moved, pull, run, sha, wanted
from tests.report.reporting import Bot, step

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Branch

pytestmark = pytest.mark.postgres

FAILURE, SUCCESS, PENDING = StatusState.FAILURE, StatusState.SUCCESS, StatusState.PENDING


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestOnePullRequest:
    def test_shows_each_pipeline_in_its_own_context(self, bot: Bot) -> None:
        bot.decide(wanted(run("unit"), run("docs")))
        bot.report()
        assert set(bot.github.statuses(REPOSITORY, HEAD)) == {"preflight/unit", "preflight/docs"}

    def test_an_unchanged_status_makes_no_call(self, bot: Bot) -> None:
        bot.show(SUCCESS, "skipped: no matching files")
        bot.report()
        calls = bot.github.count("set_status")
        bot.show(SUCCESS, "skipped: no matching files")
        bot.report()
        assert bot.github.count("set_status") == calls == 1

    def test_a_final_word_is_sent_at_once(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report()
        assert bot.status().state is SUCCESS

    def test_progress_can_wait_but_is_sent(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("clone", StepState.SUCCEEDED), step("test", StepState.RUNNING))
        bot.report(later=1)
        assert bot.github.count("set_status") == 1
        due = bot.store.next_due()
        assert due is not None
        assert due <= 30
        bot.report(later=30)
        assert "1/2 steps passed" in bot.status().description

    def test_how_long_a_step_runs_is_renewed(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("test", StepState.RUNNING))
        bot.report(later=30)
        first = bot.status().description
        bot.report(later=60)
        assert bot.status().description != first
        assert "running for" in bot.status().description

    def test_a_run_of_an_hour_stays_far_below_a_thousand_statuses(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("test", StepState.RUNNING))
        for _ in range(360):
            bot.report(later=10)
        assert bot.github.count("set_status") < 100

    def test_a_run_again_is_pending_again(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed")
        bot.report()
        assert bot.status().state is FAILURE
        bot.decide(wanted(run()))
        bot.report()
        assert bot.status().state is PENDING

    @pytest.mark.parametrize("description", ["x" * 500, "a\nb\r\nc", "emoji 🚀", "\0", ""], ids=repr)
    def test_whatever_a_run_says_github_takes(self, bot: Bot, description: str) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.move(one, outcome=Outcome.ERROR, reason=description)
        bot.report()
        shown = bot.status()
        assert shown.state is StatusState.ERROR
        assert len(shown.description) <= 140
        assert "\n" not in shown.description


class TestWhatIsShown:
    def test_a_dry_run_shows_nothing(self, bot: Bot) -> None:
        dry = replace(run(), dryrun=True)
        bot.show(SUCCESS, "skipped: no matching files")
        bot.decide(replace(change(), dry_runs=(dry,)))
        bot.report()
        bot.move(dry, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed")
        bot.report(later=100)
        assert bot.github.count("set_status") == 1
        assert bot.status().description == "skipped: no matching files"

    def test_a_run_with_inputs_leaves_the_context_without_them(self, bot: Bot) -> None:
        weak = replace(run(), inputs={"fast": True})
        bot.decide(wanted(run(), weak))
        bot.move(weak, step("test", StepState.SUCCEEDED), outcome=Outcome.SUCCESS)
        bot.report()
        assert bot.status(context="preflight/unit (fast=true)").state is SUCCESS
        assert bot.status().state is PENDING

    def test_a_run_that_goes_on_is_pending_again(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.move(
            one,
            step("clone", StepState.SUCCEEDED),
            step("test", StepState.FAILED),
            outcome=Outcome.FAILURE,
            reason="test failed",
        )
        bot.report()
        bot.decide(replace(change(), resumed=(one.id,)))
        bot.report(later=100)
        assert (bot.status().state, bot.status().description) == (PENDING, "resuming: 1 step to run again")
        assert "resuming" in bot.comment().body

    def test_an_override_outlives_what_comes_later(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        status = Status("preflight/unit", SUCCESS, "overridden by @hubot: the runner is down")
        bot.decide(change(None, Verdict("preflight/unit", "unit", status=status, override=True)))
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed")
        bot.report()
        assert bot.status().state is SUCCESS
        assert "overridden by `@hubot`" in bot.comment().body


class TestABranch:
    @pytest.mark.parametrize(
        "subject",
        [branch(), branch("gh-readonly-queue/main/pr-12", merge_group=True)],
        ids=["pushed", "merge group"],
    )
    def test_has_statuses_and_never_a_comment(self, bot: Bot, subject: Branch) -> None:
        one = run(number=subject.number)
        bot.decide(replace(wanted(one, of=subject), notice="what nobody would read"))
        bot.move(one, step("test", StepState.FAILED), outcome=Outcome.FAILURE, reason="test failed: exit 1")
        bot.report()
        bot.report(later=100)
        assert bot.status().state is FAILURE
        assert bot.github.counts().keys() == {"set_status"}
        assert bot.store.next_due() is None

    def test_shares_its_head_with_a_pull_request(self, bot: Bot) -> None:
        bot.show(SUCCESS, "one")
        bot.decide(wanted(run(number=branch().number), of=branch()))
        bot.report()
        assert bot.status().state is PENDING
        assert bot.status().description == "branch: queued; #12: one"


class TestTwoPullRequestsWithOneHead:
    """Pending or worse wins, and the description names both."""

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            (SUCCESS, SUCCESS, SUCCESS),
            (SUCCESS, PENDING, PENDING),
            (PENDING, SUCCESS, PENDING),
            (SUCCESS, FAILURE, FAILURE),
            (FAILURE, PENDING, FAILURE),
            (PENDING, StatusState.ERROR, StatusState.ERROR),
        ],
        ids=lambda state: state.value,
    )
    def test_share_its_contexts(
        self, bot: Bot, first: StatusState, second: StatusState, expected: StatusState
    ) -> None:
        bot.show(first, "one")
        bot.show(second, "two", number=13)
        bot.report()
        assert bot.status().state is expected
        assert "#12" in bot.status().description
        assert "#13" in bot.status().description

    def test_whichever_is_reported_on_last(self, bot: Bot) -> None:
        bot.show(FAILURE, "one")
        bot.show(SUCCESS, "two", number=13)
        bot.report()
        bot.decide(change(pull(number=13)))
        bot.report()
        assert bot.status().state is FAILURE

    def test_until_one_of_them_closes(self, bot: Bot) -> None:
        bot.show(SUCCESS, "one")
        bot.show(FAILURE, "two", number=13)
        bot.report()
        bot.decide(change(pull(number=13, is_open=False)))
        bot.report()
        assert (bot.status().state, bot.status().description) == (SUCCESS, "one")

    def test_or_moves_on(self, bot: Bot) -> None:
        bot.show(SUCCESS, "one")
        bot.show(FAILURE, "two", number=13)
        bot.report()
        bot.decide(change(moved(pull(number=13), sha(5))))
        bot.report()
        assert (bot.status().state, bot.status().description) == (SUCCESS, "one")

    def test_and_each_has_a_comment_of_its_own(self, bot: Bot) -> None:
        bot.show(FAILURE, "one")
        bot.show(FAILURE, "two", number=13)
        bot.report()
        assert bot.comment(12).id != bot.comment(13).id
