"""What a run is in Airflow now, and what its failed steps left behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowRefused, AirflowUnavailable
from bot.models import CancelKind, DagRunState, LogLine, Outcome, Phase, RunRef, Step, StepState
from bot.runs import follow as reading
from bot.runs.follow import LOOK_SECONDS, follow
from tests.examples import NOON, at, run
from tests.fakes.airflow import FakeAirflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.models import LogMatcher, Run

REF = RunRef("checks", "preflight~x")


@dataclass
class Followed:
    """A run of three steps, followed look by look."""

    airflow: FakeAirflow = field(default_factory=lambda: FakeAirflow(lambda: NOON))
    run: Run = field(
        default_factory=lambda: replace(run(attempt=1), phase=Phase.ACTIVE, dag_run_id=REF.dag_run_id)
    )
    now: datetime = NOON
    seconds: Iterator[float] = field(default_factory=lambda: repeat(0.0))

    def __post_init__(self) -> None:
        self.airflow.add_dag("checks", tasks=["clone", "lint", "test"])
        self.airflow.trigger(REF, {}, "")

    def look(self) -> Run:
        there = self.airflow.look([REF])[REF]
        self.run = follow(
            self.run, there, self.airflow, excerpt, self.now, seconds=lambda: next(self.seconds)
        )
        return self.run

    def step(self, task_id: str) -> Step:
        return next(step for step in self.run.steps if step.task_id == task_id)


def excerpt(lines: Iterable[LogLine], matchers: Sequence[LogMatcher]) -> tuple[str, ...]:
    del matchers
    return tuple(line.text for line in lines)[-3:]


@pytest.fixture
def followed() -> Followed:
    return Followed()


class TestWhileItRuns:
    def test_its_steps_are_known_as_planned(self, followed: Followed) -> None:
        assert [step.state for step in followed.look().steps] == [StepState.WAITING] * 3
        assert followed.run.phase is Phase.ACTIVE

    def test_they_move_on(self, followed: Followed) -> None:
        followed.airflow.step(REF, "clone", StepState.SUCCEEDED)
        followed.airflow.step(REF, "lint", StepState.RUNNING)
        assert [step.state.value for step in followed.look().steps] == ["succeeded", "running", "waiting"]

    def test_the_note_about_waiting_goes_away(self, followed: Followed) -> None:
        followed.run = replace(followed.run, note="waiting for Airflow")
        assert followed.look().note == ""


class TestAFailedStep:
    def test_leaves_its_result_and_the_lines_that_matter(self, followed: Followed) -> None:
        followed.airflow.fail(REF, "lint", log=["E501 Line too long"])
        followed.airflow.set_xcom(
            REF,
            "lint",
            "preflight",
            {"exit_code": 1, "reason": "exit 1 after 42s", "reproduce": "make", "argv": "a"},
        )
        followed.look()
        step = followed.step("lint")
        assert step.excerpt == ("E501 Line too long",)
        assert step.result is not None
        assert (step.result.exit_code, step.result.reason, step.result.reproduce) == (
            1,
            "exit 1 after 42s",
            "make",
        )

    def test_explains_itself_by_its_own_output_first(self, followed: Followed) -> None:
        airflows = LogLine("Task failed with exception", "airflow.task", "error")
        followed.airflow.fail(REF, "lint", log=["own line", airflows])
        followed.look()
        assert followed.step("lint").excerpt == ("own line",)

    def test_else_by_airflows_remarks(self, followed: Followed) -> None:
        followed.airflow.fail(REF, "lint", log=[LogLine("Dependencies missing", "airflow.task", "error")])
        followed.look()
        assert followed.step("lint").excerpt == ("Dependencies missing",)

    def test_needs_no_remark_where_its_result_says_why(self, followed: Followed) -> None:
        followed.airflow.fail(REF, "lint", log=[LogLine("Traceback ...", "airflow.task", "error")])
        followed.airflow.set_xcom(REF, "lint", "preflight", {"exit_code": 1, "reason": "exit 1 after 42s"})
        followed.look()
        assert followed.step("lint").excerpt == ()

    def test_is_read_once_per_try(self, followed: Followed) -> None:
        followed.airflow.step(REF, "lint", StepState.FAILED)
        followed.airflow.set_log(REF, "lint", ["first try"])
        followed.look()
        followed.look()
        assert followed.airflow.calls["xcom"] == 1
        logs = followed.airflow.calls["log"]
        followed.look()
        assert followed.airflow.calls["log"] == logs
        followed.airflow.step(REF, "lint", StepState.RUNNING)
        followed.airflow.step(REF, "lint", StepState.FAILED)
        followed.airflow.set_log(REF, "lint", ["second try"])
        followed.look()
        assert followed.step("lint").excerpt == ("second try",)
        assert followed.step("lint").try_number == 2

    @pytest.mark.parametrize(
        "value", [None, 3, "text", [], {}, {"exit_code": "1", "reason": 3, "reproduce": None}], ids=repr
    )
    def test_may_leave_anything(self, followed: Followed, value: object) -> None:
        followed.airflow.fail(REF, "lint")
        followed.airflow.set_xcom(REF, "lint", "preflight", value)
        assert followed.look().outcome is Outcome.FAILURE
        result = followed.step("lint").result
        assert result is not None
        assert (result.exit_code, result.reason, result.reproduce) == (None, "", "")

    def test_may_leave_too_much(self, followed: Followed) -> None:
        followed.airflow.fail(REF, "lint")
        followed.airflow.set_xcom(REF, "lint", "preflight", {"reason": "x" * 10**6})
        followed.look()
        result = followed.step("lint").result
        assert result is not None
        assert len(result.reason) <= 2000

    def test_leaves_its_command_as_it_is(self, followed: Followed) -> None:
        """A dry run shows it: what a pipeline may hold, quoted for a shell, and some arguments more."""
        followed.airflow.succeed(REF)
        command = "x" * 16_000
        followed.airflow.set_xcom(REF, "lint", "preflight", {"argv": command, "dryrun": True})
        followed.look()
        result = followed.step("lint").result
        assert result is not None
        assert result.argv == command

    @pytest.mark.parametrize("method", ["log", "xcom"])
    def test_whose_log_or_result_is_gone_is_still_a_failure(self, followed: Followed, method: str) -> None:
        followed.airflow.fail(REF, "lint", log=["x"])
        followed.airflow.fail_next(method, AirflowRefused("gone"))
        assert followed.look().outcome is Outcome.FAILURE

    @pytest.mark.parametrize("method", ["log", "xcom"])
    def test_that_can_not_be_read_now_is_read_later(self, followed: Followed, method: str) -> None:
        followed.airflow.fail(REF, "lint", log=["x"])
        followed.airflow.fail_next(method, AirflowUnavailable("down"))
        with pytest.raises(AirflowUnavailable):
            followed.look()
        assert followed.look().outcome is Outcome.FAILURE
        assert followed.step("lint").excerpt == ("x",)

    @pytest.mark.parametrize("method", ["log", "xcom"])
    def test_that_can_never_be_read_does_not_hold_up_the_end_for_ever(
        self, followed: Followed, method: str
    ) -> None:
        followed.airflow.fail(REF, "lint", log=["x"])
        for _ in range(3):
            followed.airflow.fail_next(method, AirflowUnavailable("down"))
        followed.now = at(3600)
        assert followed.look().outcome is Outcome.FAILURE


class TestLongLogs:
    def test_of_a_very_long_one_both_ends_are_looked_at(
        self, followed: Followed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "LOG_HEAD", 2)
        monkeypatch.setattr(reading, "LOG_TAIL", 1)
        followed.airflow.fail(REF, "lint", log=[str(number) for number in range(10)])
        followed.look()
        assert followed.step("lint").excerpt == ("0", "1", "9")

    def test_what_takes_too_long_is_left_to_the_next_look(self, followed: Followed) -> None:
        """Other runs wait meanwhile, and the lease on this one ends."""
        followed.seconds = iter([0.0, 1.0, LOOK_SECONDS + 1, 20.0, 21.0])
        followed.airflow.step(REF, "clone", StepState.SUCCEEDED)
        followed.airflow.fail(REF, "lint", log=["first"])
        followed.airflow.fail(REF, "test", log=["second"])
        followed.airflow.finish(REF, DagRunState.FAILED)
        followed.now = NOON + timedelta(seconds=1)
        assert followed.look().phase is Phase.ACTIVE
        assert (followed.step("lint").excerpt, followed.step("test").excerpt) == (("first",), None)
        assert followed.look().outcome is Outcome.FAILURE
        assert (followed.step("lint").excerpt, followed.step("test").excerpt) == (("first",), ("second",))


class TestTheEnd:
    def test_green_only_if_every_step_succeeded(self, followed: Followed) -> None:
        followed.airflow.succeed(REF)
        over = followed.look()
        assert (over.phase, over.outcome, over.finished_at) == (Phase.FINISHED, Outcome.SUCCESS, NOON)

    def test_not_by_the_dag_runs_word_alone(self, followed: Followed) -> None:
        followed.airflow.step(REF, "clone", StepState.SUCCEEDED)
        followed.airflow.step(REF, "lint", StepState.FAILED)
        followed.airflow.step(REF, "test", StepState.SUCCEEDED)
        followed.airflow.finish(REF, DagRunState.SUCCESS)
        assert followed.look().outcome is Outcome.FAILURE

    def test_cancelled_with_the_reason_that_we_kept(self, followed: Followed) -> None:
        followed.run = replace(followed.run, cancel="superseded by 1234567")
        followed.airflow.cancel(REF)
        over = followed.look()
        assert (over.outcome, over.reason) == (Outcome.CANCELLED, "superseded by 1234567")

    def test_timed_out_where_that_stopped_it(self, followed: Followed) -> None:
        followed.run = replace(followed.run, cancel="timed out after 30m", cancel_kind=CancelKind.TIMEOUT)
        followed.airflow.cancel(REF)
        over = followed.look()
        assert (over.outcome, over.reason) == (Outcome.TIMED_OUT, "timed out after 30m")

    @pytest.mark.parametrize(
        ("cancel", "outcome"),
        [(None, Outcome.ERROR), ("by rita", Outcome.CANCELLED)],
        ids=["wanted", "cancelled"],
    )
    def test_deleted_in_airflow(self, followed: Followed, cancel: str | None, outcome: Outcome) -> None:
        followed.run = replace(followed.run, cancel=cancel)
        followed.airflow.delete(REF)
        over = followed.look()
        assert (over.phase, over.outcome) == (Phase.FINISHED, outcome)
        assert over.reason


class TestAResumedRun:
    def ended(self, followed: Followed) -> None:
        followed.airflow.step(REF, "clone", StepState.SUCCEEDED)
        followed.airflow.set_xcom(REF, "clone", "preflight", {"exit_code": 0, "argv": "git clone"})
        followed.airflow.fail(REF, "lint", log=["E501"])
        assert followed.look().outcome is Outcome.FAILURE

    def resume(self, followed: Followed) -> None:
        followed.airflow.resume(REF, followed.run.steps)
        followed.run = replace(followed.run, phase=Phase.ACTIVE, outcome=None, reason="", finished_at=None)

    def test_forgets_what_runs_again_and_keeps_what_passed(self, followed: Followed) -> None:
        self.ended(followed)
        self.resume(followed)
        before = followed.step("clone")
        followed.airflow.calls.clear()
        assert [step.state for step in followed.look().steps] == [
            StepState.SUCCEEDED,
            StepState.WAITING,
            StepState.WAITING,
        ]
        assert followed.step("clone") == before
        assert (followed.step("lint").result, followed.step("lint").excerpt) == (None, None)
        assert followed.airflow.calls["xcom"] == 0, "what is known is not read again"

    def test_ends_as_its_second_try_does(self, followed: Followed) -> None:
        self.ended(followed)
        self.resume(followed)
        followed.airflow.succeed(REF)
        over = followed.look()
        assert (over.phase, over.outcome, over.reason) == (Phase.FINISHED, Outcome.SUCCESS, "")
        assert [step.try_number for step in over.steps] == [1, 2, 1]

    def test_what_had_passed_keeps_its_times_although_airflow_dates_it_anew(self, followed: Followed) -> None:
        self.ended(followed)
        step = followed.airflow.runs[REF].steps["clone", -1]
        followed.airflow.runs[REF].steps["clone", -1] = replace(step, ended_at=at(999))
        followed.look()
        assert followed.step("clone").ended_at == NOON


def test_a_run_without_a_name_can_not_be_followed(followed: Followed) -> None:
    with pytest.raises(ValueError, match="DAG run"):
        follow(run(), None, followed.airflow, excerpt, NOON)
