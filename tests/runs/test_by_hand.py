"""What somebody does to a DAG run in Airflow's own pages, and what pull requests show of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.models import DagRunState, Outcome, Phase, Run, StepState
from tests.runs.reconciling import Bot, begun, tell

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import RunRef

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestByHand:
    """What somebody does to a DAG run in Airflow's own pages."""

    def deleted(self, bot: Bot, ref: RunRef) -> None:
        bot.airflow.delete(ref)

    def called_successful(self, bot: Bot, ref: RunRef) -> None:
        bot.airflow.step(ref, "test", StepState.SKIPPED)
        bot.airflow.finish(ref, DagRunState.SUCCESS)

    def called_failed(self, bot: Bot, ref: RunRef) -> None:
        bot.airflow.cancel(ref)

    def without_a_task(self, bot: Bot, ref: RunRef) -> None:
        bot.airflow.step(ref, "test", StepState.REMOVED)
        bot.airflow.finish(ref, DagRunState.SUCCESS)

    CASES = (
        ("deleted", Outcome.ERROR, "Airflow no longer has this run: somebody deleted it"),
        ("called_successful", Outcome.SUCCESS, ""),
        ("called_failed", Outcome.FAILURE, "timed out or stopped in Airflow"),
        ("without_a_task", Outcome.SUCCESS, ""),
    )

    @pytest.mark.parametrize(("what", "outcome", "reason"), CASES, ids=[case[0] for case in CASES])
    def test_ends_it_as(self, bot: Bot, what: str, outcome: Outcome, reason: str) -> None:
        one = begun(bot)
        getattr(self, what)(bot, bot.ref(one))
        bot.look()
        assert tell(bot, one) == (outcome, reason)

    @pytest.fixture
    def red(self, bot: Bot) -> Run:
        bot.time = datetime.now(UTC)  # a hint counts for some days only
        one = begun(bot)
        bot.airflow.fail(bot.ref(one), "test", log=["1 failed"])
        bot.look()
        assert bot.now(one).outcome is Outcome.FAILURE
        return one

    def clear(self, bot: Bot, ref: RunRef) -> None:
        bot.airflow.clear(ref, [("test", -1)], go=True)
        bot.airflow.step(ref, "test", StepState.RUNNING)

    def test_cleared_after_its_end_it_goes_on_here_too(self, bot: Bot, red: Run) -> None:
        bot.time += timedelta(hours=2)
        self.clear(bot, bot.ref(red))
        assert bot.store.nudge(bot.ref(red).dag_run_id, began=True)
        bot.look()
        now = bot.now(red)
        assert (now.phase, now.outcome, now.reason, now.resumed_at) == (Phase.ACTIVE, None, "", bot.time)
        bot.airflow.succeed(bot.ref(red))
        bot.look()
        over = bot.now(red)
        assert (over.outcome, [step.try_number for step in over.steps]) == (Outcome.SUCCESS, [1, 2])
        assert bot.airflow.calls["trigger"] == 1
        assert bot.airflow.resumed == []

    def test_even_where_that_ended_before_we_looked(self, bot: Bot, red: Run) -> None:
        self.clear(bot, bot.ref(red))
        bot.store.nudge(bot.ref(red).dag_run_id, began=True)
        bot.airflow.succeed(bot.ref(red))
        bot.look()
        bot.look()
        assert bot.now(red).outcome is Outcome.SUCCESS

    def test_a_late_hint_changes_nothing(self, bot: Bot, red: Run) -> None:
        before = bot.now(red)
        assert bot.store.nudge(bot.ref(red).dag_run_id, began=True)
        bot.look()
        assert bot.now(red) == before
        assert bot.store.next_due() is None

    def test_an_end_is_no_reason_to_look(self, bot: Bot, red: Run) -> None:
        assert not bot.store.nudge(bot.ref(red).dag_run_id)
        assert bot.store.next_due() is None

    def test_one_that_we_stopped_stays_so(self, bot: Bot) -> None:
        bot.time = datetime.now(UTC)
        one = begun(bot)
        bot.cancel(one)
        bot.look()
        bot.look()
        self.clear(bot, bot.ref(one))
        assert not bot.store.nudge(bot.ref(one).dag_run_id, began=True)
        assert bot.now(one).outcome is Outcome.CANCELLED

    def test_airflow_may_be_away_just_then(self, bot: Bot, red: Run) -> None:
        self.clear(bot, bot.ref(red))
        bot.store.nudge(bot.ref(red).dag_run_id, began=True)
        bot.airflow.down = True
        bot.look()
        assert bot.now(red).outcome is Outcome.FAILURE
        bot.airflow.down = False
        bot.look()
        assert bot.now(red).phase is Phase.ACTIVE

    def test_a_retest_meanwhile_is_what_counts(self, bot: Bot, red: Run) -> None:
        self.clear(bot, bot.ref(red))
        bot.store.nudge(bot.ref(red).dag_run_id, began=True)
        (claim,) = bot.store.claim_runs(1)
        bot.resume(red)
        bot.store.revisited(claim, None, cancel_sent=False, seconds=None)
        assert bot.now(red).phase is Phase.RESUMING
        assert (bot.store.next_due() or 0) > 0
        bot.look()
        assert bot.now(red).phase is Phase.ACTIVE


def test_what_somebody_else_took_over_is_not_given_back(bot: Bot) -> None:
    """Its lease ran out while it was looked at again."""
    bot.time = datetime.now(UTC)
    one = begun(bot)
    bot.airflow.fail(bot.ref(one), "test")
    bot.look()
    bot.store.nudge(bot.ref(one).dag_run_id, began=True)
    (first,) = bot.store.claim_runs(1)
    bot.lose_leases()
    (second,) = bot.store.claim_runs(1)
    bot.store.revisited(first, None, cancel_sent=False, seconds=None)
    assert bot.store.next_due() is None, "somebody holds it"
    bot.store.revisited(second, None, cancel_sent=False, seconds=100)
    assert (bot.store.next_due() or 0) > 90
