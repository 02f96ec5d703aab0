from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import CancelKind, Outcome, Phase, Run, Status, StatusState, Step, StepState, Verdict
from bot.report.statuses.status import describe_run, fit, status_of
from tests.report.examples import LINKS, NOON, at, failed, fixed, overridden, passed, ran, run, step
from tests.report.hostile import hostile_text

PENDING, SUCCESS, FAILURE, ERROR = (
    StatusState.PENDING,
    StatusState.SUCCESS,
    StatusState.FAILURE,
    StatusState.ERROR,
)
CLONED, LINTED = passed("clone", 0, 3), passed("lint", 3, 8)


def running(name: str, start: float = 0, tries: int = 1) -> Step:
    return step(name, StepState.RUNNING, start=start, tries=tries)


def waiting(name: str) -> Step:
    return step(name, StepState.WAITING, start=None)


@pytest.mark.parametrize(
    ("shown", "state", "description"),
    [
        pytest.param(run(phase=Phase.WANTED), PENDING, "queued", id="just decided"),
        pytest.param(
            run(phase=Phase.WANTED, note="waiting for Airflow"), PENDING, "waiting for Airflow", id="note"
        ),
        pytest.param(
            run(phase=Phase.WANTED, cancel="superseded by 1a2b3c4"),
            PENDING,
            "cancelling: superseded by 1a2b3c4",
            id="stopped before it began",
        ),
        pytest.param(
            run(phase=Phase.WANTED, note="queued: 2 ahead"),
            PENDING,
            "queued: 2 ahead",
            id="waits for its turn",
        ),
        pytest.param(
            run(phase=Phase.WANTED, note="waits for unit"), PENDING, "waits for unit", id="needs another"
        ),
        pytest.param(
            run(
                "unit",
                CLONED,
                failed("lint"),
                step("test", StepState.BLOCKED, start=None),
                step("old", StepState.REMOVED),
                phase=Phase.RESUMING,
            ),
            PENDING,
            "resuming: 2 steps to run again",
            id="to go on",
        ),
        pytest.param(
            run("unit", CLONED, failed("lint"), phase=Phase.RESUMING, note="queued: 1 ahead"),
            PENDING,
            "queued: 1 ahead",
            id="to go on, when it is its turn",
        ),
        pytest.param(
            run("unit", failed("lint"), phase=Phase.RESUMING, cancel="by octocat"),
            PENDING,
            "cancelling: by octocat",
            id="stopped before it went on",
        ),
        pytest.param(run(), PENDING, "starting in Airflow", id="Airflow has it"),
        pytest.param(
            run("unit", waiting("clone"), waiting("test")),
            PENDING,
            "0/2 steps passed, next step starting",
            id="nothing runs yet",
        ),
        pytest.param(
            run("unit", CLONED, LINTED, running("test", 8)),
            PENDING,
            "2/3 steps passed, test running for 1m20s",
            id="one runs",
        ),
        pytest.param(
            run("unit", CLONED, LINTED, running("test", 80)),
            PENDING,
            "2/3 steps passed, test running",
            id="one runs since a moment",
        ),
        pytest.param(
            run("unit", CLONED, running("lint"), running("test")),
            PENDING,
            "1/3 steps passed, lint, test running",
            id="two run",
        ),
        pytest.param(
            run("unit", CLONED, *(running(name) for name in "abcde")),
            PENDING,
            "1/6 steps passed, a, b, c and 2 more running",
            id="many run",
        ),
        pytest.param(
            run("unit", CLONED, running("test", 68, tries=2)),
            PENDING,
            "1/2 steps passed, test running for 20s (try 2)",
            id="second try",
        ),
        pytest.param(
            run("unit", CLONED, step("test", StepState.RETRYING)),
            PENDING,
            "1/2 steps passed, test retrying",
            id="retrying",
        ),
        pytest.param(
            run("unit", CLONED, failed("lint"), running("test", 8)),
            PENDING,
            "lint failed; 1/3 steps passed, test running for 1m20s",
            id="failed, others go on",
        ),
        pytest.param(
            run("unit", CLONED, step("docs", StepState.SKIPPED), waiting("test")),
            PENDING,
            "1/2 steps passed, next step starting",
            id="skipped ones are not counted",
        ),
        pytest.param(
            run("unit", running("clone")), PENDING, "0/1 step passed, clone running for 1m20s", id="one step"
        ),
        pytest.param(
            run("unit", CLONED, running("test"), cancel="by octocat"),
            PENDING,
            "cancelling: by octocat",
            id="being stopped",
        ),
        pytest.param(
            run("unit", running("test"), cancel="timed out after 30m", cancel_kind=CancelKind.TIMEOUT),
            PENDING,
            "stopping: timed out after 30m",
            id="took too long",
        ),
        pytest.param(
            run("unit", CLONED, LINTED, passed("test", 8, 80), outcome=Outcome.SUCCESS, took=80),
            SUCCESS,
            "3 steps passed in 1m20s",
            id="green",
        ),
        pytest.param(
            run("unit", CLONED, step("docs", StepState.SKIPPED), outcome=Outcome.SUCCESS, took=3),
            SUCCESS,
            "1 step passed, 1 skipped in 3s",
            id="green with a skipped step",
        ),
        pytest.param(
            run("unit", CLONED, outcome=Outcome.FAILURE, reason="test failed: exit 1 after 42s", took=50),
            FAILURE,
            "test failed: exit 1 after 42s",
            id="red",
        ),
        pytest.param(
            run(outcome=Outcome.TIMED_OUT, reason="timed out after 30m", took=1800),
            FAILURE,
            "timed out after 30m",
            id="took too long, and was stopped",
        ),
        pytest.param(
            run(outcome=Outcome.TIMED_OUT), FAILURE, "timed out", id="took too long, whatever that is"
        ),
        pytest.param(
            run(outcome=Outcome.CANCELLED, reason="superseded by 1a2b3c4", took=5),
            ERROR,
            "cancelled: superseded by 1a2b3c4",
            id="cancelled",
        ),
        pytest.param(
            run(outcome=Outcome.ERROR, reason="DAG 'cheks' not found"),
            ERROR,
            "error: DAG 'cheks' not found",
            id="could not run",
        ),
    ],
)
def test_a_run_in_a_sentence(shown: Run, state: StatusState, description: str) -> None:
    assert describe_run(shown, at(90)) == (state, description)


def test_the_words_stand_still_while_little_happens() -> None:
    shown = run("unit", CLONED, running("test"))
    hour = {describe_run(shown, at(second))[1] for second in range(3600)}
    assert len(hour) < 30


def test_a_long_reason_is_cut_between_words_and_keeps_both_ends() -> None:
    reason = (
        "integration_tests failed: " + "the database did not answer in time " * 6 + "and gave up after 42s"
    )
    _, description = describe_run(run(outcome=Outcome.FAILURE, reason=reason), NOON)
    assert len(description) <= 140
    assert description.startswith("integration_tests failed: the database")
    assert description.endswith("gave up after 42s")
    assert set(description.replace("…", " ").split()) <= set(reason.split())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("two\nlines\x1b[0m \u202edne", "two lines dne", id="unseen characters"),
        pytest.param("rocket \U0001f680", "rocket \ufffd", id="GitHub refuses characters beyond U+FFFF"),
        pytest.param("https://u:hunter2@h.example", "https://u:[redacted]@h.example", id="secrets"),
    ],
)
def test_what_a_description_never_holds(written: str, shown: str) -> None:
    assert fit(written) == shown


@given(
    hostile_text,
    st.sampled_from(StepState),
    st.sampled_from([*Outcome, None]),
    st.sampled_from(Phase),
    hostile_text,
)
def test_every_description_is_one_github_takes(
    name: str, state: StepState, outcome: Outcome | None, phase: Phase, text: str
) -> None:
    shown = run(
        "unit", step(name * 20, state, end=5), outcome=outcome, phase=phase, reason=text * 10, note=text
    )
    _, description = describe_run(shown, at(1))
    assert len(description) <= 140
    assert description == " ".join(description.split())
    assert all(ord(char) <= 0xFFFF and char.isprintable() for char in description if char.isascii())
    assert max(map(ord, description), default=0) <= 0xFFFF
    description.encode()


@given(
    st.lists(
        st.sampled_from(["unit tests", "the long way round", "e2e", "py 3.11"]), min_size=1, max_size=12
    ),
    st.sampled_from([Outcome.FAILURE, None]),
    st.sampled_from([None, 600.0]),
)
def test_steps_are_named_whole_or_not_at_all(
    names: list[str], outcome: Outcome | None, usual: float | None
) -> None:
    reason = "; ".join(f"{name} failed: exit 1 after 2m10s" for name in names)
    shown = run("unit", *map(failed, names), running("docs"), outcome=outcome, reason=reason, took=9)
    _, description = describe_run(shown, NOON, usual)
    assert len(description) <= 140
    rest = re.sub("|".join(sorted(set(names), key=len, reverse=True)), "", description)
    assert not set(" ".join(names).split()) & set(re.findall(r"[\w.]+", rest)) - {"failed", "and"}


def test_the_status_of_a_run_leads_to_its_page() -> None:
    green = run("unit", CLONED, outcome=Outcome.SUCCESS, took=3)
    assert status_of(ran(green), NOON, LINKS.run_page) == Status(
        "preflight/unit", SUCCESS, "1 step passed in 3s", LINKS.run_page(green.id)
    )


def test_a_fixed_status_is_shown_as_it_is() -> None:
    verdict = fixed("docs", SUCCESS, "skipped: no matching files")
    assert status_of(verdict, NOON, LINKS.run_page) == verdict.status


def test_a_run_with_inputs_has_a_context_of_its_own() -> None:
    green = run("e2e", CLONED, outcome=Outcome.SUCCESS, took=3, inputs={"gpu": 1, "fast": True})
    assert status_of(ran(green), NOON, LINKS.run_page).context == "preflight/e2e (fast=true, gpu=1)"


@given(st.text(alphabet="aZ9-", min_size=1, max_size=39), hostile_text)
def test_an_override_says_by_whom_however_long_its_reason_is(login: str, reason: str) -> None:
    shown = status_of(overridden("unit", login, reason * 40), NOON, LINKS.run_page)
    assert shown.state is SUCCESS
    assert shown.description.startswith(f"overridden by @{login}:")
    assert len(shown.description) <= 140


def test_a_verdict_without_a_word_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="neither a run nor a status"):
        status_of(Verdict("preflight/unit", "unit"), NOON, LINKS.run_page)
