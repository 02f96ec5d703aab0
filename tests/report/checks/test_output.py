"""A pipeline as a check run: what it shows, and what one can click."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Conclusion, Outcome, Phase, Rules, Run, StatusState, StepState, Verdict
from bot.report.checks.output import (
    CANCEL,
    DRYRUN,
    OUTPUT_BYTES,
    RETRY,
    TITLE_LIMIT,
    conclusion,
    render_check,
)
from tests.report.examples import (
    LINKS,
    NOON,
    OURS,
    at,
    failed,
    fixed,
    overridden,
    passed,
    ran,
    red_tests,
    run,
    step,
)
from tests.report.hostile import hostile_text
from tests.report.rendering import assert_harmless
from tests.report.snapshots import assert_is_snapshot

OPTIONAL = Rules(optional=True)
GREEN = run("unit", passed("clone", 0, 3), passed("test", 3, 80), outcome=Outcome.SUCCESS, took=80)
RED = run(
    "unit",
    passed("clone", 0, 3),
    failed(
        "test",
        "exit 1 after 42s",
        reproduce="make test",
        excerpt=("E   assert 1 == 2",),
        tests=red_tests("tests/test_app.py::test_add", total=12, message="assert 1 == 2"),
    ),
    step("deploy", StepState.BLOCKED, start=None),
    outcome=Outcome.FAILURE,
    reason="test failed: exit 1 after 42s",
    took=45,
)
SECRET = "hunter2-the-operator-s-own"


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        pytest.param(ran(run("unit", phase=Phase.WANTED)), None, id="queued"),
        pytest.param(ran(run("unit")), None, id="running"),
        pytest.param(ran(GREEN), Conclusion.SUCCESS, id="green"),
        pytest.param(ran(RED), Conclusion.FAILURE, id="red"),
        pytest.param(ran(replace(RED, rules=OPTIONAL)), Conclusion.NEUTRAL, id="red, optional"),
        pytest.param(ran(replace(GREEN, rules=OPTIONAL)), Conclusion.SUCCESS, id="green, optional"),
        pytest.param(ran(run(outcome=Outcome.CANCELLED)), Conclusion.CANCELLED, id="cancelled"),
        pytest.param(ran(run(outcome=Outcome.TIMED_OUT)), Conclusion.TIMED_OUT, id="timed out"),
        pytest.param(
            ran(run(outcome=Outcome.TIMED_OUT, optional=True)), Conclusion.NEUTRAL, id="timed out, optional"
        ),
        pytest.param(ran(run(outcome=Outcome.ERROR)), Conclusion.FAILURE, id="error"),
        pytest.param(overridden("unit"), Conclusion.SUCCESS, id="overridden"),
        pytest.param(
            fixed("unit", StatusState.SUCCESS, "skipped: no matching files"), Conclusion.SKIPPED, id="skipped"
        ),
        pytest.param(
            fixed("", StatusState.SUCCESS, "preflight.yaml is fine again", "preflight/config"),
            Conclusion.SUCCESS,
            id="what is no pipeline is not skipped",
        ),
        pytest.param(fixed("unit", StatusState.PENDING, "waiting for /ok-to-test"), None, id="waits"),
        pytest.param(fixed("unit", StatusState.ERROR, "not run for main"), Conclusion.FAILURE, id="not run"),
    ],
)
def test_how_it_ended(verdict: Verdict, expected: Conclusion | None) -> None:
    assert conclusion(verdict) is expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("queued", run("unit", phase=Phase.WANTED, note="queued: 2 ahead")),
        ("running", run("unit", passed("clone", 0, 3), failed("lint"), step("test", StepState.RUNNING))),
        ("green", GREEN),
        ("red", RED),
    ],
)
def test_it_reads_like_this(name: str, shown: Run) -> None:
    check = render_check({12: ran(shown)}, {shown.id: 300}, LINKS, at(60))
    body = f"{check.title}\n\n---\n\n{check.summary}\n\n---\n\n{check.text}\n"
    assert_is_snapshot(f"snapshots/check_{name}.md", body)
    assert_harmless(check.summary, our_links=OURS)
    assert_harmless(check.text, our_links=OURS)


@pytest.mark.parametrize(
    ("shown", "buttons"),
    [
        pytest.param(run("unit", phase=Phase.WANTED), (CANCEL, DRYRUN), id="queued"),
        pytest.param(run("unit"), (CANCEL, DRYRUN), id="running"),
        pytest.param(RED, (RETRY, DRYRUN), id="failed"),
        pytest.param(run("unit", outcome=Outcome.CANCELLED), (RETRY, DRYRUN), id="cancelled"),
        pytest.param(GREEN, (DRYRUN,), id="passed"),
    ],
)
def test_what_one_can_click(shown: Run, buttons: tuple[object, ...]) -> None:
    assert render_check({12: ran(shown)}, {}, LINKS, NOON).buttons == buttons


def test_nothing_is_to_be_clicked_where_nothing_ran() -> None:
    assert render_check({12: overridden("unit")}, {}, LINKS, NOON).buttons == ()


def test_buttons_are_as_short_as_github_wants_them() -> None:
    for button in (RETRY, CANCEL, DRYRUN):
        assert len(button.label) <= 20
        assert len(button.identifier) <= 20
        assert len(button.description) <= 40
    assert {button.identifier for button in (RETRY, CANCEL, DRYRUN)} == {"retry", "cancel", "dryrun"}


def test_times_and_the_page() -> None:
    check = render_check({12: ran(RED)}, {}, LINKS, NOON)
    assert (check.started_at, check.completed_at) == (NOON, at(45))
    assert check.details_url == LINKS.run_page(RED.id)
    assert render_check({12: ran(replace(RED, outcome=None))}, {}, LINKS, NOON).completed_at is None


def test_it_is_equal_as_long_as_nothing_happens() -> None:
    assert render_check({12: ran(RED)}, {}, LINKS, at(5)) == render_check({12: ran(RED)}, {}, LINKS, at(5000))


@given(
    st.lists(
        st.tuples(hostile_text, st.sampled_from(StepState), hostile_text, st.integers(1, 30)), max_size=4
    ),
    st.sampled_from([*Outcome, None]),
    hostile_text,
)
def test_whatever_a_run_says_github_takes_and_shows_as_it_is(
    steps: list[tuple[str, StepState, str, int]], outcome: Outcome | None, reason: str
) -> None:
    made = [
        replace(
            failed(
                f"t{index}",
                f"{text} {SECRET}",
                reproduce=f"make {text}",
                excerpt=((f"{text} {SECRET} é漢" * times)[:400],) * 40,
                tests=red_tests(*(f"{text}{number}" for number in range(9)), message=f"{text} {SECRET}"),
            ),
            name=f"{name} {SECRET}",
            state=state,
        )
        for index, (name, state, text, times) in enumerate(steps)
    ]
    shown = run("unit", *made, outcome=outcome, reason=f"{reason} {SECRET}" * 9)
    check = render_check({12: ran(shown), 15: ran(replace(shown, number=15))}, {}, LINKS, NOON, (SECRET,))
    assert 0 < len(check.title) <= TITLE_LIMIT
    for markdown in (check.summary, check.text):
        assert len(markdown.encode()) <= OUTPUT_BYTES
        assert SECRET not in markdown
        assert_harmless(markdown, our_links=OURS)
    assert SECRET not in check.title
    assert check.summary.strip()
