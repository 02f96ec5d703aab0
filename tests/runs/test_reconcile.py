"""The reconciler on a real store, with an Airflow in memory: whatever happens, every run comes to its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowRefused, AirflowUnavailable, StoreUnavailable
from bot.models import Outcome, Phase, RunRef, StepState
from bot.runs.revisit import STILL_AT_WORK
from tests.examples import NOON, run
from tests.runs.reconciling import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Run

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestOneRun:
    def test_from_wanted_to_green(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        assert bot.now(one).phase is Phase.ACTIVE
        bot.airflow.step(bot.ref(one), "clone", StepState.RUNNING)
        bot.look()
        assert [step.state for step in bot.now(one).steps] == [StepState.RUNNING, StepState.WAITING]
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        over = bot.now(one)
        assert (over.phase, over.outcome, over.finished_at) == (Phase.FINISHED, Outcome.SUCCESS, NOON)
        assert bot.store.next_due() is None

    def test_to_red(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.fail(bot.ref(one), "test", log=["1 failed"])
        bot.look()
        over = bot.now(one)
        assert over.outcome is Outcome.FAILURE
        assert over.steps[1].excerpt == ("1 failed",)

    def test_to_an_error_that_says_what_to_mend(self, bot: Bot) -> None:
        one = run(dag_id="cheks")
        bot.want(one)
        bot.look()
        over = bot.now(one)
        assert (over.outcome, over.reason, over.finished_at) == (Outcome.ERROR, "DAG 'cheks' not found", NOON)

    def test_when_nothing_is_due_nothing_is_asked(self, bot: Bot) -> None:
        assert not bot.reconciler.look()
        assert bot.airflow.calls.total() == 0

    def test_is_polled_without_nudges(self, bot: Bot) -> None:
        bot.want(run())
        bot.reconciler.look()
        due = bot.store.next_due()
        assert due is not None
        assert 0 < due <= 15

    def test_is_looked_at_at_once_when_nudged(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.reconciler.look()
        bot.airflow.succeed(bot.ref(one))
        assert not bot.reconciler.look()
        bot.store.nudge(bot.ref(one).dag_run_id)
        bot.reconciler.look()
        assert bot.now(one).outcome is Outcome.SUCCESS


class TestManyRuns:
    def test_are_read_in_one_call(self, bot: Bot) -> None:
        bot.want(*(run(f"p{number}") for number in range(30)))
        bot.look()
        bot.airflow.calls.clear()
        bot.look()
        assert bot.airflow.calls["look"] == 1

    def test_one_that_is_broken_does_not_hold_up_the_others(self, bot: Bot) -> None:
        fine, broken = run("fine"), run("broken", dag_id="nowhere")
        bot.want(broken, fine)
        bot.look()
        assert bot.now(fine).phase is Phase.ACTIVE
        assert bot.now(broken).outcome is Outcome.ERROR

    def test_several_processes_start_each_once(self, bot: Bot) -> None:
        runs = [run(f"p{number}") for number in range(40)]
        for one in runs:
            bot.want(one)
        with ThreadPoolExecutor(6) as pool:
            for future in [pool.submit(bot.reconciler.look) for _ in range(6)]:
                future.result()
        assert bot.airflow.calls["trigger"] == len(runs)
        assert len(bot.in_airflow()) == len(runs)


class TestStopping:
    def test_what_runs(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.RUNNING)
        bot.cancel(one)
        bot.look()
        assert bot.airflow.cancelled == [bot.ref(one)]
        assert not bot.now(one).finished, "until Airflow says so"
        bot.look()
        assert (bot.now(one).outcome, bot.now(one).reason) == (Outcome.CANCELLED, "by rita")

    def test_is_asked_once(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.cancel(one)
        bot.look()
        bot.look()
        assert bot.airflow.calls["cancel"] == 1

    def test_what_never_started_never_starts(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.cancel(one)
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED
        assert bot.in_airflow() == []

    def test_what_may_have_started_although_the_answer_was_lost(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.airflow.lose_next_answer("trigger")
        bot.look()
        bot.cancel(one)
        bot.look()
        bot.look()
        assert bot.airflow.cancelled == [bot.ref(one)]
        assert bot.now(one).outcome is Outcome.CANCELLED

    @pytest.fixture
    def overtaken(self, bot: Bot) -> Run:
        """Airflow took longer to start it than we wait for an answer, and than the cancel took to come."""
        one = run()
        bot.want(one)
        bot.airflow.fail_next("trigger", AirflowUnavailable("timed out"))
        bot.look()
        bot.cancel(one)
        bot.look()
        return one

    def test_what_airflow_was_still_about_to_start(self, bot: Bot, overtaken: Run) -> None:
        one = overtaken
        assert (bot.now(one).outcome, bot.in_airflow()) == (Outcome.CANCELLED, [])
        bot.airflow.trigger(bot.ref(one), one.conf, "")
        bot.look()
        assert bot.airflow.cancelled == [bot.ref(one)]
        bot.look()
        assert bot.store.next_due() is None
        assert (bot.now(one).outcome, bot.now(one).reason) == (Outcome.CANCELLED, "by rita")

    @pytest.mark.usefixtures("overtaken")
    def test_what_airflow_may_have_been_about_to_start_is_looked_for_some_minutes(self, bot: Bot) -> None:
        due = bot.store.next_due()
        assert due is not None
        assert 10 < due <= 15
        bot.airflow.calls.clear()
        bot.look()
        assert bot.airflow.calls == {"look": 1}
        assert bot.store.next_due() is not None
        bot.time += STILL_AT_WORK
        bot.look()
        assert bot.airflow.calls == {"look": 2}
        assert bot.store.next_due() is None

    @pytest.mark.parametrize("begun", [False, True], ids=["never-started", "deleted"])
    def test_what_was_not_about_to_start_is_not_looked_for_again(self, bot: Bot, *, begun: bool) -> None:
        one = run()
        bot.want(one)
        if begun:
            bot.look()
            bot.airflow.delete(bot.ref(one))
        bot.cancel(one)
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED
        assert bot.store.next_due() is None

    def test_never_stops_a_run_that_is_not_ours(self, bot: Bot) -> None:
        one = run()
        bot.airflow.trigger(
            RunRef("checks", "preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~1"), {}, "theirs"
        )
        bot.want(one)
        bot.airflow.fail_next("conf", AirflowUnavailable("the answer was lost"))
        bot.look()
        bot.cancel(one)
        bot.look()
        assert bot.airflow.cancelled == []
        assert bot.now(one).outcome is Outcome.CANCELLED

    def test_what_ended_meanwhile_stays_what_it_is(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.succeed(bot.ref(one))
        bot.cancel(one)
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS

    def test_what_was_deleted(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.delete(bot.ref(one))
        bot.cancel(one)
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED

    def test_what_airflow_refuses_to_stop_is_followed_to_its_end(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.cancel(one)
        bot.airflow.fail_next("cancel", AirflowRefused("not your run"))
        bot.look()
        bot.airflow.step(bot.ref(one), "clone", StepState.FAILED)
        bot.airflow.fail(bot.ref(one), "test")
        bot.look()
        assert bot.now(one).finished


class TestAnOutage:
    def test_is_waited_for_and_said(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.airflow.down = True
        for _ in range(3):
            bot.look()
            assert (bot.now(one).phase, bot.now(one).note) == (Phase.WANTED, "waiting for Airflow")
        bot.airflow.down = False
        bot.look()
        assert (bot.now(one).phase, bot.now(one).note) == (Phase.ACTIVE, "")

    def test_in_the_middle_loses_nothing(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.down = True
        bot.look()
        bot.airflow.down = False
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS

    def test_while_stopping_is_tried_again(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.cancel(one)
        bot.airflow.down = True
        bot.look()
        bot.airflow.down = False
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED
        assert len(bot.airflow.cancelled) == 1

    def test_of_credentials_does_not_end_runs(self, bot: Bot) -> None:
        """A wrong password is the operator's to mend; what runs goes on meanwhile."""
        one = run()
        bot.want(one)
        bot.look()
        bot.airflow.login_fails = True
        bot.look()
        bot.airflow.login_fails = False
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS

    @pytest.mark.parametrize("method", ["dag", "trigger", "conf", "cancel", "look", "xcom", "log"])
    def test_of_any_call_before_or_after_it_worked_doubles_nothing(self, bot: Bot, method: str) -> None:
        for lose in (
            bot.airflow.lose_next_answer,
            lambda name: bot.airflow.fail_next(name, AirflowUnavailable("down")),
        ):
            kept, stopped = run("kept"), run("stopped")
            bot.want(kept, stopped)
            lose(method)
            bot.look()
            bot.look()
            lose(method)
            bot.cancel(stopped)
            bot.look()
            bot.look()
            bot.airflow.fail(bot.ref(kept), "test", log=["E"])
            lose(method)
            for _ in range(4):
                bot.look()
            assert bot.now(kept).outcome is Outcome.FAILURE
            assert bot.now(kept).steps[1].excerpt == ("E",)
            assert bot.now(stopped).outcome is Outcome.CANCELLED
            bot.airflow._lost.clear()  # noqa: SLF001 - a call that never came
            bot.airflow._errors.clear()  # noqa: SLF001 - likewise
        assert len(bot.in_airflow()) <= 4


class TestARestart:
    """Survived at any point: whoever takes over finds all it needs in the store and in Airflow."""

    def test_before_airflow_was_asked(self, bot: Bot) -> None:
        one = run()
        bot.want(one)
        bot.store.claim_runs(10)
        bot.lose_leases()
        bot.look()
        assert len(bot.in_airflow()) == 1
        assert bot.now(one).phase is Phase.ACTIVE

    def test_after_airflow_was_asked(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        one = run()
        bot.want(one)

        def die(*_: object, **__: object) -> None:
            raise StoreUnavailable("killed")

        with monkeypatch.context() as killed:
            killed.setattr(bot.store, "save_run", die)
            with pytest.raises(StoreUnavailable):
                bot.reconciler.look()
        assert bot.now(one).phase is Phase.WANTED
        bot.lose_leases()
        bot.look()
        assert bot.now(one).phase is Phase.ACTIVE
        assert len(bot.in_airflow()) == 1

    def test_after_the_run_was_stopped(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        one = run()
        bot.want(one)
        bot.look()
        bot.cancel(one)

        def die(*_: object, **__: object) -> None:
            raise StoreUnavailable("killed")

        with monkeypatch.context() as killed:
            killed.setattr(bot.store, "save_run", die)
            with pytest.raises(StoreUnavailable):
                bot.look()
        bot.lose_leases()
        bot.look()
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED


class TestNamesThatAreTaken:
    def test_after_the_database_was_lost_every_run_finds_a_name_of_its_own(self, bot: Bot) -> None:
        """Attempts begin at one again, while Airflow still holds runs of those names."""
        bot.airflow.trigger(
            RunRef("checks", "preflight~demo~acme~widgets~12~unit~1a2b3c4d5e6f~1"), {}, "from before"
        )
        first = run(created_at=NOON)
        bot.want(first)
        bot.look()
        second = run(created_at=NOON)
        bot.want(second)
        bot.look()
        bot.look()
        assert bot.now(first).phase is Phase.ACTIVE
        assert bot.now(second).phase is Phase.ACTIVE
        assert bot.ref(first) != bot.ref(second)
