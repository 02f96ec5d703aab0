"""What a pull request should show, less what it shows: in few calls, until it is there."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import GitHubAway, GitHubNotFound, GitHubRefused, StoreUnavailable
from bot.models import Conclusion, Outcome, Reply, ReportAs, ReportPolicy, StatusState, StepState
from bot.report.budget import UNLIMITED, Budget
from tests.examples import HEAD, REPOSITORY, change, moved, pull, run, sha, wanted
from tests.report.reporting import Bot, step

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.claims import Urgency
    from bot.models import Repository, Status

pytestmark = pytest.mark.postgres

WRITES = ("set_status", "create_comment", "edit_comment", "react")
PASSED = (step("clone", StepState.SUCCEEDED), step("test", StepState.SUCCEEDED))


class Held(Budget):
    """A budget without room for statuses for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(UNLIMITED.store, UNLIMITED.quotas, ())
        self.seconds = seconds

    def take(self, repository: Repository, *, content: bool, urgency: Urgency) -> float:  # noqa: ARG002 - for all
        return 0.0 if content else self.seconds


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestAGreenPullRequest:
    def test_from_queued_to_passed(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        assert bot.status().state is StatusState.PENDING
        assert bot.status().target_url == f"https://preflight.example/runs/{one.id}"
        bot.move(one, step("clone", StepState.RUNNING), step("test", StepState.WAITING))
        bot.report(later=30)
        assert "0/2 steps passed" in bot.status().description
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.report(later=30)
        assert bot.status().state is StatusState.SUCCESS
        assert "unit" in bot.comment().body

    def test_takes_at_most_five_writes(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.report()
        bot.move(one, step("clone", StepState.RUNNING), step("test", StepState.WAITING))
        bot.report(later=1)
        bot.move(one, step("clone", StepState.SUCCEEDED), step("test", StepState.RUNNING))
        bot.report(later=1)
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.report(later=1)
        assert bot.status().state is StatusState.SUCCESS
        assert bot.writes() <= 5
        bot.report(later=1000)
        assert bot.writes() <= 5

    def test_then_rests(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.report()
        before = bot.github.count()
        for _ in range(3):
            bot.report(later=10_000)
        assert bot.github.count() == before
        assert bot.store.next_due() is None


class TestAnOutage:
    @pytest.mark.parametrize("method", ["set_status", "create_comment", "react", ""])
    def test_is_got_over_and_all_is_shown(self, bot: Bot, method: str) -> None:
        commented = bot.github.put_comment(REPOSITORY, 12, "alice", "/test")
        bot.github.unavailable(*([method] if method else []), times=3)
        one = run()
        bot.decide(replace(wanted(one), reply=Reply(commented, "hello")))
        for _ in range(8):
            bot.report(later=1000)
        assert bot.status().state is StatusState.PENDING
        assert "unit" in bot.comment().body
        assert bot.github.comments[commented].reactions == {(bot.github.login, "eyes")}

    def test_of_answers_only_doubles_nothing(self, bot: Bot) -> None:
        commented = bot.github.put_comment(REPOSITORY, 12, "alice", "/test")
        for method in ("create_comment", "edit_comment", "set_status", "react"):
            bot.github.lose_answers(method)
        one = run()
        bot.decide(replace(wanted(one), reply=Reply(commented, "hello")))
        for _ in range(8):
            bot.report(later=1000)
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.github.lose_answers("edit_comment")
        for _ in range(4):
            bot.report(later=1000)
        ours = bot.github.comments_on(REPOSITORY, 12, bot.github.login)
        assert len(ours) == 2, "one comment and one reply"
        assert "unit" in bot.comment().body

    def test_waits_as_long_as_github_asks(self, bot: Bot) -> None:
        bot.github.rate_limited(500, "set_status")
        bot.decide(wanted(run()))
        bot.report()
        due = bot.store.next_due()
        assert due is not None
        assert 300 < due <= 500
        assert bot.github.count() == 1, "no other call meanwhile"

    def test_is_not_answered_with_a_storm(self, bot: Bot) -> None:
        bot.github.unavailable("set_status", times=1000)
        bot.decide(wanted(run()))
        bot.report()
        for longest in (1, 2, 4, 8, 15, 15):
            due = bot.store.next_due()
            assert due is not None
            assert 0.5 * longest < due <= longest
            bot.report(later=due + 0.1)

    def test_that_is_known_is_waited_for_by_all_and_not_told_again(
        self, bot: Bot, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot.github.fault(GitHubAway("nothing was sent", 20.0), "set_status", times=1000)
        bot.decide(wanted(run()))
        bot.decide(wanted(run(number=13), of=pull(number=13)))
        assert bot.reporter.report()
        assert not bot.reporter.report(), "the other one would fare no better"
        assert bot.store.next_due() == 0
        due = bot.reporter.next_due()
        assert due is not None
        assert 0 < due <= 5
        assert "nothing was sent" not in caplog.text


class TestAPauseThatGithubAsksFor:
    def test_is_kept_whatever_changes_and_logged_once(
        self, bot: Bot, caplog: pytest.LogCaptureFixture
    ) -> None:
        bot.github.rate_limited(58, "set_status", times=1000)
        one = run()
        bot.decide(wanted(one))
        bot.report()
        for index in range(5):
            bot.move(one, step(f"step-{index}", StepState.RUNNING))
            bot.report(later=1)
        assert bot.github.count() == 1
        assert [
            record.getMessage() for record in caplog.records if "reports wait" in record.getMessage()
        ] == ["acme: all reports wait for 58 s: GitHub asks us to slow down"]

    def test_is_everybodys_of_that_account(self, bot: Bot) -> None:
        bot.github.rate_limited(58)
        bot.decide(wanted(run()))
        bot.decide(wanted(run(number=13, head_sha=sha(3)), of=pull(number=13, head_sha=sha(3))))
        bot.report()
        assert bot.github.count() == 1

    def test_ends(self, bot: Bot) -> None:
        bot.github.rate_limited(58)
        bot.decide(wanted(run()))
        bot.report()
        bot.report(later=60)
        assert bot.status().state is StatusState.PENDING
        assert "unit" in bot.comment().body


class TestTheOrder:
    def test_is_final_ones_then_answers_then_the_comment_then_progress(self, bot: Bot) -> None:
        going, done = run("unit"), run("docs")
        bot.decide(wanted(going, done))
        bot.report()
        commented = bot.github.put_comment(REPOSITORY, 12, "alice", "/test")
        bot.decide(replace(change(), reply=Reply(commented, "hello")))
        bot.move(going, step("test", StepState.RUNNING))
        bot.move(done, *PASSED, outcome=Outcome.SUCCESS)
        bot.github.calls.clear()
        bot.report(later=100)
        sent = [call for call in bot.github.calls if call.method in WRITES]
        assert [call.method for call in sent] == [
            "set_status",
            "react",
            "create_comment",
            "edit_comment",
            "set_status",
        ]
        assert "preflight/docs" in str(sent[0].arguments)
        assert "preflight/unit" in str(sent[-1].arguments)

    def test_ends_with_a_head_that_needs_no_further_look(self, bot: Bot) -> None:
        bot.show(StatusState.PENDING, "waiting for /ok-to-test")
        bot.report()
        bot.show(StatusState.PENDING, "waits until ready for review")
        bot.report(later=30)
        assert bot.status().description == "waits until ready for review"
        with bot.database.begin() as connection:
            assert connection.execute(text("SELECT bool_and(settled) FROM heads")).scalar()


class TestCheckRuns:
    def test_are_shown_instead_of_statuses(self, bot: Bot) -> None:
        bot.github.is_app = True
        one = run()
        bot.decide(replace(wanted(one), report=ReportPolicy(shown_as=ReportAs.CHECKS)))
        bot.report()
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.report(later=30)
        (shown,) = bot.github.checks_at(REPOSITORY, HEAD)
        assert shown.check.conclusion is Conclusion.SUCCESS
        assert bot.github.count("set_status") == 0
        assert bot.store.next_due() is None

    def test_that_are_refused_leave_the_statuses(self, bot: Bot) -> None:
        bot.github.is_app = True
        bot.github.fault(GitHubRefused("no permission"), "create_check", times=1000)
        bot.decide(replace(wanted(run()), report=ReportPolicy(shown_as=ReportAs.BOTH)))
        bot.report()
        assert bot.status().state is StatusState.PENDING
        assert "unit" in bot.comment().body

    def test_survive_an_outage_and_lost_answers(self, bot: Bot) -> None:
        bot.github.is_app = True
        bot.github.lose_answers("create_check")
        bot.github.unavailable("update_check", times=2)
        one = run()
        bot.decide(replace(wanted(one), report=ReportPolicy(shown_as=ReportAs.CHECKS)))
        bot.report()
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        for _ in range(6):
            bot.report(later=1000)
        (shown,) = bot.github.checks_at(REPOSITORY, HEAD)
        assert shown.check.conclusion is Conclusion.SUCCESS


class TestARefusal:
    @pytest.mark.parametrize(
        "error", [GitHubRefused("no permission"), GitHubNotFound("gone")], ids=["refused", "gone"]
    )
    def test_of_one_part_leaves_the_others(self, bot: Bot, error: GitHubRefused) -> None:
        bot.github.fault(error, "set_status", times=1000)
        bot.decide(wanted(run()))
        bot.report()
        assert "unit" in bot.comment().body

    def test_of_one_status_leaves_the_others(self, bot: Bot) -> None:
        bot.github.fault(GitHubRefused("no such context"), "set_status")
        bot.decide(wanted(run("docs"), run("unit")))
        bot.report()
        assert len(bot.github.statuses(REPOSITORY, HEAD)) == 1
        bot.report(later=1000)
        assert len(bot.github.statuses(REPOSITORY, HEAD)) == 2

    def test_of_the_comment_does_not_put_off_a_final_status_that_limits_held_back(self, bot: Bot) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.github.fault(GitHubRefused("no permission"), "create_comment", times=1000)
        for _ in range(12):
            bot.report(later=1000)
        bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
        bot.reporter.statuses.budget = Held(2.0)
        bot.reporter.report()
        due = bot.store.next_due()
        assert due is not None
        assert due <= 2

    def test_of_an_old_heads_status_leaves_the_progress_of_the_new_one(self, bot: Bot) -> None:
        old, new = run(), run(head_sha=sha(2))
        bot.decide(wanted(old))
        bot.decide(wanted(new, of=moved(pull(), sha(2))))
        bot.github.commits.remove((REPOSITORY.id, HEAD))
        bot.report()
        bot.move(new, step("test", StepState.RUNNING))
        bot.report(later=1000)
        assert "test running" in bot.status(sha(2)).description

    def test_of_one_answer_leaves_the_others(self, bot: Bot) -> None:
        first, second = (bot.github.put_comment(REPOSITORY, 12, "alice", "/test") for _ in range(2))
        bot.github.fault(GitHubRefused("locked"), "react")
        bot.decide(replace(change(), reply=Reply(first, "hello")))
        bot.decide(replace(change(), reply=Reply(second, "hello")))
        bot.report()
        assert bot.github.comments[second].reactions == {(bot.github.login, "eyes")}

    def test_is_tried_again_later_and_ends_when_it_is_mended(self, bot: Bot) -> None:
        bot.github.fault(GitHubRefused("no permission"), "set_status", times=5)
        bot.decide(wanted(run()))
        for _ in range(7):
            bot.report(later=10_000)
        assert bot.status().state is StatusState.PENDING

    def test_for_ever_is_given_up_until_something_changes(self, bot: Bot) -> None:
        bot.github.fault(GitHubRefused("no permission"), "set_status", times=100_000)
        bot.decide(wanted(run()))
        for _ in range(70):
            bot.report(later=100_000)
        assert bot.store.next_due() is None
        calls = bot.github.count("set_status")
        bot.decide(change())
        bot.report(later=10_000)
        assert bot.github.count("set_status") > calls

    @pytest.mark.parametrize("before", [0, 12, 70], ids=["first", "after some", "given up"])
    def test_does_not_put_off_what_happens_meanwhile(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch, before: int
    ) -> None:
        one = run()
        bot.decide(wanted(one))
        bot.github.fault(GitHubRefused("no permission"), "create_comment", times=100_000)
        for _ in range(before):
            bot.move(one, step("test", StepState.RUNNING))
            bot.report(later=1000)
        post = bot.github.create_comment

        def end_meanwhile(*arguments: object) -> int:
            bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
            return post(*arguments)  # type: ignore[arg-type]  # as they came

        monkeypatch.setattr(bot.github, "create_comment", end_meanwhile)
        bot.decide(change())
        bot.reporter.report()
        due = bot.store.next_due()
        assert due is not None
        assert due <= 15


class TestWhatHappensMeanwhile:
    def test_is_shown_in_the_end(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """The run ends while its last progress is being sent."""
        one = run()
        bot.decide(wanted(one))
        send = bot.github.set_status

        def end_meanwhile(*arguments: object) -> None:
            monkeypatch.setattr(bot.github, "set_status", send)
            bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
            send(*arguments)  # type: ignore[arg-type]  # as they came

        monkeypatch.setattr(bot.github, "set_status", end_meanwhile)
        bot.report()
        bot.report()
        assert bot.status().state is StatusState.SUCCESS

    def test_a_superseded_run_never_overwrites_the_new_heads_status(self, bot: Bot) -> None:
        old, new = run(), run(head_sha=sha(2))
        bot.decide(wanted(old))
        bot.report()
        bot.decide(wanted(new, of=moved(pull(), sha(2))))
        bot.report()
        bot.move(old, *PASSED, outcome=Outcome.CANCELLED, reason=f"superseded by {sha(2)[:7]}")
        bot.report(later=100)
        assert bot.status().description == f"cancelled: superseded by {sha(2)[:7]}"
        assert bot.status(sha(2)).state is StatusState.PENDING

    def test_to_its_lease_keeps_a_comment_from_being_posted_twice(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a status for each of a hundred steps it is over before it is the comment's turn."""
        send = bot.github.set_status

        def time_passes(repository: Repository, head: str, status: Status) -> None:
            send(repository, head, status)
            with bot.database.begin() as connection:
                connection.execute(text("UPDATE pull_requests SET lease_until = now()"))

        monkeypatch.setattr(bot.github, "set_status", time_passes)
        bot.decide(wanted(run()))
        bot.reporter.report()
        assert bot.github.count("create_comment") == 0, "whoever holds it now may be about to"
        monkeypatch.undo()
        bot.report(later=100)
        assert bot.github.count("create_comment") == 1

    def test_a_late_word_is_not_the_last_one(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """The database dies, and another worker tells the end before GitHub hears of its start."""
        one = run()
        bot.decide(wanted(one))
        send = bot.github.set_status

        def comes_late(*arguments: object) -> None:
            monkeypatch.setattr(bot.github, "set_status", send)
            with bot.database.begin() as connection:
                connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks "
                        "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                    )
                )
                connection.execute(text("UPDATE pull_requests SET lease_until = now()"))
            bot.move(one, *PASSED, outcome=Outcome.SUCCESS)
            bot.report()
            assert bot.status().state is StatusState.SUCCESS
            send(*arguments)  # type: ignore[arg-type]  # as they came

        monkeypatch.setattr(bot.github, "set_status", comes_late)
        bot.report()
        assert bot.status().state is StatusState.SUCCESS

    def test_what_could_not_be_given_back_is_compared_again_later(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def is_away(*_: object, **__: object) -> None:
            raise StoreUnavailable("away")

        bot.decide(wanted(run()))
        monkeypatch.setattr(bot.store, "release_pull", is_away)
        with pytest.raises(StoreUnavailable):
            bot.reporter.report()
        monkeypatch.undo()
        with bot.database.begin() as connection:  # another worker took it, and showed all
            connection.execute(
                text("UPDATE pull_requests SET lease_owner = NULL, lease_until = NULL, due_at = NULL")
            )
        assert bot.reporter.report()
        assert not bot.reporter.report()

    def test_several_reporters_show_everything_once(self, bot: Bot) -> None:
        runs = [run(number=number, head_sha=sha(number)) for number in range(100, 116)]
        for one in runs:
            bot.decide(wanted(one, of=pull(number=one.number, head_sha=one.head_sha)))
        threads = [threading.Thread(target=bot.report) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert bot.github.count("set_status") == len(runs)
        assert bot.github.count("create_comment") == len(runs)


def test_a_closed_pull_request_shows_how_it_ended(bot: Bot) -> None:
    one = run()
    bot.decide(wanted(one))
    bot.report()
    bot.decide(change(pull(is_open=False)))
    bot.move(one, *PASSED, outcome=Outcome.CANCELLED, reason="pull request closed")
    bot.report(later=100)
    assert (
        bot.github.statuses(REPOSITORY, HEAD)["preflight/unit"].description
        == "cancelled: pull request closed"
    )
