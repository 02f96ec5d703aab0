"""What a head's statuses show: in which form, how often, and in which order when room is short."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.claims import ShownStatus, Urgency
from bot.models import Outcome, Phase, ReportAs, Status, StatusState, StepState
from bot.report.budget import UNLIMITED, Budget
from tests.report.examples import NOON, at, failed, fixed, overridden, passed, ran, run, step
from tests.report.heads import BOTH, CHECKS, STEPS, Head, policies

if TYPE_CHECKING:
    from bot.models import Repository, Run

PENDING = StatusState.PENDING


def going(*names: str, done: int = 0, pipeline: str = "unit") -> Run:
    """A run of these steps, the first so many of which passed."""
    steps = [
        passed(name, 0, 1) if index < done else step(name, StepState.WAITING, start=None)
        for index, name in enumerate(names)
    ]
    return replace(run(pipeline, *steps), started_at=NOON)


def green(*names: str, pipeline: str = "unit") -> Run:
    """A run whose steps passed."""
    return run(pipeline, *(passed(name, 0, 1) for name in names), outcome=Outcome.SUCCESS, took=10)


class TestWithOneForEachStep:
    def test_each_is_followed_to_its_end(self) -> None:
        there = Head(ran(run("unit", phase=Phase.WANTED)), policy=STEPS)
        there.report_statuses()
        assert there.contexts() == ["preflight/unit"]
        there.say(ran(run("unit", passed("clone", 0, 3), step("test", StepState.WAITING, start=None))))
        there.report_statuses(later=30)
        assert there.contexts() == ["preflight/unit", "preflight/unit/clone"]
        there.say(ran(run("unit", passed("clone", 0, 3), step("test", StepState.RUNNING))))
        there.report_statuses(later=30)
        assert there.contexts() == ["preflight/unit", "preflight/unit/clone", "preflight/unit/test"]
        assert there.status("preflight/unit/test") == ("pending", "running")
        there.say(
            ran(
                run(
                    "unit",
                    passed("clone", 0, 3),
                    failed("test", "exit 1"),
                    outcome=Outcome.FAILURE,
                    reason="test failed: exit 1",
                )
            )
        )
        assert there.report_statuses(later=40) is None
        assert there.status("preflight/unit/clone") == ("success", "passed in 3s")
        assert there.status("preflight/unit/test") == ("failure", "failed: exit 1")
        assert there.status() == ("failure", "test failed: exit 1")

    @pytest.mark.parametrize(
        "verdict",
        [overridden("unit"), fixed("unit", StatusState.SUCCESS, "skipped: no matching files")],
        ids=["overridden", "skipped"],
    )
    def test_what_does_not_run_has_only_its_own(self, verdict: object) -> None:
        there = Head(verdict, policy=STEPS)  # type: ignore[arg-type]  # a verdict
        there.report_statuses()
        assert there.contexts() == ["preflight/unit"]

    def test_a_run_again_takes_them_back_until_it_gets_there(self) -> None:
        there = Head(ran(green("clone", "lint")), policy=STEPS)
        there.report_statuses()
        there.say(ran(replace(run("unit", phase=Phase.WANTED), id="f" * 32)))
        there.report_statuses(later=60)
        assert there.status("preflight/unit/lint") == ("pending", "queued")

    def test_a_step_that_the_new_run_does_not_have_is_settled_at_its_end(self) -> None:
        there = Head(ran(going("clone", "lint", done=2)), policy=STEPS)
        there.report_statuses()
        there.say(ran(replace(going("clone", done=1), id="f" * 32)))
        there.report_statuses(later=60)
        assert there.status("preflight/unit/lint")[0] == "pending", "it may still turn up"
        there.say(ran(replace(green("clone"), id="f" * 32)))
        assert there.report_statuses(later=90) is None
        assert there.status("preflight/unit/lint") == ("success", "not part of this run")

    def test_a_step_that_the_new_run_did_not_come_to_stays_red(self) -> None:
        """A mapped one that never began has no name: nobody may think that it passed."""
        there = Head(ran(run("unit", passed("clone", 0, 3), failed("lint"), outcome=Outcome.FAILURE)))
        there.policy[12] = STEPS
        there.report_statuses()
        nameless = step("step", StepState.BLOCKED, start=None)
        again = run("unit", failed("clone"), nameless, outcome=Outcome.FAILURE, reason="clone failed")
        there.say(ran(replace(again, id="f" * 32)))
        assert there.report_statuses(later=90) is None
        assert there.status("preflight/unit/lint") == ("failure", "clone failed")
        assert "preflight/unit/step" not in there.contexts()

    def test_an_override_ends_those_that_are_pending(self) -> None:
        there = Head(ran(run("unit", step("lint", StepState.RUNNING))), policy=STEPS)
        there.report_statuses()
        assert there.status("preflight/unit/lint")[0] == "pending"
        there.say(overridden("unit"))
        assert there.report_statuses(later=60) is None
        assert {one.status.state for one in there.statuses.values()} == {StatusState.SUCCESS}

    def test_a_repository_that_wants_them_no_more_has_them_ended(self) -> None:
        running = [step(name, StepState.RUNNING) for name in ("clone", "lint")]
        there = Head(ran(run("unit", *running)), policy=STEPS)
        there.report_statuses()
        there.policy.clear()
        there.say(ran(run("unit", passed("clone", 0, 1), running[1])))
        there.report_statuses(later=60)
        assert there.status("preflight/unit/clone") == ("success", "passed in 1s")
        assert there.status("preflight/unit/lint") == ("pending", "running")
        there.say(ran(green("clone", "lint")))
        assert there.report_statuses(later=90) is None
        assert PENDING not in {one.status.state for one in there.statuses.values()}

    def test_of_two_pull_requests_the_worse_is_shown(self) -> None:
        there = Head(ran(green("lint")), policy=STEPS)
        there.say(ran(replace(going("lint"), number=13)), number=13)
        there.report_statuses()
        assert there.status("preflight/unit/lint") == ("pending", "#12: passed in 1s; #13: waiting")

    def test_a_pipeline_whose_name_begins_alike_is_left_alone(self) -> None:
        other = ran(run("unit-2", step("lint", StepState.RUNNING)))
        there = Head(other, policy=STEPS)
        there.report_statuses()
        there.say(ran(green("clone")), other)
        there.report_statuses(later=60)
        assert there.status("preflight/unit-2/lint") == ("pending", "running")


class TestTheForm:
    @pytest.mark.parametrize("app", [True, False], ids=["app", "token"])
    @pytest.mark.parametrize("shown_as", ReportAs)
    def test_is_what_the_repository_wants_and_our_credentials_can(
        self, shown_as: ReportAs, *, app: bool
    ) -> None:
        there = Head(ran(green("test")), policy=policies(shown_as=shown_as))
        there.app = app
        there.report_statuses()
        there.report_checks()
        assert bool(there.sent) == (shown_as.statuses or not app)
        assert bool(there.checks) == (shown_as.checks and app)

    def test_is_what_any_of_the_pull_requests_wants(self) -> None:
        there = Head(ran(green("test")), policy=CHECKS)
        there.say(ran(replace(green("test"), number=13)), number=13)
        there.report_statuses()
        there.report_checks()
        assert there.sent, "13 has no wish, so it wants statuses"
        assert there.checks

    def test_both_have_the_same_names_and_say_the_same(self) -> None:
        there = Head(ran(going("a", "b", done=1)), policy=BOTH)
        there.report_statuses(later=30)
        there.report_checks()
        assert there.newest().check.title == there.status()[1]

    def test_one_that_changes_to_check_runs_has_its_pending_statuses_ended(self) -> None:
        there = Head(ran(going("a", "b")))
        there.report_statuses()
        there.policy[12] = CHECKS
        there.say(ran(going("a", "b", done=1)))
        assert there.report_statuses(later=60) is not None
        assert len(there.sent) == 1, "its progress is the check run's"
        there.say(ran(green("a", "b")))
        assert there.report_statuses(later=90) is None
        assert there.status()[0] == "success"

    def test_one_that_nobody_speaks_of_any_more_is_ended(self) -> None:
        there = Head(ran(green("a")))
        there.say(ran(going("a", pipeline="docs")), number=13)
        there.report_statuses()
        del there.wanted[13]
        assert there.report_statuses(later=60) is None
        assert there.status("preflight/docs")[0] == "error"
        assert there.status("preflight/unit")[0] == "success"


class TestHowOften:
    def test_a_green_run_of_eight_steps_takes_few(self) -> None:
        """With the comment (posted, and edited twice) and what deciding reads: ten calls."""
        names = [f"step-{index}" for index in range(8)]
        there = Head(ran(run("unit", phase=Phase.WANTED)))
        there.usual_seconds["unit"] = 480
        for second in range(1, 480):
            there.say(ran(going(*names, done=second // 60)))
            there.report_statuses(later=second)
        there.say(ran(green(*names)))
        there.report_statuses(later=480)
        assert len(there.sent) <= 6

    def test_what_failed_is_told_soon_however_old_the_run_is(self) -> None:
        there = Head(ran(going("lint", "test")))
        there.report_statuses(later=1000)
        there.say(ran(replace(going("test"), steps=(failed("lint"), *going("test").steps))))
        there.report_statuses(later=1021)
        assert "lint failed" in there.status()[1]

    def test_time_alone_is_no_news(self) -> None:
        there = Head(ran(going("a", "b")))
        there.usual_seconds["unit"] = 7200
        for second in range(1, 600, 10):
            there.report_statuses(later=second)
        assert len(there.sent) <= 4

    @pytest.mark.parametrize(
        ("times", "known", "wanted", "is_sent"),
        [
            pytest.param(899, PENDING, going("a", "b", done=1), True, id="progress"),
            pytest.param(900, PENDING, going("a", "b", done=1), False, id="no more progress"),
            pytest.param(900, StatusState.FAILURE, going("a"), True, id="a run again"),
            pytest.param(990, StatusState.FAILURE, going("a"), False, id="no more runs again"),
            pytest.param(999, PENDING, green("a"), True, id="the last word"),
            pytest.param(1000, PENDING, green("a"), False, id="one too many"),
        ],
    )
    def test_a_thousand_is_github_s_limit_and_never_met(
        self, times: int, known: StatusState, wanted: Run, *, is_sent: bool
    ) -> None:
        there = Head(ran(wanted))
        before = Status("preflight/unit", known, "before")
        there.statuses["preflight/unit"] = ShownStatus(before, NOON, times)
        there.report_statuses(later=5000)
        assert bool(there.sent) is is_sent

    def test_what_could_not_be_shown_is_said_once(self, caplog: pytest.LogCaptureFixture) -> None:
        there = Head(ran(green("a")))
        there.statuses["preflight/unit"] = ShownStatus(
            Status("preflight/unit", PENDING, "before"), NOON, 1000
        )
        with caplog.at_level(logging.WARNING):
            assert there.report_statuses() is None
            assert there.report_statuses(later=10) is None
        (record,) = caplog.records
        assert "preflight/unit has had 1000 statuses" in record.getMessage()


class Tight(Budget):
    """Has room for so many writes; `asked` says for what there was a wish."""

    def __init__(self, room: int) -> None:
        super().__init__(UNLIMITED.store, UNLIMITED.quotas, ())
        self.room = room
        self.asked: list[Urgency] = []

    def take(self, repository: Repository, *, content: bool, urgency: Urgency) -> float:  # noqa: ARG002 - as a Budget
        """Room for the first ones."""
        self.asked.append(urgency)
        self.room -= 1
        return 0.0 if self.room >= 0 else 7.0


class TestWhereThereIsNotRoomForAll:
    def test_pipelines_last_words_come_first_then_first_ones_and_steps_last_ones_then_progress(self) -> None:
        there = Head(ran(run("unit", step("a", StepState.RUNNING))), policy=STEPS)
        there.report_statuses()
        there.say(
            ran(run("unit", passed("a", 0, 1), step("b", StepState.RUNNING))),
            ran(run("docs", phase=Phase.WANTED)),
            ran(green("c", pipeline="lint")),
        )
        there.sent.clear()
        there.report_statuses(later=60)
        assert [status.context for status in there.sent] == [
            "preflight/lint",
            "preflight/docs",
            "preflight/unit/a",
            "preflight/lint/c",
            "preflight/unit",
            "preflight/unit/b",
        ]

    def test_the_rest_waits_for_as_long_as_it_is_told(self) -> None:
        budget = Tight(1)
        there = Head(ran(green("a")), ran(green("b", pipeline="docs")), budget=budget)
        assert there.report_statuses() == 7.0
        assert len(there.sent) == 1
        budget.room = 1
        assert there.report_statuses(later=7) is None
        assert len(there.sent) == 2

    def test_nobody_asks_for_more_once_there_is_no_room(self) -> None:
        budget = Tight(0)
        Head(*(ran(green("a", pipeline=name)) for name in "abcde"), budget=budget).report_statuses()
        assert budget.asked == [Urgency.FINAL_STATUS]

    def test_progress_can_be_left_for_later(self) -> None:
        there = Head(ran(going("a", "b")), ran(green("c", pipeline="docs")))
        there.report_statuses()
        there.say(ran(going("a", "b", done=1)), ran(green("c", pipeline="docs")))
        assert there.report_statuses(later=60, progress=False) == 0
        assert there.status()[1].startswith("0/2")
        wait = there.report_statuses(later=60)
        assert wait is not None
        assert wait > 0
        assert there.status()[1].startswith("1/2")

    def test_a_check_run_waits_likewise(self) -> None:
        budget = Tight(0)
        there = Head(ran(green("a")), policy=CHECKS, budget=budget)
        assert there.report_checks() == 7.0
        assert there.checks == {}
        budget.room = 1
        assert there.report_checks(later=7) is None
        assert len(there.checks) == 1


def test_the_first_word_is_an_answer_and_not_progress() -> None:
    budget = Tight(5)
    there = Head(ran(run("unit", phase=Phase.WANTED)), budget=budget)
    there.report_statuses()
    there.say(ran(going("a", done=0)))
    there.now = at(60)
    there.report_statuses()
    assert budget.asked == [Urgency.FINAL_COMMENT, Urgency.PROGRESS]


def test_what_a_step_or_a_person_gave_away_is_hidden() -> None:
    leaky = run(
        "unit", failed("a", "hunter2-is-it"), outcome=Outcome.FAILURE, reason="a failed: hunter2-is-it"
    )
    there = Head(ran(leaky), overridden("docs", reason="hunter2-is-it"), policy=STEPS)
    there.status_report.secrets = ("hunter2-is-it",)
    there.report_statuses()
    assert [status.description for status in there.sent] == [
        "a failed: [redacted]",
        "overridden by @hubot: [redacted]",
        "failed: [redacted]",
    ]
