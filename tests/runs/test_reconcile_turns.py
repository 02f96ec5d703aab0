"""Runs that wait for their turn, run out of time, or go on after they had ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowUnavailable, StoreUnavailable
from bot.models import DagRunState, Limit, Outcome, Phase, Rules, StepState
from bot.runs.admission import judge
from tests.examples import at, run
from tests.runs.reconciling import Bot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.adapters.postgres import Database
    from bot.models import Run

pytestmark = pytest.mark.postgres
ONE = Rules(limits=(Limit("repository:42", 1),))
HALF_AN_HOUR = Rules(timeout=1800)


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def limited(*pipelines: str, rules: Rules = ONE) -> list[Run]:
    return [
        replace(run(pipeline, created_at=at(number)), rules=rules)
        for number, pipeline in enumerate(pipelines)
    ]


def die(*_: object, **__: object) -> None:
    raise StoreUnavailable("killed")


class TestALimit:
    def test_one_after_the_other_in_their_order(self, bot: Bot) -> None:
        runs = limited("a", "b", "c")
        bot.want(*runs)
        for done in range(3):
            bot.look()
            notes = [bot.now(one).note for one in runs[done + 1 :]]
            assert notes == ["queued: 1 ahead", "queued: 2 ahead"][: 2 - done]
            assert len(bot.in_airflow()) == done + 1
            bot.airflow.succeed(bot.ref(runs[done]))
            bot.look()
        assert [bot.now(one).outcome for one in runs] == [Outcome.SUCCESS] * 3

    def test_a_run_without_its_turn_is_never_started(self, bot: Bot) -> None:
        first, second = limited("a", "b")
        bot.want(first, second)
        for _ in range(5):
            bot.look()
        assert len(bot.in_airflow()) == 1
        assert (bot.now(second).phase, bot.now(second).admitted) == (Phase.WANTED, False)

    def test_a_cancelled_one_frees_its_place(self, bot: Bot) -> None:
        first, second, third = limited("a", "b", "c")
        bot.want(first, second, third)
        bot.look()
        bot.cancel(first, second)
        bot.look()
        bot.look()
        bot.look()
        assert [bot.now(one).outcome for one in (first, second)] == [Outcome.CANCELLED] * 2
        assert bot.now(third).phase is Phase.ACTIVE
        assert len(bot.in_airflow()) == 2

    def test_holds_after_a_crash(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        bot.want(*limited("a", "b"))
        with monkeypatch.context() as killed:
            killed.setattr(bot.store, "save_run", die)
            with pytest.raises(StoreUnavailable):
                bot.look()
        bot.lose_leases()
        bot.look()
        bot.look()
        assert len(bot.in_airflow()) == 1

    def test_what_it_needs_comes_first(self, bot: Bot) -> None:
        (unit,) = limited("unit")
        (e2e,) = limited("e2e", rules=replace(ONE, needs=("unit",)))
        bot.want(e2e, unit)
        bot.look()
        assert bot.now(e2e).note == "waits for unit"
        bot.airflow.succeed(bot.ref(unit))
        bot.look()
        bot.look()
        assert bot.now(e2e).phase is Phase.ACTIVE

    def test_what_needs_a_failed_one_is_not_run(self, bot: Bot) -> None:
        (unit,) = limited("unit")
        (e2e,) = limited("e2e", rules=Rules(needs=("unit",)))
        bot.want(unit, e2e)
        bot.look()
        bot.airflow.fail(bot.ref(unit), "test")
        bot.look()
        bot.look()
        over = bot.now(e2e)
        assert (over.outcome, over.reason) == (Outcome.ERROR, "not run: it needs unit, which failed")


class TestATimeout:
    def test_stops_what_runs(self, bot: Bot) -> None:
        (one,) = limited("a", rules=HALF_AN_HOUR)
        bot.want(one)
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.RUNNING)
        bot.time = at(1799)
        bot.look()
        assert bot.airflow.cancelled == []
        bot.time = at(1800)
        bot.look()
        bot.look()
        over = bot.now(one)
        assert bot.airflow.cancelled == [over.ref]
        assert (over.outcome, over.reason) == (Outcome.TIMED_OUT, "timed out after 30m")

    def test_counts_the_time_in_the_queue(self, bot: Bot) -> None:
        (first,) = limited("a")
        (second,) = limited("b", rules=replace(ONE, timeout=1800.0))
        bot.want(first, second)
        bot.look()
        bot.time = at(1800)
        bot.look()
        assert bot.now(second).outcome is Outcome.TIMED_OUT
        assert len(bot.in_airflow()) == 1

    def test_a_look_before_it_is_over_leaves_it_in_the_queue(self, bot: Bot) -> None:
        (first,) = limited("a")
        (second,) = limited("b", rules=replace(ONE, timeout=1800.0))
        bot.want(first, second)
        bot.look()
        bot.look()
        assert (bot.now(second).phase, bot.now(second).note) == (Phase.WANTED, "queued: 1 ahead")
        bot.airflow.succeed(bot.ref(first))
        bot.look()
        bot.look()
        assert bot.now(second).phase is Phase.ACTIVE

    def test_waits_for_an_airflow_that_is_down(self, bot: Bot) -> None:
        (one,) = limited("a", rules=HALF_AN_HOUR)
        bot.want(one)
        bot.look()
        bot.time = at(1800)
        bot.airflow.down = True
        bot.look()
        assert bot.now(one).cancel == "timed out after 30m"
        bot.airflow.down = False
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT

    def test_what_passed_before_it_was_stopped_has_passed(self, bot: Bot) -> None:
        (one,) = limited("a", rules=HALF_AN_HOUR)
        bot.want(one)
        bot.look()
        bot.airflow.succeed(bot.ref(one))
        bot.time = at(1800)
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS

    def test_a_persons_word_counts_where_it_came_first(self, bot: Bot) -> None:
        (one,) = limited("a", rules=HALF_AN_HOUR)
        bot.want(one)
        bot.look()
        bot.cancel(one)
        bot.time = at(1800)
        bot.look()
        bot.look()
        assert (bot.now(one).outcome, bot.now(one).reason) == (Outcome.CANCELLED, "by rita")


class TestResuming:
    @pytest.fixture
    def red(self, bot: Bot) -> Run:
        """A run whose second step failed."""
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.SUCCEEDED)
        bot.airflow.fail(bot.ref(one), "test", log=["1 failed"])
        bot.look()
        assert bot.now(one).outcome is Outcome.FAILURE
        return one

    def test_goes_on_in_the_same_dag_run(self, bot: Bot, red: Run) -> None:
        ref = bot.ref(red)
        bot.resume(red)
        bot.look()
        assert (bot.now(red).phase, bot.ref(red)) == (Phase.ACTIVE, ref)
        bot.look()
        bot.airflow.succeed(ref)
        bot.look()
        over = bot.now(red)
        assert (over.outcome, over.reason) == (Outcome.SUCCESS, "")
        assert [step.try_number for step in over.steps] == [1, 2]
        assert bot.in_airflow() == [ref]

    def test_can_fail_again_and_be_resumed_again(self, bot: Bot, red: Run) -> None:
        for tries in (2, 3):
            bot.resume(red)
            bot.look()
            bot.airflow.fail(bot.ref(red), "test", log=[f"try {tries}"])
            bot.look()
            over = bot.now(red)
            assert over.outcome is Outcome.FAILURE
            assert [step.try_number for step in over.steps] == [1, tries]
            assert over.steps[1].excerpt == (f"try {tries}",)

    def test_takes_its_turn(self, bot: Bot) -> None:
        first, second = limited("a", "b")
        bot.want(first, second)
        bot.look()
        bot.airflow.fail(bot.ref(first), "test")
        bot.look()
        bot.look()
        assert bot.now(second).phase is Phase.ACTIVE
        bot.resume(first)
        bot.look()
        assert (bot.now(first).phase, bot.now(first).note) == (Phase.RESUMING, "queued: 1 ahead")
        assert bot.airflow.resumed == []
        bot.airflow.succeed(bot.ref(second))
        bot.look()
        bot.look()
        assert bot.now(first).phase is Phase.ACTIVE
        assert bot.airflow.resumed == [bot.ref(first)]

    def test_its_time_counts_anew(self, bot: Bot) -> None:
        (one,) = limited("a", rules=HALF_AN_HOUR)
        bot.want(one)
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.RUNNING)
        bot.time = at(1800)
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT
        bot.resume(one)
        resumed = bot.now(one).resumed_at
        assert resumed is not None
        bot.time = resumed
        bot.look()
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS

    def test_one_that_somebody_deleted_begins_anew(self, bot: Bot, red: Run) -> None:
        ref = bot.ref(red)
        bot.airflow.delete(ref)
        bot.resume(red)
        bot.look()
        bot.airflow.succeed(ref)
        bot.look()
        assert bot.now(red).outcome is Outcome.SUCCESS
        assert bot.airflow.calls["trigger"] == 2

    @pytest.mark.parametrize("method", ["dag", "conf", "resume", "look"])
    def test_an_outage_of_any_call_resumes_it_once(self, bot: Bot, red: Run, method: str) -> None:
        for lose in (
            bot.airflow.lose_next_answer,
            lambda name: bot.airflow.fail_next(name, AirflowUnavailable("down")),
        ):
            lose(method)
            bot.resume(red)
            for _ in range(4):
                bot.look()
            assert bot.now(red).phase is Phase.ACTIVE
            bot.airflow.fail(bot.ref(red), "test")
            bot.look()
            assert bot.now(red).outcome is Outcome.FAILURE
        assert bot.airflow.resumed == [bot.ref(red)] * 2
        assert [step.try_number for step in bot.now(red).steps] == [1, 3]


class TestResumingIsCutOff:
    """By a crash before or after Airflow was asked, by a cancel, or by both."""

    @pytest.fixture
    def red(self, bot: Bot) -> Run:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.SUCCEEDED)
        bot.airflow.fail(bot.ref(one), "test")
        bot.look()
        bot.resume(one)
        return one

    def before(self, bot: Bot, _: pytest.MonkeyPatch) -> None:
        bot.store.admit(judge)
        bot.store.claim_runs(10)

    def after(self, bot: Bot, killed: pytest.MonkeyPatch) -> None:
        killed.setattr(bot.store, "save_run", die)
        with pytest.raises(StoreUnavailable):
            bot.look()
        assert len(bot.airflow.resumed) == 1

    @pytest.fixture(params=["before", "after"])
    def crash(
        self, request: pytest.FixtureRequest, bot: Bot, red: Run, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], None]:
        def crashes() -> None:
            with monkeypatch.context() as killed:
                getattr(self, request.param)(bot, killed)
            assert bot.now(red).phase is Phase.RESUMING
            bot.lose_leases()

        return crashes

    def test_by_a_crash_it_goes_on_once(self, bot: Bot, red: Run, crash: Callable[[], None]) -> None:
        crash()
        bot.look()
        assert bot.now(red).phase is Phase.ACTIVE
        bot.airflow.succeed(bot.ref(red))
        bot.look()
        over = bot.now(red)
        assert over.outcome is Outcome.SUCCESS
        assert [step.try_number for step in over.steps] == [1, 2]
        assert bot.airflow.resumed == [bot.ref(red)]

    def test_by_a_crash_and_it_ends_before_anybody_looks(
        self, bot: Bot, red: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as killed:
            self.after(bot, killed)
        bot.airflow.fail(bot.ref(red), "test")
        bot.lose_leases()
        bot.look()
        bot.look()
        assert bot.now(red).outcome is Outcome.FAILURE
        assert bot.airflow.resumed == [bot.ref(red)], "not once more for the same wish"

    def test_by_a_cancel_while_it_waits(self, bot: Bot, red: Run) -> None:
        bot.cancel(red)
        bot.look()
        bot.look()
        assert (bot.now(red).outcome, bot.now(red).reason) == (Outcome.CANCELLED, "by rita")
        assert bot.airflow.resumed == []

    def test_by_a_crash_and_a_cancel(self, bot: Bot, red: Run, crash: Callable[[], None]) -> None:
        crash()
        bot.cancel(red)
        for _ in range(3):
            bot.look()
        assert bot.now(red).outcome is Outcome.CANCELLED
        state = bot.airflow.runs[bot.ref(red)].state
        assert state is DagRunState.FAILED, "nothing goes on unseen"

    def test_it_can_be_resumed_after_that(self, bot: Bot, red: Run, crash: Callable[[], None]) -> None:
        crash()
        bot.cancel(red)
        for _ in range(3):
            bot.look()
        bot.resume(red)
        bot.look()
        bot.airflow.succeed(bot.ref(red))
        bot.look()
        over = bot.now(red)
        assert over.outcome is Outcome.SUCCESS
        assert over.steps[0].try_number == 1
