"""A run that is to stop ends in time, whether Airflow obeys or not; and is stopped there later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import DagNotFound
from bot.models import DagRunState, Outcome, Phase, Run, StepState
from bot.runs.revisit import STILL_AT_WORK
from tests.examples import at, run
from tests.runs.reconciling import AN_HOUR, HOUR, Bot, begun, tell

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import RunRef

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestAirflowIsAway:
    """Beyond a run's time: the run ends for us, and is stopped in Airflow as soon as it can be."""

    SAID = "timed out after 1h: Airflow did not answer since 12:30 UTC"

    @pytest.fixture
    def one(self, bot: Bot) -> Run:
        one = begun(bot)
        bot.airflow.step(bot.ref(one), "test", StepState.RUNNING)
        bot.look()
        bot.airflow.down = True
        for seconds in (HOUR / 2, HOUR, HOUR + 299):
            bot.time = at(seconds)
            bot.look()
            assert not bot.now(one).finished
        bot.time = at(HOUR + 300)
        bot.look()
        return one

    def test_it_ends_saying_so(self, bot: Bot, one: Run) -> None:
        assert tell(bot, one) == (Outcome.TIMED_OUT, self.SAID)
        due = bot.store.next_due()
        assert due is not None
        assert due <= 15, "somebody has to look there again"

    def test_it_is_stopped_when_airflow_is_back(self, bot: Bot, one: Run) -> None:
        for _ in range(3):
            bot.look()
        bot.airflow.down = False
        bot.look()
        assert bot.airflow.cancelled == [bot.ref(one)]
        bot.look()
        assert bot.airflow.runs[bot.ref(one)].state is DagRunState.FAILED
        assert bot.store.next_due() is None, "it has ended"
        assert tell(bot, one) == (Outcome.TIMED_OUT, self.SAID)

    @pytest.mark.parametrize("became", ["success", "gone"])
    def test_nothing_is_to_do_where_it_has_ended_there(self, bot: Bot, one: Run, became: str) -> None:
        if became == "gone":
            bot.airflow.delete(bot.ref(one))
        else:
            bot.airflow.succeed(bot.ref(one))
        bot.airflow.down = False
        bot.time += STILL_AT_WORK  # in which Airflow may have been about to start it
        bot.look()
        assert bot.store.next_due() is None
        assert bot.airflow.cancelled == []
        assert tell(bot, one) == (Outcome.TIMED_OUT, self.SAID)

    def test_a_retest_lets_it_go_on_instead(self, bot: Bot, one: Run) -> None:
        bot.resume(one)
        bot.airflow.down = False
        resumed = bot.now(one).resumed_at
        assert resumed is not None
        bot.time = resumed
        bot.look()
        assert bot.now(one).phase is Phase.ACTIVE
        assert bot.airflow.cancelled == []
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert tell(bot, one) == (Outcome.SUCCESS, "")

    @pytest.mark.usefixtures("one")
    def test_nobody_looks_for_ever(self, bot: Bot) -> None:
        bot.time = at(8 * 86_400)
        bot.look()
        assert bot.store.next_due() is None

    def test_one_that_may_have_begun_is_stopped_too(self, bot: Bot) -> None:
        """The answer to its trigger was lost, and from then on Airflow was away."""
        one = replace(run(), rules=AN_HOUR)
        bot.want(one)
        bot.airflow.lose_next_answer("trigger")
        bot.look()
        bot.airflow.down = True
        for seconds in (60, HOUR, HOUR + 300):
            bot.time = at(seconds)
            bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT
        bot.airflow.down = False
        bot.look()
        assert len(bot.airflow.cancelled) == 1

    def test_one_of_that_name_that_is_not_ours_is_left_alone(self, bot: Bot, one: Run) -> None:
        ref = bot.ref(one)
        bot.airflow.down = False
        bot.airflow.delete(ref)
        bot.airflow.trigger(ref, {}, "theirs")
        bot.look()
        assert bot.airflow.cancelled == []
        assert bot.store.next_due() is None


class TestAirflowDoesNotStopIt:
    """It was asked to, and answers, but the DAG run does not end."""

    @pytest.fixture
    def one(self, bot: Bot) -> Run:
        """Its teardown should run now, for which nobody is there."""
        bot.airflow.add_dag("checks", tasks=["clone", "test", "down"], teardowns=["down"])
        one = begun(bot)
        bot.time = at(600)
        bot.cancel(one)
        bot.look()
        bot.look()
        assert not bot.now(one).finished
        return one

    def test_after_five_minutes_it_ends_for_us(self, bot: Bot, one: Run) -> None:
        bot.time = at(899)
        bot.look()
        assert not bot.now(one).finished
        bot.time = at(901)
        bot.look()
        assert tell(bot, one) == (
            Outcome.CANCELLED,
            "by rita: waits for a worker of Airflow to start step 'down'".replace("waits", "still waits"),
        )

    def test_with_what_keeps_it(self, bot: Bot, one: Run) -> None:
        bot.airflow.scheduler_silent_since = at(300)
        bot.time = at(901)
        bot.look()
        assert tell(bot, one) == (
            Outcome.CANCELLED,
            "by rita: Airflow's scheduler has not been heard of since 12:05 UTC: start it",
        )

    def test_a_teardown_that_runs_has_an_hour(self, bot: Bot, one: Run) -> None:
        bot.airflow.step(bot.ref(one), "down", StepState.RUNNING)
        bot.time = at(600 + HOUR - 1)
        bot.look()
        assert not bot.now(one).finished
        bot.time = at(600 + HOUR)
        bot.look()
        assert tell(bot, one) == (
            Outcome.CANCELLED, "by rita: Airflow did not stop it: look at its DAG run there"
        )  # fmt: skip

    def test_its_end_in_airflow_is_waited_for_unseen(self, bot: Bot, one: Run) -> None:
        bot.time = at(901)
        bot.look()
        assert bot.now(one).finished
        bot.look()
        assert bot.store.next_due() is not None
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert bot.store.next_due() is None
        assert bot.now(one).outcome is Outcome.CANCELLED

    def test_where_airflow_refuses_to(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        one = begun(bot)

        def refuse(ref: RunRef) -> None:
            raise DagNotFound(f"{ref} has no DAG any more")

        monkeypatch.setattr(bot.airflow, "cancel", refuse)
        bot.cancel(one)
        bot.look()
        bot.look()
        bot.time = at(301)
        bot.look()
        assert bot.now(one).outcome is Outcome.CANCELLED
