"""An Airflow that can't reach the bot publishes what happens to runs, and the bot hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, text

from deploy.local.airflow import local_airflow
from deploy.local.bot import BotPorts
from deploy.local.environment import ROOT
from tests.fixtures.airflow import NUDGE_SECRET
from tests.stories.airflow_view import AirflowView
from tests.stories.bots import running_bot
from tests.stories.conftest import BOT, OWNER
from tests.stories.pulls import checks, make_repository, until_there, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.settings import PubSub
    from deploy.local.postgres import Postgres
    from tests.fixtures.pubsub import Emulator
    from tests.github_standin import Standin
    from tests.stories.bots import Bot

PROJECT = "PREFLIGHT_PUBSUB_PROJECT"
KNOWN = 'preflight_nudges_total{result="known"}'


@pytest.fixture(scope="module")
def place(pubsub_emulator: Emulator) -> PubSub:
    """Topics and subscriptions of these stories."""
    return pubsub_emulator.project()


@pytest.fixture(scope="module")
def far_airflow(tmp_path_factory: pytest.TempPathFactory, place: PubSub) -> Iterator[AirflowView]:
    """An Airflow of their own, which does not know where the bot is."""
    with local_airflow(
        tmp_path_factory.mktemp("far-airflow"),
        dags=ROOT / "dags",
        plugins=ROOT / "dags/plugins",
        nudge_secret=NUDGE_SECRET,
        extra={
            "PREFLIGHT_EVENTS": "pubsub",
            PROJECT: place.project,
            "PUBSUB_EMULATOR_HOST": place.emulator,
            "PREFLIGHT_STEP_SHARED": str(tmp_path_factory.getbasetemp()),
        },
        wait_for=["checks"],
    ) as airflow:
        yield AirflowView(airflow)


@pytest.fixture(scope="module")
def hearing_bot(
    tmp_path_factory: pytest.TempPathFactory,
    far_airflow: AirflowView,
    place: PubSub,
    real_postgres: Postgres,
    github: Standin,
) -> Iterator[Bot]:
    """A bot that pulls events, and is nudged by nobody."""
    with running_bot(
        tmp_path_factory.mktemp("hearing-bot"),
        "hearing",
        login=BOT,
        account={
            "PREFLIGHT_GITHUB_TOKEN": github.user(BOT).token,
            "PREFLIGHT_REPOSITORIES": f"{OWNER}/*",
            "PREFLIGHT_EVENTS": "pubsub",
            PROJECT: place.project,
            "PUBSUB_EMULATOR_HOST": place.emulator,
        },
        postgres=real_postgres,
        airflow=far_airflow.local,
        github=github,
        ports=BotPorts.free(),
    ) as bot:
        yield bot
        bot.assert_in_order()


def known(bot: Bot) -> float:
    """How many events of its unfinished runs it has heard of."""
    return bot.figures("worker").get(KNOWN, 0.0)


def stop_polling(bot: Bot) -> None:
    """For an hour nobody looks at its unfinished run by himself, once a look that is under way has ended."""
    engine = create_engine(bot.database_url, poolclass=NullPool)
    never = text(
        "UPDATE runs SET due_at = now() + interval '1 hour'"
        " WHERE phase = 'active' AND lease_owner IS NULL RETURNING id"
    )

    def nobody_looks() -> bool:
        with engine.begin() as connection:
            return len(connection.execute(never).all()) == 1

    until(nobody_looks, "an end of the look that was under way", bot.told)


def test_an_event_brings_the_result_where_nobody_polls(
    hearing_bot: Bot, far_airflow: AirflowView, github: Standin, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    repository = make_repository(
        github,
        f"{OWNER}/far-away",
        hearing_bot,
        far_airflow,
        configuration=written({"unit": checks(test=until_there(gate))}),
    )

    pull = repository.opened()
    pull.expect_running("test")
    began = ("the run", "clone", "clone's end", "test")
    until(lambda: known(hearing_bot) >= len(began), f"events of {', '.join(began)}", pull.so_far)
    stop_polling(hearing_bot)
    before = known(hearing_bot)
    gate.touch()

    pull.expect_status("preflight/unit", "success", "2 steps passed")
    pull.expect_comment("**`unit` passed**")
    assert known(hearing_bot) > before
    pull.expect_dag_runs("success")
    assert not [name for name in hearing_bot.figures() if name.startswith("preflight_nudges_total")]
