"""Deliveries wait on Google Cloud Pub/Sub: who receives them needs no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from deploy.local.bot import BotPorts
from deploy.local.postgres import embedded_postgres
from tests.stories.bots import running_bot
from tests.stories.conftest import BOT, OWNER
from tests.stories.pulls import checks, make_repository, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import PubSub
    from deploy.local.postgres import Postgres
    from tests.fixtures.pubsub import Emulator
    from tests.github_standin import Standin
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot

AFTERWARDS_SECONDS = 90.0


@pytest.fixture(scope="module")
def place(pubsub_emulator: Emulator) -> PubSub:
    """Topics and subscriptions of these stories."""
    return pubsub_emulator.project()


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL that only the bot uses, and that may go away."""
    with embedded_postgres(tmp_path_factory.mktemp("own-postgres")) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def far_bot(
    tmp_path_factory: pytest.TempPathFactory,
    place: PubSub,
    own_postgres: Postgres,
    airflow: AirflowView,
    github: Standin,
) -> Iterator[Bot]:
    """A bot whose web and worker meet on Pub/Sub."""
    with running_bot(
        tmp_path_factory.mktemp("far-bot"),
        "far",
        login=BOT,
        account={
            "PREFLIGHT_GITHUB_TOKEN": github.user(BOT).token,
            "PREFLIGHT_REPOSITORIES": f"{OWNER}/*",
            "PREFLIGHT_INBOX": "pubsub",
            "PREFLIGHT_PUBSUB_PROJECT": place.project,
            "PUBSUB_EMULATOR_HOST": place.emulator,
        },
        postgres=own_postgres,
        airflow=airflow.local,
        github=github,
        ports=BotPorts.free(),
    ) as bot:
        yield bot
        bot.assert_in_order()


def test_the_database_is_away_while_web_receives(
    far_bot: Bot, own_postgres: Postgres, airflow: AirflowView, github: Standin
) -> None:
    repository = make_repository(
        github,
        f"{OWNER}/received-without-a-database",
        far_bot,
        airflow,
        configuration=written({"unit": checks(test="true")}),
    )
    before = repository.opened(branch="before")
    before.expect_status("preflight/unit", "success")

    own_postgres.kill()
    far_bot.crash("web")  # it starts without a database, too
    meanwhile = repository.opened(branch="meanwhile")
    asked = before.says("/test nosuch")
    refused = [sent for sent in github.settle() if sent.headers and sent.status_code not in (200, 202)]
    at = far_bot.parts.ports
    answers = {url: _status(url) for url in (f"{at.public_url}/", f"{at.internal_url}/readyz")}
    own_postgres.start()

    assert [sent for sent in refused if sent.payload.get("repository", {}).get("id") == repository.id] == []
    assert list(answers.values()) == [503, 200], "pages wait for the database, deliveries don't"
    meanwhile.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
    meanwhile.expect_comment("2 steps passed")
    before.expect_reply(asked, "There is no pipeline `nosuch`")
    meanwhile.expect_dag_runs("success")
    before.expect_dag_runs("success")
    meanwhile.expect_history("preflight/unit", "pending", "success")


def _status(url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=30).status_code
