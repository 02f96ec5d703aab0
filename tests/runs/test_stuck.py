"""Nothing stays stuck: whatever a run waits for, people read it, and it ends when its time is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import AirflowLoginRefused, AirflowRefused, AirflowUnavailable
from bot.models import Limit, Outcome, Phase, Pool, Rules, StepState
from tests.examples import at, run
from tests.runs.reconciling import AN_HOUR, HOUR, Bot, begun, tell

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres
ONE_AT_ONCE = replace(AN_HOUR, limits=(Limit("repository:42", 1),))


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestWhatKeepsIt:
    """A run that stands still says why, until that is mended."""

    def no_pool(self, bot: Bot) -> None:
        bot.airflow.add_dag("checks", tasks=["clone", "test"], pools={"test": "gpu"})

    def full_pool(self, bot: Bot) -> None:
        self.no_pool(bot)
        bot.airflow.pools["gpu"] = Pool(2, 0)

    def paused(self, bot: Bot) -> None:
        bot.airflow.add_dag("checks", tasks=["clone", "test"], paused=True)

    def gone(self, bot: Bot) -> None:
        bot.airflow.remove_dag("checks")

    def broken(self, bot: Bot) -> None:
        bot.airflow.add_dag("checks", tasks=["clone", "test"], import_error=True)

    def no_scheduler(self, bot: Bot) -> None:
        bot.airflow.scheduler_silent_since = bot.time

    def mend(self, bot: Bot) -> None:
        bot.airflow.add_dag("checks", tasks=["clone", "test"], pools={"test": "gpu"})
        bot.airflow.pools["gpu"] = Pool(2, 1)
        bot.airflow.scheduler_silent_since = None

    CASES = (
        ("no_pool", "waits: ", "step 'test' needs pool 'gpu', which does not exist: create it in Airflow"),
        ("full_pool", "", "waits for a place in pool 'gpu' (2 of 2 taken)"),
        ("paused", "waits: ", "DAG 'checks' is paused: unpause it in Airflow"),
        ("gone", "waits: ", "DAG 'checks' is gone from Airflow: deploy its file again"),
        ("broken", "waits: ", "DAG 'checks' can't be imported any more: see Airflow's import errors"),
        ("no_scheduler", "waits: ", "Airflow's scheduler has not been heard of since 12:00 UTC: start it"),
    )

    @pytest.mark.parametrize(("what", "waits", "why"), CASES, ids=[case[0] for case in CASES])
    def test_is_said_after_a_minute_and_when_its_time_is_over(
        self, bot: Bot, what: str, waits: str, why: str
    ) -> None:
        one = begun(bot)
        getattr(self, what)(bot)
        bot.time = at(59)
        bot.look()
        assert bot.now(one).note == ""
        assert bot.airflow.calls["conditions"] == 0, "nobody looks before"
        bot.time = at(60)
        bot.look()
        assert bot.now(one).note == waits + why
        bot.time = at(HOUR)
        bot.look()
        bot.look()
        still = "" if waits else "still "
        assert tell(bot, one) == (Outcome.TIMED_OUT, f"timed out after 1h: {still}{why}")

    @pytest.mark.parametrize("what", [case[0] for case in CASES])
    def test_goes_away_when_it_is_mended(self, bot: Bot, what: str) -> None:
        one = begun(bot)
        getattr(self, what)(bot)
        bot.time = at(60)
        bot.look()
        assert bot.now(one).note
        self.mend(bot)
        bot.airflow.step(bot.ref(one), "test", StepState.RUNNING)
        bot.look()
        assert bot.now(one).note == ""
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert tell(bot, one) == (Outcome.SUCCESS, "")

    def test_is_looked_for_once_for_many_runs(self, bot: Bot) -> None:
        bot.want(*(run(f"p{number}") for number in range(30)))
        bot.look()
        bot.time = at(60)
        bot.look()
        assert bot.airflow.calls["conditions"] == 1

    @pytest.mark.parametrize(
        "error", [AirflowLoginRefused("403"), AirflowUnavailable("502")], ids=["may not", "can not"]
    )
    def test_that_it_can_not_be_known_breaks_nothing(self, bot: Bot, error: AirflowUnavailable) -> None:
        one = begun(bot)
        self.paused(bot)
        bot.time = at(60)
        bot.airflow.fail_next("conditions", error)
        bot.look()
        assert (bot.now(one).phase, bot.now(one).note) == (Phase.ACTIVE, "")
        bot.airflow.succeed(bot.ref(one))
        bot.look()
        assert bot.now(one).outcome is Outcome.SUCCESS


class TestEveryPhaseEnds:
    """Without a word of anybody's when the run's time is over."""

    def test_waiting_for_its_turn(self, bot: Bot) -> None:
        first, second = (replace(run(name), rules=ONE_AT_ONCE) for name in ("a", "b"))
        bot.want(first, second)
        bot.look()
        bot.time = at(HOUR)
        bot.look()
        assert tell(bot, second) == (Outcome.TIMED_OUT, "timed out after 1h: still queued: 1 ahead")

    def test_waiting_for_a_need_that_never_comes(self, bot: Bot) -> None:
        one = replace(run("e2e"), rules=Rules(needs=("unit",)))
        bot.want(one)
        bot.look()
        assert bot.now(one).note == "waits for unit"
        bot.time = at(86_399)
        bot.look()
        assert not bot.now(one).finished
        bot.time = at(86_400)
        bot.look()
        assert tell(bot, one) == (Outcome.TIMED_OUT, "timed out after 24h: still waits for unit")

    def test_waiting_for_an_airflow_that_never_had_it(self, bot: Bot) -> None:
        one = replace(run(), rules=AN_HOUR)
        bot.want(one)
        bot.airflow.down = True
        bot.time = at(60)
        bot.look()
        bot.time = at(HOUR)
        bot.look()
        assert tell(bot, one) == (
            Outcome.TIMED_OUT, "timed out after 1h: Airflow did not answer since 12:01 UTC"
        )  # fmt: skip

    def test_waiting_for_a_login_that_is_refused(self, bot: Bot) -> None:
        one = begun(bot)
        bot.airflow.login_fails = True
        for seconds in (60, HOUR, HOUR + 300):
            bot.time = at(seconds)
            bot.look()
        assert tell(bot, one) == (
            Outcome.TIMED_OUT, "timed out after 1h: Airflow refuses our login: its operator has to look"
        )  # fmt: skip

    def test_resuming(self, bot: Bot) -> None:
        one = begun(bot)
        bot.airflow.fail(bot.ref(one), "test")
        bot.look()
        bot.resume(one)
        resumed = bot.now(one).resumed_at
        assert resumed is not None
        bot.airflow.down = True
        for seconds in (0, HOUR, HOUR + 300):
            bot.time = resumed + (at(seconds) - at(0))
            bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT

    def test_an_error_of_ours(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        one = begun(bot)

        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("bot.runs.reconcile.follow", fail)
        for seconds, finished in ((60, False), (HOUR, False), (2 * HOUR - 1, False), (2 * HOUR, True)):
            bot.time = at(seconds)
            bot.look()
            assert bot.now(one).finished is finished
        assert bot.now(one).outcome is Outcome.TIMED_OUT

    def test_a_refusal_of_every_look(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        one = begun(bot)

        def refuse(*_: object, **__: object) -> None:
            raise AirflowRefused("400")

        monkeypatch.setattr("bot.runs.reconcile.follow", refuse)
        bot.time = at(2 * HOUR)
        bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT

    def test_one_that_ended_while_nobody_of_us_was_there_is_what_it_became(self, bot: Bot) -> None:
        one = begun(bot)
        bot.airflow.fail(bot.ref(one), "test", log=["1 failed"])
        bot.time = at(10 * HOUR)
        bot.look()
        over = bot.now(one)
        assert (over.outcome, over.steps[1].excerpt) == (Outcome.FAILURE, ("1 failed",))
        assert bot.airflow.cancelled == []

    def test_one_that_a_version_before_let_wait_for_ever(self, bot: Bot) -> None:
        one = replace(run("e2e"), rules=Rules(needs=("unit",)))
        bot.want(one)
        with bot.database.begin() as connection:
            connection.execute(
                text("""UPDATE runs SET due_at = NULL, rules = rules || '{"timeout": null}'""")
            )
        bot.reconciler.look()
        assert bot.store.next_due() is not None
        bot.time = at(86_400)
        bot.airflow.down = True
        bot.look()
        assert bot.now(one).outcome is Outcome.TIMED_OUT
