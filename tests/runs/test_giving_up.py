"""A run that was asked to stop and does not: when it ends for us, and as what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import CancelKind, DagRun, DagRunState, Outcome, Phase, Rules, Run, Step, StepState
from bot.runs.giving_up import OWED_FASTEST, OWED_SLOWEST, overdue, owed_pause, unanswered, unstopped
from tests.examples import NOON, at, run

HOUR, DAY = 3600, 86_400
GOING = replace(
    run(created_at=NOON),
    rules=Rules(timeout=HOUR),
    phase=Phase.ACTIVE,
    dag_run_id="preflight~x",
    admitted=True,
)
LATE = replace(GOING, cancel="timed out after 1h", cancel_kind=CancelKind.TIMEOUT)
CANCELLED = replace(GOING, cancel="by rita", cancel_kind=CancelKind.COMMAND)
SILENT = "Airflow did not answer since 12:30 UTC"
PAUSED = "waits: DAG 'checks' is paused: unpause it in Airflow"
NOT_STOPPED = "Airflow did not stop it: look at its DAG run there"


def ended(over: Run | None) -> tuple[Outcome | None, str] | None:
    if over is None:
        return None
    assert over.phase is Phase.FINISHED
    assert over.note == ""
    return over.outcome, over.reason


class TestUnanswered:
    """Airflow does not answer."""

    @pytest.mark.parametrize(
        ("one", "reason"),
        [
            pytest.param(LATE, (Outcome.TIMED_OUT, f"timed out after 1h: {SILENT}"), id="timed out"),
            pytest.param(
                replace(LATE, cancel=f"timed out after 1h: {SILENT}"),
                (Outcome.TIMED_OUT, f"timed out after 1h: {SILENT}"),
                id="said already",
            ),
            pytest.param(
                replace(LATE, cancel="timed out after 1h: still waits for unit"),
                (Outcome.TIMED_OUT, f"timed out after 1h: still waits for unit; {SILENT}"),
                id="both",
            ),
            pytest.param(CANCELLED, (Outcome.CANCELLED, f"by rita: {SILENT}"), id="cancelled"),
        ],
    )
    def test_ends_it_some_minutes_after_its_time_is_over(self, one: Run, reason: tuple[Outcome, str]) -> None:
        assert unanswered(one, at(HOUR + 299), SILENT) is None
        assert ended(unanswered(one, at(HOUR + 300), SILENT)) == reason

    def test_is_waited_for_by_a_run_that_is_not_to_stop(self) -> None:
        assert unanswered(GOING, at(HOUR + 299), SILENT) is None


class TestUnstopped:
    """Airflow answers, but its DAG run does not end."""

    def there(self, state: StepState, began: float | None = None, done: float | None = None) -> DagRun:
        first, last = (None if seconds is None else at(seconds) for seconds in (began, done))
        return DagRun(DagRunState.RUNNING, (Step("down", -1, "down", state, 1, first, last),), NOON)

    @pytest.mark.parametrize(
        ("there", "minutes"),
        [
            pytest.param(DagRun(DagRunState.QUEUED, ()), 5, id="it never began"),
            pytest.param(("WAITING",), 5, id="its teardown does not begin"),
            pytest.param(("SUCCEEDED", 0, 120), 7, id="a step ended two minutes later"),
            pytest.param(("RUNNING", 0), 60, id="its teardown runs"),
            pytest.param(("RUNNING", 180), 63, id="its teardown began three minutes later"),
        ],
    )
    def test_ends_it_when_nothing_has_happened_for_long(
        self, there: DagRun | tuple[str, float], minutes: int
    ) -> None:
        if isinstance(there, tuple):
            there = self.there(StepState[there[0]], *there[1:])
        assert unstopped(CANCELLED, there, NOON, at(60 * minutes - 1)) is None
        assert ended(unstopped(CANCELLED, there, NOON, at(60 * minutes))) == (
            Outcome.CANCELLED, f"by rita: {NOT_STOPPED}"
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("one", "reason"),
        [
            pytest.param(
                replace(CANCELLED, note=PAUSED),
                "by rita: DAG 'checks' is paused: unpause it in Airflow",
                id="cancelled",
            ),
            pytest.param(
                replace(LATE, note=PAUSED, cancel=f"timed out after 1h: {PAUSED[7:]}"),
                "timed out after 1h: DAG 'checks' is paused: unpause it in Airflow",
                id="it is why the time was over",
            ),
        ],
    )  # fmt: skip
    def test_says_what_keeps_it(self, one: Run, reason: str) -> None:
        over = unstopped(one, DagRun(DagRunState.QUEUED, ()), NOON, at(DAY))
        assert over is not None
        assert over.reason == reason


class TestOverdue:
    def test_ends_whatever_goes_wrong_an_hour_after_its_time(self) -> None:
        assert overdue(LATE, at(2 * HOUR - 1)) is None
        assert ended(overdue(LATE, at(2 * HOUR))) == (Outcome.TIMED_OUT, f"timed out after 1h: {NOT_STOPPED}")

    def test_does_not_concern_one_that_has_ended(self) -> None:
        over = replace(GOING, phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
        assert overdue(over, at(10**7)) is None


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (0, OWED_FASTEST),
        (400, 50.0),
        (HOUR, 450.0),
        (DAY, OWED_SLOWEST),
        (7 * DAY, OWED_SLOWEST),
        (8 * DAY, None),
    ],
)
def test_what_airflow_owes_us_is_asked_for_ever_more_seldom(age: float, pause: float | None) -> None:
    assert owed_pause(replace(LATE, finished_at=NOON), at(age)) == pause
