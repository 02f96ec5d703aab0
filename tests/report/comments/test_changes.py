"""What changed since the last run of the pull request, in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import Outcome, Past, Run, Step, StepState
from bot.report.comments.changes import changes
from bot.report.comments.rows import row_of
from tests.report.examples import failed, passed, ran, red_tests, run, step

GREEN = run("unit", passed("test", 0, 5), outcome=Outcome.SUCCESS)
CRASHED = run("unit", failed("test"), outcome=Outcome.FAILURE)
STOPPED = run("unit", failed("test"), outcome=Outcome.CANCELLED)
LATE = run("unit", passed("lint", 0, 5), step("test", StepState.CANCELLED), outcome=Outcome.TIMED_OUT)
UNRUNNABLE = run("unit", outcome=Outcome.ERROR, reason="DAG 'cheks' not found")


def red(*names: str, of: int = 0, notes: tuple[str, ...] = ()) -> Run:
    """Its step `test` failed, with those tests (the first of so many)."""
    return run(
        "unit",
        failed("test", tests=red_tests(*names, failed=of, total=100, notes=notes)),
        outcome=Outcome.FAILURE,
    )


def steps(*many: Step) -> Run:
    return run("unit", *many, outcome=Outcome.FAILURE)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        pytest.param(None, red("a"), "", id="the first run"),
        pytest.param(GREEN, GREEN, "", id="still green"),
        pytest.param(red("a"), red("a"), "", id="still red"),
        pytest.param(CRASHED, GREEN, "Fixed: `unit`.", id="green again"),
        pytest.param(red("a", "b"), GREEN, "Fixed: `unit`.", id="green again, its tests with it"),
        pytest.param(GREEN, CRASHED, "Newly failing: `unit`.", id="red without tests"),
        pytest.param(GREEN, LATE, "Newly failing: `unit`.", id="took too long"),
        pytest.param(GREEN, red("a", "b"), "Newly failing: `a`, `b` in `unit`.", id="red with tests"),
        pytest.param(
            GREEN,
            steps(failed("lint"), failed("test", tests=red_tests("a"))),
            "Newly failing: `lint`, `a` in `unit`.",
            id="a test and another step",
        ),
        pytest.param(
            red("a", "b"),
            red("b", "c"),
            "Fixed: `a` in `unit`. Newly failing: `c` in `unit`.",
            id="one for another",
        ),
        pytest.param(red("a"), red("b", of=2), "Newly failing: `b` in `unit`.", id="not all known now"),
        pytest.param(
            red("a"), red("b", notes=("x",)), "Newly failing: `b` in `unit`.", id="not all read now"
        ),
        pytest.param(red("a", of=2), red("b"), "Fixed: `a` in `unit`.", id="not all known before"),
        pytest.param(red("a", notes=("x",)), red("b"), "Fixed: `a` in `unit`.", id="not all read before"),
        pytest.param(CRASHED, red("a"), "", id="tests known for the first time"),
        pytest.param(red("a"), CRASHED, "", id="tests known no more"),
        pytest.param(
            steps(failed("lint"), step("test", StepState.BLOCKED)),
            steps(passed("lint", 0, 1), failed("test", tests=red_tests("a"))),
            "Fixed: `lint` in `unit`. Newly failing: `a` in `unit`.",
            id="further than before",
        ),
        pytest.param(
            steps(failed("lint"), failed("docs")),
            steps(passed("lint", 0, 1), failed("docs")),
            "Fixed: `lint` in `unit`.",
            id="one step of two",
        ),
        pytest.param(
            steps(failed("lint"), passed("docs", 0, 1)),
            steps(failed("lint"), failed("docs")),
            "Newly failing: `docs` in `unit`.",
            id="one step more",
        ),
        pytest.param(
            steps(failed("lint"), failed("docs")), steps(failed("lint")), "", id="a step that is no more"
        ),
        pytest.param(LATE, steps(failed("test")), "Newly failing: `test` in `unit`.", id="late before"),
        pytest.param(GREEN, STOPPED, "", id="cancelled says nothing"),
        pytest.param(GREEN, UNRUNNABLE, "", id="what could not run has not failed"),
        pytest.param(UNRUNNABLE, GREEN, "", id="nor is it fixed"),
        pytest.param(GREEN, replace(CRASHED, outcome=None), "", id="unfinished"),
    ],
)
def test_one_run_after_another(before: Run | None, now: Run, said: str) -> None:
    assert changes([row_of(ran(now), Past(before=before))]) == said


def several(now: Run, before: Run, number: int) -> str:
    rows = [
        row_of(ran(replace(now, pipeline=f"p{index}")), Past(before=replace(before, pipeline=f"p{index}")))
        for index in range(number)
    ]
    return changes(rows)


def test_many_are_counted() -> None:
    many = red(*(f"t{number}" for number in range(10)))
    assert several(many, GREEN, 1) == "Newly failing: `t0`, `t1`, `t2` and 7 more in `p0`."
    assert several(CRASHED, GREEN, 12) == "Newly failing: `p0`, `p1`, `p2`, `p3`, `p4` and 7 more."
    assert several(many, GREEN, 12).endswith(" in `p4` and 7 more.")
    assert len(several(red("x" * 1_000, "y" * 1_000), GREEN, 500)) < 2_000


def test_mapped_steps_are_told_apart() -> None:
    def shards(red: int) -> Run:
        return steps(
            *(
                replace(failed("run") if index == red else passed("run", 0, 1), map_index=index)
                for index in range(2)
            )
        )

    row = row_of(ran(shards(red=1)), Past(before=shards(red=0)))
    assert changes([row]) == "Fixed: `run [0]` in `unit`. Newly failing: `run [1]` in `unit`."
