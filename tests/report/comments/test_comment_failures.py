"""What the comment tells of a failure: why, which tests, what changed, what is unusual."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import (
    FlakyTest,
    Outcome,
    Past,
    Phase,
    PullView,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)
from bot.report.comments.comment import render_comment
from bot.report.comments.room import COMMENT_LIMIT, size
from tests.report.examples import LINKS, MARKER, OURS, failed, passed, ran, red_tests, run, step, view
from tests.report.rendering import assert_harmless, fences, list_items, parse
from tests.report.snapshots import assert_is_snapshot

if TYPE_CHECKING:
    from bot.report.links import Links

TESTS = TestResults(
    total=120,
    failed=3,
    skipped=4,
    seconds=31.5,
    failures=(
        TestFailure(
            "tests/test_app.py::test_add", "assert add(1, 1) == 3", "tests/test_app.py", line=12, seconds=0.1
        ),
        TestFailure(
            "tests/test_app.py::test_sub[a|b]",
            "ValueError: expected <b>, got\n`c` from @mallory (#12)",
            "tests/test_app.py",
        ),
        TestFailure("com.acme.AppTest.shows", seconds=2),
    ),
)
RED = run(
    "unit",
    passed("clone", 0, 3),
    failed(
        "test",
        "exit 1 after 42s",
        start=3,
        end=45,
        reproduce="pytest -q --junitxml=$ARTIFACTS/junit.xml",
        excerpt=("FAILED tests/test_app.py::test_add - assert 2 == 3", "3 failed, 113 passed, 4 skipped"),
        tests=TESTS,
    ),
    step("publish", StepState.BLOCKED, start=None, tries=0),
    outcome=Outcome.FAILURE,
    reason="test failed: exit 1 after 42s",
    took=46,
)
GREEN = run("unit", passed("clone", 0, 3), passed("test", 3, 80), outcome=Outcome.SUCCESS, took=80)
LINT_RED = run("lint", failed("lint", "exit 1"), outcome=Outcome.FAILURE, reason="lint failed: exit 1")
LINT_GREEN = run("lint", passed("lint", 0, 5), outcome=Outcome.SUCCESS, took=6)
LEFT = run(
    "e2e",
    replace(passed("build", 0, 20), result=StepResult(exit_code=0, artifacts=3)),
    replace(
        passed("test", 20, 80),
        result=StepResult(
            exit_code=0,
            artifacts=9,
            dropped="3 files, 120 MB: over the limit",
            tests=TestResults(total=118, skipped=2, notes=("junit_2.xml is not well-formed",)),
        ),
    ),
    outcome=Outcome.SUCCESS,
    took=81,
)

STORIES = {
    "failing_tests": view(
        ran(RED), past={"unit": Past(flaky=(FlakyTest("test", "com.acme.AppTest.shows", 3, 50),))}
    ),
    "changed": view(
        ran(RED), ran(LINT_GREEN), past={"unit": Past(before=GREEN), "lint": Past(before=LINT_RED)}
    ),
    "slow": view(ran(GREEN), ran(LINT_GREEN), past={"unit": Past(usual=52.7), "lint": Past(usual=5.5)}),
    "flaky": view(
        ran(GREEN),
        past={
            "unit": Past(
                flaky=(
                    FlakyTest("test", "tests/test_app.py::test_add", 3, 50),
                    FlakyTest("test", "shows", 1, 2),
                )
            )
        },
    ),
    "artifacts": view(ran(LEFT)),
    "killed": view(
        ran(
            run(
                "unit",
                failed("test", "killed by SIGKILL after 3m", code=-9, end=180, excerpt=("building...",)),
                failed("load", "killed by SIGKILL after 4m", code=-9, end=240, excerpt=("Out of memory",)),
                step("fuzz", StepState.FAILED, end=300, result=StepResult(), excerpt=("Task was killed",)),
                failed("mount", code=32, end=301),
                outcome=Outcome.FAILURE,
                reason="test, load, fuzz and 1 more failed",
                took=302,
            )
        )
    ),
    "consequence": view(
        ran(
            run(
                "e2e",
                failed("setup", "exit 1 after 5s", start=0, end=5, excerpt=("error: no nodes",)),
                step("test", StepState.BLOCKED, start=None, tries=0),
                failed("teardown", "exit 2 after 1s", start=6, end=7, excerpt=("error: no cluster",)),
                outcome=Outcome.FAILURE,
                reason="setup failed: exit 1; teardown failed: exit 2",
                took=8,
            )
        )
    ),
    "unreadable_tests": view(
        ran(
            run(
                "unit",
                failed(
                    "test",
                    "exit 1 after 9s",
                    excerpt=("error: no space left",),
                    tests=TestResults(total=7, notes=("junit.xml is not well-formed: line 3",)),
                ),
                outcome=Outcome.FAILURE,
                reason="test failed: exit 1 after 9s",
            )
        )
    ),
}  # fmt: skip


def render(shown: PullView, links: Links = LINKS) -> str:
    return render_comment(shown, links, MARKER)


@pytest.mark.parametrize("story", STORIES)
def test_a_comment_reads_well(story: str) -> None:
    rendered = render(STORIES[story])
    assert_is_snapshot(f"snapshots/{story}.md", rendered)
    assert_harmless(rendered, our_links=OURS, marker=MARKER)


class TestFailingTests:
    def test_are_named_with_message_and_place(self) -> None:
        first, second, third = list_items(parse(render(STORIES["failing_tests"])))
        assert "`assert add(1, 1) == 3`" in first
        assert f"({OURS[2]}tests/test_app.py#L12)" in first
        assert "#L" not in second
        assert third.startswith("`com.acme.AppTest.shows` (flaky: failed in 3 of its last 50 runs)")

    def test_are_shown_instead_of_the_log_which_is_a_click_away(self) -> None:
        told = render(STORIES["failing_tests"])
        assert "<summary>The lines that matter" in told
        assert "<summary>The lines that matter" not in render(STORIES["consequence"])

    def test_are_counted_where_they_are_many(self) -> None:
        names = [f"t{number:03}" for number in range(100)]
        many = red_tests(*names, total=2_000, failed=1_234)
        red = run("unit", failed("test", tests=many), outcome=Outcome.FAILURE)
        rendered = render(view(ran(red)))
        assert "1,234 of 2,000 tests failed:" in rendered
        items = list_items(parse(rendered))
        assert items[-1] == "and 1,214 more"
        assert len(items) == 21

    def test_without_names_are_counted_only(self) -> None:
        red = run("unit", failed("test", tests=TestResults(5, failed=2)), outcome=Outcome.FAILURE)
        assert "2 of 5 tests failed." in render(view(ran(red)))

    def test_of_a_running_pipeline_are_told_as_soon_as_their_step_failed(self) -> None:
        going = replace(RED, outcome=None, phase=Phase.ACTIVE, finished_at=None)
        assert "3 of 120 tests failed" in render(view(ran(going)))

    @pytest.mark.parametrize(
        "file",
        ["/etc/passwd", "../x.py", "C:\\x.py", "https://evil.example/x", "a//b", "x" * 400],
    )
    def test_are_not_linked_where_the_file_can_be_none_of_the_repository(self, file: str) -> None:
        tests = TestResults(1, 1, failures=(TestFailure("t", file=file, line=1),))
        rendered = render(view(ran(run("unit", failed("test", tests=tests), outcome=Outcome.FAILURE))))
        assert "/blob/" not in rendered
        assert_harmless(rendered, our_links=OURS, marker=MARKER)


class TestFirst:
    """What failed first is told first: the rest may have failed because of it."""

    def test_within_a_pipeline_is_what_ended_first(self) -> None:
        red = run("e2e", failed("slow", "no", end=50), failed("quick", "no", end=5), outcome=Outcome.FAILURE)
        rendered = render(view(ran(red)))
        assert rendered.index("`e2e` / `quick`") < rendered.index("`e2e` / `slow`")
        assert "had failed" not in rendered

    def test_comes_what_is_held_against_the_pull_request(self) -> None:
        optional = run("a", failed("x", "no"), outcome=Outcome.FAILURE, optional=True)
        rendered = render(view(ran(optional), ran(LINT_RED)))
        assert rendered.index("`lint` / `lint`") < rendered.index("`a` / `x`")

    def test_a_step_that_began_after_another_had_failed_says_so(self) -> None:
        assert "It began after `setup` had failed." in render(STORIES["consequence"])

    def test_steps_mapped_from_one_task_do_not_need_each_other(self) -> None:
        red = [
            replace(failed(f"shard {n}", "no", start=n * 10, end=n * 10 + 5), task_id="run", map_index=n)
            for n in range(2)
        ]
        assert "It began after" not in render(view(ran(run("e2e", *red, outcome=Outcome.FAILURE))))

    def test_blocked_ones_are_not_told_of_apart(self) -> None:
        assert "`unit` / `publish`" not in render(STORIES["failing_tests"])


class TestAnExcerpt:
    def shown(self, lines: int, steps: int = 1) -> str:
        log = tuple(f"error: line {number}" for number in range(lines))
        red = [failed(f"s{number}", "exit 1", excerpt=log) for number in range(steps)]
        return render(view(ran(run("unit", *red, outcome=Outcome.FAILURE))))

    def test_is_open_if_it_is_short(self) -> None:
        assert "The lines that matter" not in self.shown(20)

    def test_is_folded_if_it_is_long(self) -> None:
        assert "The lines that matter" in self.shown(21)

    def test_is_folded_where_there_are_many(self) -> None:
        assert self.shown(2, steps=5).count("The lines that matter") == 2


def test_a_dropped_artifact_is_said_and_the_others_are_linked() -> None:
    rendered = render(STORIES["artifacts"])
    assert "[12 artifacts](https://preflight.example/runs/" in rendered
    assert "Not kept of `test`: 3 files, 120 MB: over the limit" in rendered
    assert "artifacts" not in render(STORIES["slow"])


def test_a_comment_with_hundreds_of_failing_tests_fits() -> None:
    tests = red_tests(*(f"tests/test_{'x' * 90}.py::test_{n}" for n in range(100)), message="no " * 200)
    red = [failed(f"s{n}", "exit 1", reproduce="make " + "x" * 900, tests=tests) for n in range(40)]
    rendered = render(view(*(ran(run(f"p{n}", *red, outcome=Outcome.FAILURE)) for n in range(5))))
    assert COMMENT_LIMIT // 4 < size(rendered) <= COMMENT_LIMIT
    assert_harmless(rendered, our_links=OURS, marker=MARKER)
    assert "more failed steps" in rendered


def test_the_reproduction_is_there_however_many_tests_failed() -> None:
    assert "pytest -q --junitxml=$ARTIFACTS/junit.xml\n" in fences(render(STORIES["failing_tests"]))
