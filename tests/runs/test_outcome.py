from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import CancelKind, DagRun, DagRunState, Outcome, Step, StepResult, StepState
from bot.runs.outcome import derive, stopped
from tests.examples import run

Stop = tuple[Outcome, str] | None

QUEUED, RUNNING, SUCCESS, FAILED = (
    DagRunState.QUEUED,
    DagRunState.RUNNING,
    DagRunState.SUCCESS,
    DagRunState.FAILED,
)
SUPERSEDED = (Outcome.CANCELLED, "superseded by 1a2b3c4")


def step(name: str, state: StepState, reason: str = "", code: int | None = None) -> Step:
    return Step(name, -1, name, state, result=StepResult(exit_code=code, reason=reason))


def passed(name: str) -> Step:
    return step(name, StepState.SUCCEEDED)


def failed(name: str, reason: str = "exit 1 after 42s", code: int | None = 1) -> Step:
    return step(name, StepState.FAILED, reason, code)


def skipped(name: str) -> Step:
    return step(name, StepState.SKIPPED)


@pytest.mark.parametrize("state", [QUEUED, RUNNING])
@pytest.mark.parametrize("cancel", [None, SUPERSEDED], ids=["", "cancelled"])
def test_a_run_is_not_over_while_airflow_works_on_it(state: DagRunState, cancel: Stop) -> None:
    assert derive(DagRun(state, (passed("clone"), failed("test"))), cancel) is None


@pytest.mark.parametrize(
    ("state", "steps", "outcome", "reason"),
    [
        pytest.param(SUCCESS, [passed("clone"), passed("test")], Outcome.SUCCESS, "", id="all passed"),
        pytest.param(
            SUCCESS,
            [passed("clone"), skipped("docs")],
            Outcome.SUCCESS,
            "",
            id="skipped by the DAG's branching",
        ),
        pytest.param(
            SUCCESS,
            [passed("a"), step("b", StepState.REMOVED)],
            Outcome.SUCCESS,
            "",
            id="a step no longer planned",
        ),
        pytest.param(
            FAILED,
            [passed("clone"), failed("test")],
            Outcome.FAILURE,
            "test failed: exit 1 after 42s",
            id="a step failed",
        ),
        pytest.param(
            SUCCESS,
            [failed("test"), passed("report")],
            Outcome.FAILURE,
            "test failed: exit 1 after 42s",
            id="a step that always runs hides the failure",
        ),
        pytest.param(
            FAILED,
            [failed("lint", "exit 1 after 2s"), failed("test")],
            Outcome.FAILURE,
            "lint, test failed: exit 1",
            id="two failed alike",
        ),
        pytest.param(
            FAILED,
            [failed("lint", "exit 1 after 2s"), failed("test", "timed out after 60s", None)],
            Outcome.FAILURE,
            "lint failed: exit 1; test failed: timed out after 60s",
            id="two failed differently",
        ),
        pytest.param(
            FAILED,
            [failed("a", "exit 1 after 2s"), failed("b", "exit 2", 2), failed("c"), failed("d"), failed("e")],
            Outcome.FAILURE,
            "a failed: exit 1; b failed: exit 2; c failed: exit 1; 2 more failed",
            id="many failed differently",
        ),
        pytest.param(
            FAILED,
            [failed(name) for name in "abcde"],
            Outcome.FAILURE,
            "a, b, c and 2 more failed: exit 1",
            id="many failed alike",
        ),
        pytest.param(
            FAILED,
            [failed("test", "", None)],
            Outcome.FAILURE,
            "test failed",
            id="killed before it could say why",
        ),
        pytest.param(
            FAILED,
            [Step("test", -1, "test", StepState.FAILED)],
            Outcome.FAILURE,
            "test failed",
            id="another kind of operator",
        ),
        pytest.param(
            FAILED,
            [failed("clone", "conflict in a.py", 1), step("test", StepState.BLOCKED)],
            Outcome.FAILURE,
            "clone failed: conflict in a.py",
            id="the ones behind it are not named",
        ),
        pytest.param(
            FAILED,
            [passed("clone"), skipped("test")],
            Outcome.FAILURE,
            "timed out or stopped in Airflow",
            id="the DAG run's timeout skips what runs",
        ),
        pytest.param(
            FAILED,
            [passed("clone"), step("test", StepState.RUNNING)],
            Outcome.FAILURE,
            "timed out or stopped in Airflow before test finished",
            id="failed with a step unfinished",
        ),
        pytest.param(
            SUCCESS,
            [passed("clone"), step("test", StepState.WAITING)],
            Outcome.ERROR,
            "Airflow calls it a success, but test did not finish",
            id="marked as success by hand",
        ),
        pytest.param(
            SUCCESS,
            [passed("clone"), step("test", StepState.BLOCKED)],
            Outcome.FAILURE,
            "test could not start",
            id="blocked without a failed step",
        ),
        pytest.param(
            SUCCESS,
            [skipped("a"), skipped("b")],
            Outcome.ERROR,
            "every step was skipped, so nothing was tested",
            id="everything skipped",
        ),
        pytest.param(SUCCESS, [], Outcome.ERROR, "the DAG run ended without any step", id="no steps"),
        pytest.param(
            FAILED,
            [step("a", StepState.REMOVED)],
            Outcome.ERROR,
            "the DAG run ended without any step",
            id="all steps removed",
        ),
    ],
)
def test_the_outcome_follows_from_the_steps(
    state: DagRunState, steps: list[Step], outcome: Outcome, reason: str
) -> None:
    assert derive(DagRun(state, tuple(steps)), None) == (outcome, reason)


@pytest.mark.parametrize(
    ("state", "steps", "outcome"),
    [
        pytest.param(SUCCESS, [passed("clone"), passed("test")], Outcome.SUCCESS, id="had passed before"),
        pytest.param(SUCCESS, [passed("clone"), skipped("test")], Outcome.CANCELLED, id="ends as success"),
        pytest.param(FAILED, [passed("clone"), failed("test")], Outcome.CANCELLED, id="what ran was killed"),
        pytest.param(FAILED, [passed("clone"), passed("test")], Outcome.CANCELLED, id="between two steps"),
        pytest.param(FAILED, [step("a", StepState.RUNNING)], Outcome.CANCELLED, id="still being killed"),
        pytest.param(SUCCESS, [step("a", StepState.REMOVED)], Outcome.CANCELLED, id="no steps left"),
        pytest.param(FAILED, [], Outcome.CANCELLED, id="before the first step"),
    ],
)
def test_a_run_that_we_stopped_is_cancelled_unless_it_had_passed(
    state: DagRunState, steps: list[Step], outcome: Outcome
) -> None:
    expected = SUPERSEDED if outcome is Outcome.CANCELLED else (outcome, "")
    assert derive(DagRun(state, tuple(steps)), SUPERSEDED) == expected


@pytest.mark.parametrize(
    ("cancel", "kind", "expected"),
    [
        (None, None, None),
        ("by rita", CancelKind.COMMAND, (Outcome.CANCELLED, "by rita")),
        ("superseded by 1a2b3c4", CancelKind.PUSH, SUPERSEDED),
        ("timed out after 30m", CancelKind.TIMEOUT, (Outcome.TIMED_OUT, "timed out after 30m")),
    ],
    ids=["not at all", "by a command", "by a push", "by its timeout"],
)
def test_how_a_run_ends_that_was_asked_to_stop(
    cancel: str | None, kind: CancelKind | None, expected: Stop
) -> None:
    assert stopped(replace(run(), cancel=cancel, cancel_kind=kind)) == expected


steps = st.builds(
    step, st.sampled_from(["lint", "test"]), st.sampled_from(StepState), st.sampled_from(["", "exit 1"])
)


@given(st.sampled_from(DagRunState), st.lists(steps, max_size=4), st.sampled_from([None, SUPERSEDED]))
def test_nothing_is_green_unless_every_step_is(state: DagRunState, some: list[Step], cancel: Stop) -> None:
    over = derive(DagRun(state, tuple(some)), cancel)
    assert (over is None) == (not state.finished)
    if over is not None and over[0] is Outcome.SUCCESS:
        fine = {StepState.SUCCEEDED, StepState.SKIPPED, StepState.REMOVED}
        assert {one.state for one in some} <= fine
        assert any(one.state is StepState.SUCCEEDED for one in some)
        assert state is SUCCESS
    elif over is not None:
        assert over[1], "whatever is not green says why"
