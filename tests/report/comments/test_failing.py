"""What fails at a head, by names to remember, so that people are notified of what newly fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import CommentPolicy, Outcome, Phase, PullView, StatusState, StepState, Verdict
from bot.report.comments.failing import (
    LONGEST_NAME,
    MOST_TESTS,
    bounded,
    failing,
    newly_failing,
    still_failing,
)
from tests.report.examples import failed, fixed, passed, ran, red_tests, run, step, view

PASSED = ran(run("unit", passed("test", 0, 5), outcome=Outcome.SUCCESS))
RED = run("unit", failed("test", tests=red_tests("a", "b")), outcome=Outcome.FAILURE)
GOING = replace(RED, outcome=None, phase=Phase.ACTIVE)
BROKEN = fixed("", StatusState.ERROR, "preflight.yaml can't be used", "preflight/config")
WAITING = fixed("unit", StatusState.PENDING, "waiting for /ok-to-test")
SKIPPED = fixed("unit", StatusState.SUCCESS, "skipped: no matching files")


@pytest.mark.parametrize(
    ("verdict", "names"),
    [
        pytest.param(PASSED, set(), id="passed"),
        pytest.param(WAITING, set(), id="waiting"),
        pytest.param(ran(RED), {"unit", "unit: a", "unit: b"}, id="failed, with its tests"),
        pytest.param(ran(GOING), {"unit", "unit: a", "unit: b"}, id="a step failed so far"),
        pytest.param(
            ran(run("unit", step("test", StepState.FAILED))), set(), id="a step failed, nobody knows how yet"
        ),
        pytest.param(ran(replace(GOING, cancel="by octocat")), set(), id="about to be cancelled"),
        pytest.param(ran(replace(GOING, phase=Phase.RESUMING)), set(), id="about to run again"),
        pytest.param(ran(run("unit", failed("test"), outcome=Outcome.CANCELLED)), set(), id="cancelled"),
        pytest.param(ran(run("unit", outcome=Outcome.TIMED_OUT)), {"unit"}, id="timed out"),
        pytest.param(ran(run("unit", outcome=Outcome.ERROR, reason="no DAG")), {"unit"}, id="could not run"),
        pytest.param(
            ran(run("unit", outcome=Outcome.ERROR, reason="not run: it needs lint, which failed")),
            set(),
            id="not run because another one failed",
        ),
        pytest.param(
            ran(run("unit", failed("x"), outcome=Outcome.FAILURE, optional=True)), set(), id="optional"
        ),
        pytest.param(BROKEN, {"preflight/config"}, id="a broken configuration"),
    ],
)
def test_a_verdict(verdict: Verdict, names: set[str]) -> None:
    assert failing(view(verdict)) == names


def test_without_a_table_only_what_is_no_pipelines() -> None:
    assert failing(view(ran(RED), BROKEN, comment=CommentPolicy.OFF)) == {"preflight/config"}


def test_long_names_stay_apart() -> None:
    red = run(
        "unit",
        failed("test", tests=red_tests("x" * 1_000 + "a", "x" * 1_000 + "b", "c\0\n\ud800")),
        outcome=Outcome.FAILURE,
    )
    names = failing(view(ran(red)))
    assert len(names) == 4
    assert all(len(name) <= len("unit: ") + LONGEST_NAME for name in names)
    "".join(names).encode()


def many(number: int) -> PullView:
    names = [f"t{index}" for index in range(number)]
    return view(ran(run("unit", failed("test", tests=red_tests(*names)), outcome=Outcome.FAILURE)))


def test_of_very_many_tests_none_is_new() -> None:
    crowd = failing(many(MOST_TESTS + 1))
    assert crowd == {"unit", "unit: *"}
    assert not newly_failing(failing(many(MOST_TESTS)), crowd)
    assert newly_failing(failing(view(ran(replace(RED, pipeline="e2e")))), crowd) == {
        "e2e",
        "e2e: a",
        "e2e: b",
    }


def test_the_first_of_many_failing_tests_are_a_sample() -> None:
    """Of 300 failing tests 100 are named: that others are named next time says nothing new."""

    def sample(first: int) -> PullView:
        names = [f"test_{number}" for number in range(first, first + 100)]
        tests = red_tests(*names, total=400, failed=300)
        return view(ran(run("unit", failed("test", tests=tests), outcome=Outcome.FAILURE)))

    assert newly_failing(failing(sample(50)), failing(sample(0))) == frozenset()


def test_what_is_remembered_stays_bounded_though_no_run_ever_ends() -> None:
    known: frozenset[str] = frozenset()
    for push in range(10):
        names = [f"t{push}_{index}" for index in range(90)]
        so_far = view(ran(run("unit", failed("test", tests=red_tests(*names)))))
        known = bounded(failing(so_far) | still_failing(known, so_far))
        assert len(known) <= MOST_TESTS
    assert known >= {"unit", "unit: *"}


@pytest.mark.parametrize(
    ("now", "before", "new"),
    [
        pytest.param(set(), {"unit"}, set(), id="mended"),
        pytest.param({"unit", "unit: a"}, set(), {"unit", "unit: a"}, id="first"),
        pytest.param({"unit", "unit: a"}, {"unit", "unit: a", "lint"}, set(), id="the same"),
        pytest.param({"unit", "unit: b"}, {"unit", "unit: a"}, {"unit: b"}, id="another test"),
    ],
)
def test_new_is_what_did_not_fail_before(now: set[str], before: set[str], new: set[str]) -> None:
    assert newly_failing(frozenset(now), frozenset(before)) == new


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        pytest.param(PASSED, {"lint"}, id="passed"),
        pytest.param(SKIPPED, {"lint"}, id="skipped"),
        pytest.param(ran(RED), {"lint", "unit", "unit: a"}, id="fails, with one of its tests"),
        pytest.param(ran(GOING), {"lint", "unit", "unit: a", "unit: z"}, id="not at its end"),
        pytest.param(WAITING, {"lint", "unit", "unit: a", "unit: z"}, id="not tested yet"),
    ],
)
def test_what_failed_is_remembered_until_it_is_known_to_pass(verdict: Verdict, kept: set[str]) -> None:
    before = frozenset({"lint", "unit", "unit: a", "unit: z"})
    assert still_failing(before, view(verdict)) == kept
