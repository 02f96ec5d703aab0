"""One DAG run that Airflow can't show, or one error, holds up nobody else; and what Airflow said is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import AirflowAway, AirflowLoginRefused, AirflowRefused, AirflowUnavailable
from bot.metrics import LOOP_ERRORS
from bot.models import Outcome, Phase
from bot.runs.away import Away
from tests.examples import NOON, at, run
from tests.runs.reconciling import HOUR, Bot, begun, tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.adapters.postgres import Database
    from bot.models import DagRun, Run, RunRef

MANY = 100
REFUSED = "Airflow refuses (414): URI Too Long"


def failed() -> AirflowUnavailable:
    error = AirflowUnavailable(
        "Airflow at http://airflow.internal does not answer: 500 Internal Server Error"
    )
    error.said = "500 Internal Server Error"
    return error


def errors() -> float:
    return float(LOOP_ERRORS.labels("run")._value.get())  # noqa: SLF001 - as prometheus_client's own tests read it


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


def spoil(bot: Bot, monkeypatch: pytest.MonkeyPatch, one: Run, error: Exception) -> list[tuple[int, bool]]:
    """Let Airflow fail where it is asked for this run; how many each call asked for, and if it failed."""
    look, spoilt, calls = bot.airflow.look, bot.ref(one), list[tuple[int, bool]]()

    def fail(refs: Sequence[RunRef]) -> Mapping[RunRef, DagRun | None]:
        calls.append((len(refs), spoilt in refs))
        if spoilt in refs:
            raise error
        return look(refs)

    monkeypatch.setattr(bot.airflow, "look", fail)
    return calls


@pytest.mark.postgres
class TestOneThatAirflowCanNotShow:
    @pytest.mark.parametrize(
        ("error", "note"),
        [
            pytest.param(failed(), "waits: Airflow failed: 500 Internal Server Error", id="500"),
            pytest.param(AirflowRefused(REFUSED), f"waits: {REFUSED}", id="refused"),
        ],
    )
    def test_waits_alone(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch, error: AirflowRefused, note: str
    ) -> None:
        runs = [run(f"p{number}") for number in range(MANY)]
        bot.want(*runs)
        bot.look()
        for one in runs:
            bot.airflow.succeed(bot.ref(one))
        calls = spoil(bot, monkeypatch, runs[0], error)
        bot.look()
        assert (bot.now(runs[0]).phase, bot.now(runs[0]).note) == (Phase.ACTIVE, note)
        assert all(bot.now(one).outcome is Outcome.SUCCESS for one in runs[1:])
        assert len(calls) <= 1 + 2 * 7
        in_a_row = [before and now for (_, before), (_, now) in pairwise(calls)]
        assert not any(map(all, pairwise(in_a_row))), "no breaker opens"
        monkeypatch.undo()
        bot.look()
        assert bot.now(runs[0]).outcome is Outcome.SUCCESS

    @pytest.mark.parametrize(
        ("error", "why"),
        [
            pytest.param(failed(), "Airflow failed: 500 Internal Server Error", id="500"),
            pytest.param(AirflowRefused(REFUSED), REFUSED, id="refused"),
        ],
    )
    def test_ends_with_what_airflow_said(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch, error: AirflowRefused, why: str
    ) -> None:
        one = begun(bot)
        spoil(bot, monkeypatch, one, error)
        for seconds in (60, HOUR, HOUR + 60, HOUR + 300):
            bot.time = at(seconds)
            bot.look()
        assert tell(bot, one) == (Outcome.TIMED_OUT, f"timed out after 1h: {why}")

    @pytest.mark.parametrize(
        "error",
        [AirflowUnavailable("no answer"), AirflowAway("nothing was sent", 5.0), AirflowLoginRefused("401")],
    )
    def test_is_not_looked_for_where_airflow_says_nothing_of_it(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch, error: AirflowUnavailable
    ) -> None:
        runs = [run(f"p{number}") for number in range(4)]
        bot.want(*runs)
        bot.look()
        calls = spoil(bot, monkeypatch, runs[0], error)
        bot.look()
        assert calls == [(4, True)]


@pytest.mark.postgres
class TestRunsThatHaveEnded:
    @pytest.fixture
    def owed(self, bot: Bot) -> list[Run]:
        """Runs whose end Airflow still owes us."""
        runs = [run(f"p{number}") for number in range(3)]
        bot.want(*runs)
        bot.look()
        with bot.database.begin() as connection:
            connection.execute(
                text(
                    "UPDATE runs SET phase = 'finished', outcome = 'timed_out', cancel = 'late', "
                    "finished_at = :at"
                ),
                {"at": NOON},
            )
        return runs

    def test_one_that_can_not_be_shown_holds_up_no_other(
        self, bot: Bot, owed: list[Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoil(bot, monkeypatch, owed[0], failed())
        bot.look()
        assert {*bot.airflow.cancelled} == {bot.ref(one) for one in owed[1:]}

    def test_nor_does_one_that_meets_an_error_of_ours(
        self, bot: Bot, owed: list[Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cancel, spoilt, before = bot.airflow.cancel, bot.ref(owed[0]), errors()

        def fail(ref: RunRef) -> None:
            if ref == spoilt:
                raise ZeroDivisionError
            cancel(ref)

        monkeypatch.setattr(bot.airflow, "cancel", fail)
        bot.look()
        assert {*bot.airflow.cancelled} == {bot.ref(one) for one in owed[1:]}
        assert errors() == before + 1
        monkeypatch.undo()
        bot.look()
        assert spoilt in bot.airflow.cancelled


@pytest.mark.postgres
def test_what_keeps_runs_is_a_kindness_that_may_fail(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    one, before = begun(bot), errors()

    def fail(_: object) -> None:
        raise TypeError("can't compare offset-naive and offset-aware datetimes")

    monkeypatch.setattr(bot.airflow, "conditions", fail)
    bot.time = at(60)
    bot.look()
    assert (bot.now(one).phase, bot.now(one).note) == (Phase.ACTIVE, "")
    assert errors() == before + 1
    bot.airflow.succeed(bot.ref(one))
    bot.look()
    assert bot.now(one).outcome is Outcome.SUCCESS


class TestAway:
    """What a run says while Airflow can't be had, and whether the others are held up."""

    @pytest.mark.parametrize(
        ("error", "note", "paused"),
        [
            (AirflowUnavailable("no answer"), "waiting for Airflow", False),
            (failed(), "waits: Airflow failed: 500 Internal Server Error", False),
            (AirflowAway("nothing was sent", 7.0), "waiting for Airflow", True),
            (AirflowRefused(REFUSED), f"waits: {REFUSED}", False),
            (
                AirflowLoginRefused("401"),
                "waiting for Airflow, which refuses our login: its operator has to look",
                True,
            ),
        ],
        ids=["silent", "500", "left alone", "refused", "login"],
    )
    def test_is_told_by_what_it_said(self, error: AirflowUnavailable, note: str, paused: bool) -> None:  # noqa: FBT001 - a case
        away = Away(lambda: NOON, lambda: 0.0)
        assert away.met(run(), error).note == note
        assert (away.next_due(0.0) != 0.0) is paused

    def test_of_its_failures_is_why_it_is_left_alone(self) -> None:
        """The note would come and go with every try."""
        away = Away(lambda: NOON, lambda: 0.0)
        one = replace(run(), note=away.met(run(), failed()).note)
        assert away.met(one, AirflowAway("nothing was sent", 7.0)).note == one.note
