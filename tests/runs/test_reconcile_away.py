"""Airflow is away for hours: who waits for it says so once and rests, and all goes on soon after its end."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import AirflowUnavailable
from bot.models import Outcome, Phase, Rules
from tests.examples import run
from tests.runs.reconciling import Bot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres

RUNS = 150  # more than one look takes


@pytest.fixture
def bot(database: Database) -> Bot:
    """With runs of the present: the database has a clock of its own."""
    bot = Bot(database)
    with database.begin() as connection:
        bot.time = connection.execute(text("SELECT now()")).scalar_one()
    return bot


def want_many(bot: Bot) -> None:
    bot.want(*(run(f"p{number}", created_at=bot.time) for number in range(RUNS)))


def look_until_nothing_is_due(bot: Bot) -> None:
    with bot.database.begin() as connection:
        connection.execute(text("UPDATE runs SET due_at = now() WHERE due_at IS NOT NULL"))
    while bot.reconciler.look():
        pass


def written(bot: Bot) -> Mapping[str, str]:
    """Which transaction wrote each row last."""
    with bot.database.begin() as connection:
        return {row.id: row.xmin for row in connection.execute(text("SELECT id, xmin FROM runs"))}


class TestWhileItIsAway:
    @pytest.mark.parametrize("phase", [Phase.WANTED, Phase.ACTIVE])
    def test_each_run_says_so_once_and_is_then_left_alone(
        self, bot: Bot, phase: Phase, caplog: pytest.LogCaptureFixture
    ) -> None:
        want_many(bot)
        if phase is Phase.ACTIVE:
            look_until_nothing_is_due(bot)
        caplog.set_level(logging.INFO)
        caplog.clear()
        bot.airflow.calls.clear()
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            notes = connection.execute(text("SELECT DISTINCT note, phase FROM runs")).all()
        assert [tuple(row) for row in notes] == [("waiting for Airflow", phase.value)]
        look_until_nothing_is_due(bot)
        assert caplog.records == []
        assert bot.airflow.calls.total() == 0

    def test_no_row_is_written_again_and_again(self, bot: Bot) -> None:
        want_many(bot)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            connection.execute(text("UPDATE runs SET due_at = now() WHERE due_at IS NOT NULL"))
        before = written(bot)
        assert not bot.reconciler.look()
        assert written(bot) == before
        due = bot.reconciler.next_due()
        assert due is not None
        assert 0 < due <= 5, "though all of them are due"

    def test_after_a_while_one_goes_first_to_see(self, bot: Bot) -> None:
        want_many(bot)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            connection.execute(text("UPDATE runs SET due_at = now() WHERE due_at IS NOT NULL"))
        before = written(bot)
        bot.seconds += 20
        assert bot.reconciler.look()
        assert sum(by != before[run_id] for run_id, by in written(bot).items()) == 1
        assert not bot.reconciler.look(), "it is still away"

    def test_who_comes_then_says_so_as_well(self, bot: Bot) -> None:
        want_many(bot)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        late = run("late", created_at=bot.time)
        bot.want(late)
        assert bot.reconciler.look()
        assert bot.now(late).note == "waiting for Airflow"

    def test_who_never_was_there_is_stopped_at_once(self, bot: Bot) -> None:
        one = run(created_at=bot.time)
        bot.want(one)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        bot.cancel(one)
        assert bot.reconciler.look()
        assert bot.now(one).outcome is Outcome.CANCELLED

    def test_whose_time_is_over_is_ended_with_the_true_reason(self, bot: Bot) -> None:
        one = run(created_at=bot.time - timedelta(minutes=5))
        one = replace(one, rules=Rules(timeout=600.0))
        bot.want(one)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        assert not bot.now(one).finished
        with bot.database.begin() as connection:
            connection.execute(text("UPDATE runs SET created_at = now() - interval '11 min', due_at = now()"))
        bot.time += timedelta(minutes=11)
        assert bot.reconciler.look(), "although it waits for Airflow"
        over = bot.now(one)
        assert over.outcome is Outcome.TIMED_OUT
        assert over.reason.startswith("timed out after 10m: Airflow did not answer")


class TestAfterwards:
    def test_all_of_them_go_on_at_once(self, bot: Bot) -> None:
        want_many(bot)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        bot.airflow.away = 0.0
        bot.seconds += 20
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            now = connection.execute(text("SELECT DISTINCT note, phase FROM runs")).all()
        assert [tuple(row) for row in now] == [("", "active")]
        assert bot.airflow.calls["trigger"] == RUNS

    def test_those_that_wait_for_it_are_due_within_half_a_minute_and_not_all_at_once(self, bot: Bot) -> None:
        want_many(bot)
        bot.airflow.away = 25.0
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            row = connection.execute(
                text(
                    "SELECT extract(epoch FROM max(due_at) - now()) AS latest, "
                    "extract(epoch FROM max(due_at) - min(due_at)) AS spread FROM runs"
                )
            ).one()
        assert row.latest <= 25 * 1.25
        assert row.spread > 3

    def test_those_that_only_have_to_be_ended_in_airflow_hold_up_nobody(self, bot: Bot) -> None:
        """They come first, and one by one they would take very long."""
        going_on = run("going-on", created_at=bot.time)
        want_many(bot)
        bot.want(going_on)
        look_until_nothing_is_due(bot)
        bot.airflow.away = 20.0
        look_until_nothing_is_due(bot)
        with bot.database.begin() as connection:
            connection.execute(
                text(
                    "UPDATE runs SET phase = 'finished', outcome = 'timed_out', cancel = 'timed out', "
                    "finished_at = now() WHERE pipeline <> 'going-on'"
                )
            )
        bot.airflow.away = 0.0
        bot.airflow.succeed(bot.ref(going_on))
        bot.seconds += 20
        with bot.database.begin() as connection:
            connection.execute(text("UPDATE runs SET due_at = now()"))
        looks = 0
        while not bot.now(going_on).finished:
            assert bot.reconciler.look()
            looks += 1
        assert looks <= 3

    def test_no_proxy_makes_them_wait_for_longer(self, bot: Bot) -> None:
        """Its 503 may say "in an hour", whatever Airflow behind it is about to do."""
        one = run(created_at=bot.time)
        bot.want(one)
        bot.airflow.fail_next("dag", AirflowUnavailable("503", retry_after=3600.0))
        look_until_nothing_is_due(bot)
        due = bot.store.next_due()
        assert due is not None
        assert due <= 30 * 1.25


class TestALoginThatIsRefused:
    def test_is_not_tried_again_for_every_run(self, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
        want_many(bot)
        bot.airflow.login_fails = True
        look_until_nothing_is_due(bot)
        bot.airflow.calls.clear()
        caplog.clear()
        look_until_nothing_is_due(bot)
        assert bot.airflow.calls.total() == 0
        assert caplog.records == []


def test_a_call_that_fails_now_and_then_is_told_once(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    want_many(bot)
    for _ in range(RUNS):
        bot.airflow.fail_next("dag", AirflowUnavailable("502"))
    look_until_nothing_is_due(bot)
    assert caplog.text.count("502") == 1
