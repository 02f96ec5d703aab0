"""A status for each step: `preflight/NAME/STEP`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Outcome, Phase, Run, Status, StatusState, Step, StepResult, StepState
from bot.report.links import Links
from bot.report.statuses.step_statuses import CONTEXT_LIMIT, STEPS, describe_step, leftover, step_statuses
from tests.report.examples import LINKS, NOON, failed, passed, run, step
from tests.report.hostile import hostile_text

PENDING, SUCCESS, FAILURE, ERROR = (
    StatusState.PENDING,
    StatusState.SUCCESS,
    StatusState.FAILURE,
    StatusState.ERROR,
)
GOING = run("unit")
RED = run("unit", outcome=Outcome.FAILURE, reason="lint failed: exit 1")
STOPPED = run("unit", outcome=Outcome.CANCELLED, reason="superseded by 1a2b3c4")
LATE = run("unit", outcome=Outcome.TIMED_OUT, reason="timed out after 30m")
AGAIN = run("unit", phase=Phase.RESUMING)


@pytest.mark.parametrize(
    ("of", "shown", "state", "description"),
    [
        pytest.param(GOING, step("a", StepState.WAITING, start=None), PENDING, "waiting", id="waiting"),
        pytest.param(GOING, step("a", StepState.RUNNING), PENDING, "running", id="running"),
        pytest.param(
            GOING, step("a", StepState.RUNNING, tries=2), PENDING, "running (try 2)", id="second try"
        ),
        pytest.param(GOING, step("a", StepState.RETRYING), PENDING, "about to be retried", id="retrying"),
        pytest.param(GOING, passed("a", 0, 3), SUCCESS, "passed in 3s", id="passed"),
        pytest.param(GOING, step("a"), SUCCESS, "passed", id="passed, nobody knows in what time"),
        pytest.param(
            GOING, failed("a", "exit 1 after 42s"), FAILURE, "failed: exit 1 after 42s", id="failed"
        ),
        pytest.param(
            GOING, failed("a", "exit 1", tries=3), FAILURE, "failed: exit 1 (try 3)", id="failed again"
        ),
        pytest.param(
            RED, step("a", StepState.BLOCKED), ERROR, "not started: a step before it failed", id="blocked"
        ),
        pytest.param(GOING, step("a", StepState.SKIPPED), SUCCESS, "skipped", id="skipped"),
        pytest.param(
            STOPPED,
            step("a", StepState.CANCELLED),
            ERROR,
            "cancelled: superseded by 1a2b3c4",
            id="stopped with its run",
        ),
        pytest.param(
            STOPPED,
            step("a", StepState.BLOCKED),
            ERROR,
            "cancelled: superseded by 1a2b3c4",
            id="not reached before its run was stopped",
        ),
        pytest.param(LATE, step("a", StepState.CANCELLED), ERROR, "timed out after 30m", id="out of time"),
        pytest.param(
            LATE, step("a", StepState.RUNNING), ERROR, "timed out after 30m", id="never heard of again"
        ),
        pytest.param(LATE, failed("a", "exit 2"), FAILURE, "failed: exit 2", id="failed before that"),
        pytest.param(AGAIN, failed("a"), PENDING, "to run again", id="to be resumed"),
        pytest.param(AGAIN, step("a", StepState.BLOCKED), PENDING, "to run again", id="then it is its turn"),
        pytest.param(AGAIN, passed("a", 0, 3), SUCCESS, "passed in 3s", id="not run again"),
    ],
)
def test_a_step_in_a_sentence(of: Run, shown: Step, state: StatusState, description: str) -> None:
    assert describe_step(of, shown) == (state, description)


def test_each_leads_to_its_log() -> None:
    statuses = step_statuses(run("unit", passed("clone", 0, 3), failed("lint", "exit 1")), LINKS, NOON)
    page = LINKS.run_page(run("unit").id)
    assert list(statuses) == [
        Status("preflight/unit/clone", SUCCESS, "passed in 3s", f"{page}#step-clone"),
        Status("preflight/unit/lint", FAILURE, "failed: exit 1", f"{page}#step-lint"),
    ]


def mapped(name: str, state: StepState) -> Step:
    """The first of the steps that task `a` was mapped to."""
    return replace(step("a", state), name=name, map_index=0)


@pytest.mark.parametrize(
    ("shown", "has_status"),
    [
        pytest.param(step("a", StepState.WAITING, start=None), False, id="waiting"),
        pytest.param(step("a", StepState.BLOCKED, start=None), False, id="never reached"),
        pytest.param(step("a", StepState.CANCELLED, start=None), False, id="cancelled before"),
        pytest.param(step("a", StepState.CANCELLED), True, id="cancelled"),
        pytest.param(step("a", StepState.RETRYING), True, id="about to be retried"),
        pytest.param(step("a", StepState.SKIPPED, start=None), True, id="skipped"),
        pytest.param(step("a", StepState.RUNNING), True, id="running"),
        pytest.param(mapped("a[0]", StepState.RUNNING), False, id="running, not named yet"),
        pytest.param(mapped("lint", StepState.RUNNING), True, id="running, named"),
        pytest.param(mapped("a[0]", StepState.SUCCEEDED), True, id="passed, never named"),
        pytest.param(mapped("a[0]", StepState.FAILED), True, id="failed, never named"),
        pytest.param(failed("a"), True, id="failed"),
    ],
)
def test_a_step_has_a_status_from_when_it_begins_on(shown: Step, *, has_status: bool) -> None:
    """Before, no mapped step has its name, and nothing is known but its place in the DAG."""
    assert list(step_statuses(run("unit", shown), LINKS, NOON).values()) == [has_status]


def test_a_step_that_is_no_more_has_none() -> None:
    assert not step_statuses(run("unit", step("old", StepState.REMOVED)), LINKS, NOON)


@pytest.mark.parametrize(
    ("names", "contexts"),
    [
        pytest.param(["lint", "lint"], ["lint", "lint (2)"], id="the same"),
        pytest.param(["Lint", "lint"], ["Lint", "lint (2)"], id="the same for GitHub"),
        pytest.param(["a\n b", "a b", "a\tb"], ["a b", "a b (2)", "a b (3)"], id="once cleaned"),
        pytest.param(["a (2)", "a", "a"], ["a (2)", "a", "a (3)"], id="a suffix that is taken"),
        pytest.param(["\u202e", ""], ["step", "step (2)"], id="nothing left"),
    ],
)
def test_names_that_collide_are_told_apart(names: list[str], contexts: list[str]) -> None:
    steps = [replace(passed(f"t{index}", 0, 1), name=name) for index, name in enumerate(names)]
    shown = step_statuses(run("unit", *steps), LINKS, NOON)
    assert [status.context.removeprefix("preflight/unit/") for status in shown] == contexts


def test_mapped_steps_have_their_names_or_their_index() -> None:
    mapped = [replace(passed("run", 0, 1), map_index=index) for index in range(2)]
    named = replace(mapped[0], name="py3.11")
    shown = step_statuses(run("unit", *mapped, named), LINKS, NOON)
    assert [status.context for status in shown] == [
        "preflight/unit/run [0]",
        "preflight/unit/run [1]",
        "preflight/unit/py3.11",
    ]


def test_of_very_many_the_rest_share_one() -> None:
    many = [passed(f"s{index}", 0, 1) for index in range(STEPS + 70)]
    shown = step_statuses(run("unit", *many, outcome=Outcome.SUCCESS, took=9), LINKS, NOON)
    assert len(shown) == STEPS
    assert list(shown)[-1] == Status(
        "preflight/unit/…", SUCCESS, "71 more steps: see the run page", LINKS.run_page(run("unit").id)
    )
    assert len(step_statuses(run("unit", *many[:STEPS]), LINKS, NOON)) == STEPS


class TestAStepThatTheRunDoesNotHave:
    @pytest.mark.parametrize(
        ("own", "has_steps", "state", "description"),
        [
            pytest.param(PENDING, True, PENDING, "queued", id="may still come"),
            pytest.param(SUCCESS, True, SUCCESS, "not part of this run", id="gone"),
            pytest.param(FAILURE, True, FAILURE, "the pipeline's", id="not come to, or gone"),
            pytest.param(ERROR, False, ERROR, "the pipeline's", id="nothing of it ran"),
            pytest.param(SUCCESS, False, SUCCESS, "the pipeline's", id="overridden or skipped"),
        ],
    )  # fmt: skip
    def test_is_settled(
        self, own: StatusState, state: StatusState, description: str, *, has_steps: bool
    ) -> None:
        status = Status("preflight/unit", own, "the pipeline's", "/page")
        assert leftover("preflight/unit/old", status, has_steps=has_steps) == Status(
            "preflight/unit/old", state, description, "/page"
        )


@given(
    st.lists(st.tuples(hostile_text, st.sampled_from(StepState), hostile_text), max_size=5),
    st.sampled_from([*Outcome, None]),
    st.text(alphabet="a", min_size=1, max_size=63),
)
def test_whatever_steps_are_called_github_takes_their_statuses(
    steps: list[tuple[str, StepState, str]], outcome: Outcome | None, pipeline: str
) -> None:
    made = [
        replace(step("t", state), name=name * 9, map_index=index, result=StepResult(reason=reason * 9))
        for index, (name, state, reason) in enumerate(steps)
    ]
    shown = step_statuses(run(pipeline, *made, outcome=outcome), Links(""), NOON)
    for status in shown:
        assert len(status.context) <= CONTEXT_LIMIT
        assert status.context.isprintable()
        assert len(status.description) <= 140
        assert max(map(ord, status.context + status.description)) <= 0xFFFF
        status.context.encode()
        if outcome is not None:
            assert status.state is not PENDING, "nothing is pending for ever"
    assert len({status.context.casefold() for status in shown}) == len(shown)
