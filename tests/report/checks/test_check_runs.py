"""The check runs of one head: the same semantics as statuses, nothing twice, whoever dies on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import GitHubUnavailable
from bot.models import (
    Conclusion,
    Outcome,
    Phase,
    StatusState,
    StepState,
    TestFailure,
    TestResults,
    external_id,
)
from tests.report.examples import at, failed, fixed, overridden, passed, ran, run, step
from tests.report.heads import CHECKS, Died, Head

if TYPE_CHECKING:
    from bot.models import Run

GREEN = run("unit", passed("test", 0, 9), outcome=Outcome.SUCCESS, took=10)
RUNNING = run("unit", step("test", StepState.RUNNING), took=None)
WANTED = run("unit", phase=Phase.WANTED)


def red(failures: int = 0) -> Run:
    """A run of which so many tests failed, each on a line of its own."""
    tests = TestResults(
        total=failures,
        failed=failures,
        failures=tuple(
            TestFailure(f"test_{line}", f"broken {line}", "tests/test_app.py", line)
            for line in range(1, failures + 1)
        ),
    )
    return run(
        "unit", failed("test", tests=tests), outcome=Outcome.FAILURE, reason="test failed: exit 1", took=42
    )


def head(*runs: Run) -> Head:
    made = Head(*map(ran, runs), policy=CHECKS)
    made.lines = {"tests/test_app.py": [range(1, 1000)]}
    return made


class TestARun:
    def test_is_one_check_run_from_queued_to_its_end(self) -> None:
        there = head(WANTED)
        there.report_checks()
        queued = there.newest()
        assert (queued.check.name, queued.check.conclusion, queued.check.started) == (
            "preflight/unit",
            None,
            False,
        )
        there.say(ran(RUNNING))
        there.report_checks(later=30)
        assert there.newest().check.started
        there.say(ran(GREEN))
        assert there.report_checks(later=40) is None
        assert there.newest().check.conclusion is Conclusion.SUCCESS
        assert there.newest().id == queued.id
        assert there.count("create_check") == 1

    def test_that_did_not_change_makes_no_call(self) -> None:
        there = head(GREEN)
        there.report_checks()
        calls = list(there.calls)
        assert there.report_checks(later=60) is None
        assert there.calls == calls

    def test_tells_its_progress_now_and_then(self) -> None:
        there = head(RUNNING)
        there.report_checks()
        there.say(ran(replace(RUNNING, steps=(passed("clone", 0, 2), *RUNNING.steps))))
        wait = there.report_checks(later=4)
        assert wait is not None
        assert 0 < wait <= 26
        assert there.count("update_check") == 0
        assert there.report_checks(later=32, progress=False) == 0, "due, but others go first"
        there.report_checks(later=32)
        assert there.count("update_check") == 1

    def test_that_goes_on_gets_a_new_check_run(self) -> None:
        there = head(red())
        there.report_checks()
        first = there.newest()
        resumed = replace(red(), phase=Phase.RESUMING, outcome=None, resumed_at=at(60))
        there.say(ran(resumed))
        there.report_checks(later=60)
        second = there.newest()
        assert second.id != first.id
        assert first.check.conclusion is Conclusion.FAILURE, "it stays what it was"
        assert second.check.external_id == external_id(12, resumed) != first.check.external_id

    def test_that_takes_anothers_place_ends_it(self) -> None:
        there = head(RUNNING)
        there.report_checks()
        first = there.newest()
        there.say(ran(replace(RUNNING, id="f" * 32)))
        there.report_checks(later=5)
        assert first.check.conclusion is Conclusion.CANCELLED
        assert there.newest().id != first.id
        assert there.newest().check.conclusion is None

    def test_whose_check_run_is_gone_gets_a_new_one(self) -> None:
        there = head(RUNNING)
        there.report_checks()
        there.checks.clear()
        there.say(ran(GREEN))
        assert there.report_checks(later=40) is None
        assert there.newest().check.conclusion is Conclusion.SUCCESS


class TestWithoutARun:
    def test_a_skipped_pipeline_is_skipped(self) -> None:
        there = Head(fixed("unit", StatusState.SUCCESS, "skipped: no matching files"), policy=CHECKS)
        assert there.report_checks() is None
        assert there.newest().check.conclusion is Conclusion.SKIPPED

    def test_what_ran_and_was_overridden_is_a_new_success_whatever_was_skipped_before(self) -> None:
        """Both words without a run have the same external id: the older must not be taken for the newer."""
        skipped = fixed("unit", StatusState.SUCCESS, "skipped: no matching files")
        there = Head(skipped, policy=CHECKS)
        there.report_checks()
        there.say(ran(red()))
        there.report_checks(later=60)
        there.say(overridden("unit"))
        there.dies_at, there.dies_after = there.effects + 1, True
        with pytest.raises(Died):
            there.report_checks(later=90)
        there.report_checks(later=120)
        assert there.newest().check.conclusion is Conclusion.SUCCESS
        assert "overridden by @hubot" in there.newest().check.title

    def test_one_that_waits_again_is_not_taken_back_but_begun_anew(self) -> None:
        there = Head(fixed("unit", StatusState.SUCCESS, "skipped: draft"), policy=CHECKS)
        there.report_checks()
        there.say(fixed("unit", StatusState.PENDING, "waiting for /ok-to-test"))
        there.report_checks(later=5)
        assert there.newest().check.conclusion is None
        assert len(there.checks) == 2


class TestTheForm:
    def test_without_an_app_there_are_no_check_runs(self) -> None:
        there = head(GREEN)
        there.app = False
        assert there.report_checks() is None
        assert there.report_statuses() is None
        assert there.calls == ["set_status"]

    def test_with_one_there_are_no_statuses_beside_them(self) -> None:
        there = head(GREEN)
        there.report_checks()
        assert there.report_statuses() is None
        assert there.sent == []

    def test_a_repository_that_wants_statuses_again_has_its_check_runs_ended(self) -> None:
        there = head(RUNNING)
        there.report_checks()
        there.policy.clear()
        assert there.report_checks(later=30) is not None
        assert there.newest().check.conclusion is None
        there.say(ran(GREEN))
        assert there.report_checks(later=40) is None
        assert there.newest().check.conclusion is Conclusion.SUCCESS
        assert len(there.checks) == 1

    def test_one_that_no_pull_request_speaks_of_any_more_is_ended(self) -> None:
        there = head(RUNNING)
        there.report_checks()
        there.say()
        assert there.report_checks(later=30) is None
        assert there.newest().check.conclusion is Conclusion.CANCELLED


class TestSeveralPullRequests:
    @pytest.mark.parametrize(
        ("first", "second", "conclusion", "about"),
        [
            pytest.param(GREEN, red(), Conclusion.FAILURE, 13, id="red hides green"),
            pytest.param(GREEN, RUNNING, None, 13, id="pending hides green"),
            pytest.param(
                replace(red(), rules=replace(red().rules, optional=True)),
                red(),
                Conclusion.FAILURE,
                13,
                id="a failure that counts hides one that does not",
            ),
            pytest.param(GREEN, GREEN, Conclusion.SUCCESS, 12, id="all green"),
        ],
    )
    def test_share_a_head_and_the_worst_is_shown(
        self, first: Run, second: Run, conclusion: Conclusion | None, about: int
    ) -> None:
        there = head(first)
        there.say(ran(replace(second, number=13)), number=13)
        there.policy[13] = CHECKS
        there.report_checks()
        shown = there.newest().check
        assert shown.conclusion is conclusion
        assert shown.external_id.startswith(f"{about}:")
        assert "#12" in shown.title
        assert "#13" in shown.title


class TestAnnotations:
    def test_come_in_batches_after_the_outcome(self) -> None:
        there = head(red(120))
        there.lines = {"tests/test_app.py": [range(1, 1000)]}
        assert there.report_checks() is None
        assert [one.start_line for one in there.newest().annotations] == list(range(1, 121))
        assert there.calls[:3] == ["set_shown_check", "create_check", "set_shown_check"]
        assert there.count("update_check") == 3

    def test_are_two_hundred_at_most(self) -> None:
        there = head(red(300))
        there.report_checks()
        assert len(there.newest().annotations) == 200
        assert there.count("update_check") == 4

    def test_nobody_asks_for_the_diff_without_a_reason(self) -> None:
        there = head(red(0), GREEN)
        there.report_checks()
        assert there.count("changed_lines") == 0

    def test_of_a_branch_there_are_none(self) -> None:
        there = head()
        there.wanted = {-5: [ran(red(3))]}
        there.policy = {-5: CHECKS}
        assert there.report_checks() is None
        assert there.newest().annotations == []

    def test_are_on_lines_of_the_diff_only(self) -> None:
        there = head(red(50))
        there.lines = {"tests/test_app.py": [range(3, 5), range(10, 11)], "README.md": [range(1, 9)]}
        there.report_checks()
        assert [one.start_line for one in there.newest().annotations] == [3, 4, 10]


def crash_points(scenario: Run) -> int:
    there = head(scenario)
    there.report_checks()
    return there.effects


class TestADeath:
    """At each write, before or after it; then another worker goes on."""

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("effect", range(1, crash_points(red(120)) + 1))
    def test_leaves_nothing_out_and_nothing_twice(self, effect: int, *, after: bool) -> None:
        there = head(red(120))
        there.dies_at, there.dies_after = effect, after
        with pytest.raises(Died):
            there.report_checks()
        assert there.report_checks(later=30) is None
        assert len(there.checks) == 1
        assert there.newest().check.conclusion is Conclusion.FAILURE
        assert [one.start_line for one in there.newest().annotations] == list(range(1, 121))
        assert there.report_checks(later=60) is None
        assert len(there.newest().annotations) == 120

    @pytest.mark.parametrize("lost", range(1, 5))
    def test_of_answers_only_does_the_same(self, lost: int) -> None:
        there = head(red(120))
        there.lose = lost
        for second in range(lost):
            with pytest.raises(GitHubUnavailable):
                there.report_checks(later=second + 1)
        assert there.report_checks(later=30) is None
        assert len(there.checks) == 1
        assert [one.start_line for one in there.newest().annotations] == list(range(1, 121))

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("effect", [1, 2, 3])
    def test_while_it_is_created_leaves_none_in_progress_when_another_run_takes_its_place(
        self, effect: int, *, after: bool
    ) -> None:
        there = head(RUNNING)
        there.dies_at, there.dies_after = effect, after
        with pytest.raises(Died):
            there.report_checks()
        there.say(ran(replace(GREEN, id="f" * 32)))
        assert there.report_checks(later=30) is None
        *before, last = there.checks.values()
        assert last.check.conclusion is Conclusion.SUCCESS
        assert [one.check.conclusion for one in before] in ([], [Conclusion.CANCELLED])

    def test_of_an_answer_that_another_death_follows_does_neither(self) -> None:
        """It is not known to be there, is looked for, and whoever does so dies as well: at each moment."""
        for effect in range(1, 6):
            for after in (False, True):
                there = head(RUNNING)
                there.lose = 1
                with pytest.raises(GitHubUnavailable):
                    there.report_checks()
                there.say(ran(replace(GREEN, id="f" * 32)))
                there.dies_at, there.dies_after = there.effects + effect, after
                with pytest.raises(Died):
                    there.report_checks(later=30)
                there.report_checks(later=40)
                assert [one.check.conclusion for one in there.checks.values()] == [
                    Conclusion.CANCELLED,
                    Conclusion.SUCCESS,
                ]

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("effect", range(1, 6))
    def test_between_two_runs_leaves_none_in_progress(self, effect: int, *, after: bool) -> None:
        there = head(RUNNING)
        there.report_checks()
        there.say(ran(replace(GREEN, id="f" * 32)))
        there.dies_at, there.dies_after = there.effects + effect, after
        with pytest.raises(Died):
            there.report_checks(later=30)
        assert there.report_checks(later=40) is None
        assert [one.check.conclusion for one in there.checks.values()] == [
            Conclusion.CANCELLED,
            Conclusion.SUCCESS,
        ]
