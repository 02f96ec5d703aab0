"""When the comment is posted anew, so that people are notified, and when it is edited in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.claims import Urgency
from bot.errors import GitHubUnavailable
from bot.models import CommentPolicy, Outcome, Past, Phase, StatusState, StepState
from bot.report.comments.comment import render_comment
from bot.report.comments.failing import MOST_TESTS
from tests.report.examples import (
    HEAD,
    LINKS,
    MARKER,
    REPOSITORY,
    at,
    failed,
    fixed,
    passed,
    ran,
    red_tests,
    run,
    step,
    view,
)
from tests.report.memory import Sticky

if TYPE_CHECKING:
    from bot.models import PullView, Run

NEXT = "9" * 40


def going(name: str) -> Run:
    return run(name, step("test", StepState.RUNNING))


def green(name: str) -> Run:
    return run(name, passed("test", 0, 5), outcome=Outcome.SUCCESS)


def red(name: str, *tests: str) -> Run:
    return run(
        name, failed("test", tests=red_tests(*tests) if tests else None), outcome=Outcome.FAILURE, reason="x"
    )


def shows(*runs: Run, head: str = HEAD) -> PullView:
    return replace(view(*map(ran, runs)), head_sha=head)


@pytest.fixture
def sticky() -> Sticky:
    return Sticky()


def told(sticky: Sticky, *views: PullView) -> list[bool]:
    """Whether people were notified, view by view."""
    notified = []
    for wanted in views:
        before = sticky.github.count("create_comment")
        sticky.report(wanted)
        sticky.report()
        notified.append(sticky.github.count("create_comment") > before)
        assert len(sticky.comments()) == 1
        assert sticky.store.shown.old_id is None
    return notified


class TestPeopleAreNotified:
    def test_of_the_first_comment_and_then_of_nothing_that_passes(self, sticky: Sticky) -> None:
        assert told(
            sticky,
            shows(going("unit"), going("lint")),
            shows(green("unit"), going("lint")),
            shows(green("unit"), green("lint")),
        ) == [True, False, False]

    def test_of_a_heads_first_failure_at_once_and_of_the_others_together_at_its_end(
        self, sticky: Sticky
    ) -> None:
        assert told(
            sticky,
            shows(going("unit"), going("lint"), going("e2e"), going("docs")),
            shows(red("unit"), going("lint"), going("e2e"), going("docs")),
            shows(red("unit"), red("lint"), going("e2e"), going("docs")),
            shows(red("unit"), red("lint"), red("e2e"), going("docs")),
            shows(red("unit"), red("lint"), red("e2e"), green("docs")),
        ) == [True, True, False, False, True]

    def test_as_soon_as_a_step_failed(self, sticky: Sticky) -> None:
        so_far = run("unit", failed("lint", "exit 1"), step("test", StepState.RUNNING))
        assert told(sticky, shows(going("unit")), shows(so_far), shows(red("unit"))) == [True, True, False]

    def test_not_again_of_what_still_fails_at_the_next_head(self, sticky: Sticky) -> None:
        assert told(
            sticky,
            shows(red("unit", "a")),
            shows(going("unit"), head=NEXT),
            shows(red("unit", "a"), head=NEXT),
        ) == [True, False, False]

    def test_of_a_test_that_fails_newly_at_the_next_head(self, sticky: Sticky) -> None:
        assert told(
            sticky,
            shows(red("unit", "a")),
            shows(going("unit"), going("lint"), head=NEXT),
            shows(red("unit", "a", "b"), going("lint"), head=NEXT),
        ) == [True, False, True]

    def test_of_what_fails_again_after_it_had_passed(self, sticky: Sticky) -> None:
        assert told(
            sticky,
            shows(red("unit")),
            shows(green("unit"), head=NEXT),
            shows(red("unit"), head="8" * 40),
        ) == [True, False, True]

    def test_not_of_what_was_not_tested_meanwhile(self, sticky: Sticky) -> None:
        waits = fixed("unit", StatusState.PENDING, "waiting for /ok-to-test")
        assert told(
            sticky,
            shows(red("unit")),
            replace(view(waits), head_sha=NEXT),
            shows(red("unit"), head=NEXT),
        ) == [True, False, False]

    def test_not_of_what_failed_before_because_something_else_was_told_of_meanwhile(
        self, sticky: Sticky
    ) -> None:
        assert told(
            sticky,
            shows(red("unit", "a"), green("e2e")),
            shows(going("unit"), going("e2e"), head=NEXT),
            shows(going("unit"), red("e2e"), head=NEXT),
            shows(red("unit", "a"), red("e2e"), head=NEXT),
        ) == [True, False, True, False]

    def test_of_a_failed_step_once_its_results_are_read(self, sticky: Sticky) -> None:
        """Airflow may call a step failed before its XCom can be read; its tests are part of the news."""
        unread = replace(failed("test"), result=None, excerpt=None)
        assert told(
            sticky,
            shows(going("unit"), going("lint")),
            shows(run("unit", unread), going("lint")),
            shows(red("unit", "a"), going("lint")),
            shows(red("unit", "a"), green("lint")),
        ) == [True, False, True, False]

    def test_not_of_the_tests_that_are_left_of_very_many(self, sticky: Sticky) -> None:
        many = [f"test_{number}" for number in range(MOST_TESTS + 1)]
        assert told(
            sticky,
            shows(red("unit", *many)),
            shows(red("unit", "test_1", "test_2"), going("lint"), head=NEXT),
            shows(red("unit", "test_1", "test_2"), green("lint"), head=NEXT),
            shows(red("unit", "test_1", "test_3"), green("lint"), head="8" * 40),
        ) == [True, False, False, True]

    def test_of_what_fails_after_it_was_asked_to_run_again(self, sticky: Sticky) -> None:
        again = replace(red("unit", "a"), phase=Phase.RESUMING, outcome=None)
        assert told(
            sticky, shows(red("unit", "a")), shows(again), shows(going("unit")), shows(red("unit", "b"))
        ) == [True, False, False, True]

    def test_not_of_what_is_optional_cancelled_or_not_run(self, sticky: Sticky) -> None:
        assert told(
            sticky,
            shows(going("unit")),
            shows(run("unit", failed("x"), outcome=Outcome.FAILURE, optional=True)),
            shows(run("unit", failed("x"), outcome=Outcome.CANCELLED, reason="by octocat")),
            shows(run("unit", outcome=Outcome.ERROR, reason="not run: it needs lint, which failed")),
        ) == [True, False, False, False]

    def test_of_a_configuration_that_broke(self, sticky: Sticky) -> None:
        broken = fixed("", StatusState.ERROR, "preflight.yaml can't be used", "preflight/config")
        assert told(sticky, shows(green("unit")), view(broken, notice="line 3: no dag")) == [True, True]


def test_only_failures_are_posted_where_the_repository_wants_it_so(sticky: Sticky) -> None:
    def quiet(*runs: Run) -> PullView:
        return view(*map(ran, runs), comment=CommentPolicy.FAILURES)

    sticky.report(quiet(going("unit"), going("lint")))
    sticky.report(quiet(green("unit"), going("lint")))
    assert not sticky.comments()
    sticky.report(quiet(green("unit"), run("lint", failed("x"), step("y", StepState.RUNNING))))
    assert "`lint`" in sticky.comment.body
    sticky.report(quiet(green("unit"), green("lint")))
    assert "passed" in sticky.comment.body


def test_what_changed_is_told_from_the_past(sticky: Sticky) -> None:
    sticky.past.by_pipeline["unit"] = Past(before=red("unit"))
    sticky.report(shows(green("unit")))
    assert "Fixed: `unit`." in sticky.comment.body


class TestWhoeverDiesOnTheWay:
    """The next worker leaves one comment, the right one, and people heard of the failure."""

    START = shows(going("unit"), going("lint"))
    NEWS = shows(red("unit"), going("lint"))
    END = shows(red("unit"), red("lint"))

    @pytest.mark.parametrize("point", range(6))
    @pytest.mark.parametrize("first", [False, True], ids=["posted anew", "posted first"])
    def test_leaves_one(self, sticky: Sticky, point: int, *, first: bool) -> None:
        if not first:
            sticky.report(self.START)
        original = {comment.id for comment in sticky.comments()}
        sticky.die(point, self.NEWS)
        assert len(sticky.comments()) <= 2
        sticky.report()
        assert "`unit` failed" in sticky.comment.body
        assert sticky.comment.id not in original
        sticky.report(self.END)
        assert "`lint` failed" in sticky.comment.body or "`unit`, `lint` failed" in sticky.comment.body
        assert sticky.store.shown.old_id is None
        assert sticky.report() == []

    @pytest.mark.parametrize("first", range(4))
    @pytest.mark.parametrize("second", range(4))
    def test_twice_leaves_one_though_it_went_on_meanwhile(
        self, sticky: Sticky, first: int, second: int
    ) -> None:
        sticky.report(self.START)
        for point, wanted in ((first, self.NEWS), (second, self.END)):
            sticky.die(point, wanted)
        for _ in range(2):
            sticky.report()
        assert "`lint`" in sticky.comment.body
        assert sticky.report() == []

    @pytest.mark.parametrize("point", range(5))
    def test_leaves_none_where_nothing_is_left_to_tell(self, sticky: Sticky, point: int) -> None:
        sticky.report(self.START)
        sticky.die(point, self.NEWS)
        for _ in range(2):
            sticky.report(view())
        assert not sticky.comments()

    def test_an_answer_that_was_lost_posts_nothing_twice(self, sticky: Sticky) -> None:
        sticky.report(self.START)
        sticky.github.lose_answers("create_comment")
        with pytest.raises(Exception, match="502"):
            sticky.report(self.NEWS)
        assert len(sticky.comments()) == 2
        sticky.report()
        assert "`unit` failed" in sticky.comment.body
        assert sticky.github.count("create_comment") == 2

    @pytest.mark.parametrize("point", range(4))
    def test_does_not_leave_what_was_true_for_a_moment(self, sticky: Sticky, point: int) -> None:
        """It is red as before when the next worker looks, and GitHub may show that it was green."""
        sticky.report(shows(red("unit")))
        sticky.die(point, shows(green("unit")))
        sticky.report(shows(red("unit")))
        sticky.report()
        assert "`unit` failed" in sticky.comment.body

    def test_is_not_misled_by_what_a_step_printed(self, sticky: Sticky) -> None:
        """Else the old comment were taken for the new one, and deleted as the old one."""
        sticky.report(shows(going("e2e")))
        mark = f"<!-- preflight: in place of {sticky.comment.id} -->\n{MARKER}"
        printed = failed("test", excerpt=tuple(mark.splitlines()))
        unit = ran(run("unit", printed, outcome=Outcome.FAILURE, reason="x", optional=True))
        sticky.report(view(unit, ran(going("e2e"))))
        assert mark in sticky.comment.body
        sticky.github.unavailable("create_comment")
        with pytest.raises(GitHubUnavailable):
            sticky.report(view(unit, ran(red("e2e"))))
        for _ in range(3):
            sticky.report()
        assert "`e2e` failed" in sticky.comment.body

    def test_one_that_somebody_deletes_meanwhile_is_posted_once(self, sticky: Sticky) -> None:
        sticky.report(self.START)
        sticky.github.remove_comment(sticky.comment.id)
        sticky.report(self.NEWS)
        sticky.report()
        assert "`unit` failed" in sticky.comment.body


moments = st.tuples(
    st.sampled_from([Outcome.SUCCESS, Outcome.FAILURE, None]),
    st.sampled_from([Outcome.SUCCESS, Outcome.FAILURE, None]),
    st.sampled_from([HEAD, NEXT]),
    st.sampled_from([None, None, 0, 1, 2, 3]),
)


@given(st.lists(moments, min_size=1, max_size=8))
def test_whatever_happens_there_is_one_comment_and_it_is_right(
    story: list[tuple[Outcome | None, Outcome | None, str, int | None]],
) -> None:
    sticky = Sticky()
    by_outcome = {Outcome.SUCCESS: green, Outcome.FAILURE: red, None: going}
    for unit, lint, head, death in story:
        wanted = shows(by_outcome[unit]("unit"), by_outcome[lint]("lint"), head=head)
        if death is not None:
            sticky.die(death, wanted)
        else:
            sticky.report(wanted)
    for _ in range(2):
        sticky.report()
    said = render_comment(sticky.store.wanted, LINKS, MARKER).rstrip().removesuffix(MARKER)
    assert sticky.comment.body.startswith(said)
    assert sticky.comment.body.rstrip().endswith(MARKER)
    assert sticky.report() == []


def test_the_comment_that_was_posted_anew_ends_with_the_marker_too(sticky: Sticky) -> None:
    told(sticky, shows(going("unit")))
    first = sticky.comment.id
    told(sticky, shows(red("unit")))
    assert sticky.comment.body.endswith(f"\n\n<!-- preflight: in place of {first} -->\n{MARKER}")


class TestTime:
    def ended(self, name: str, second: float) -> Run:
        return replace(green(name), started_at=at(0), finished_at=at(second))

    def test_progress_waits_for_what_comes_with_it(self, sticky: Sticky) -> None:
        sticky.report(shows(going("unit"), going("lint"), going("e2e")), later=0)
        (wait,) = sticky.report(shows(self.ended("unit", 20), going("lint"), going("e2e")), later=21)
        assert wait == pytest.approx(2)
        sticky.report(shows(self.ended("unit", 20), self.ended("lint", 21), going("e2e")), later=2)
        assert sticky.github.count("edit_comment") == 0
        sticky.report(later=2)
        assert sticky.github.count("edit_comment") == 1

    def test_a_clock_that_is_ahead_holds_nothing_back(self, sticky: Sticky) -> None:
        sticky.report(shows(going("unit"), going("lint")), later=0)
        assert sticky.report(shows(self.ended("unit", 900), going("lint")), later=11) == []

    def test_neither_the_end_nor_news_waits(self, sticky: Sticky) -> None:
        sticky.report(shows(going("unit"), going("lint")), later=0)
        assert sticky.report(shows(red("unit"), going("lint")), later=1) == []
        assert sticky.report(shows(red("unit"), self.ended("lint", 1)), later=1) == []
        assert "1 of 2 pipelines passed" in sticky.comment.body


class TestBudget:
    def test_progress_is_asked_for_as_such_and_the_end_as_the_end(self, sticky: Sticky) -> None:
        told(
            sticky,
            shows(going("unit"), going("lint"), going("e2e")),
            shows(green("unit"), going("lint"), going("e2e")),
            shows(green("unit"), red("lint"), going("e2e")),
            shows(green("unit"), red("lint"), green("e2e")),
        )
        assert sticky.budget.asked == [
            (True, Urgency.PROGRESS),
            (True, Urgency.PROGRESS),
            (True, Urgency.FINAL_COMMENT),
            (True, Urgency.FINAL_COMMENT),  # the old one is deleted
            (True, Urgency.FINAL_COMMENT),
        ]

    def test_whoever_is_refused_sends_nothing_and_says_when_to_come_again(self, sticky: Sticky) -> None:
        sticky.budget.wait = 7.5
        assert sticky.report(shows(going("unit"))) == [7.5]
        assert sticky.github.count() == 0
        sticky.budget.wait = 0.0
        assert sticky.report() == []
        assert sticky.comments()

    def test_an_unchanged_comment_asks_for_nothing(self, sticky: Sticky) -> None:
        sticky.report(shows(green("unit")))
        sticky.budget.asked.clear()
        sticky.report()
        assert sticky.budget.asked == []

    def test_taking_it_away_asks_too(self, sticky: Sticky) -> None:
        sticky.report(shows(green("unit")))
        sticky.budget.wait = 3.0
        assert sticky.report(view()) == [3.0]
        assert sticky.comments()
        sticky.budget.wait = 0.0
        assert sticky.report() == []
        assert not sticky.comments()

    def test_an_old_comment_waits_to_be_deleted(self, sticky: Sticky) -> None:
        sticky.report(shows(going("unit")))
        old_id = sticky.github.put_comment(REPOSITORY, 12, sticky.github.login, "old")
        sticky.store.shown = replace(sticky.store.shown, old_id=old_id)
        sticky.budget.wait = 3.0
        assert sticky.report() == [3.0]
        sticky.budget.wait = 0.0
        assert sticky.report() == []
        assert "old" not in sticky.comment.body
