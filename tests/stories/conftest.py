"""What all stories share: GitHub (the stand-in), PostgreSQL, Airflow and one bot, all of them real."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import pytest

from deploy.local import ports
from deploy.local.bot import BotPorts
from tests.github_standin import Standin, running
from tests.stories.airflow_view import AirflowView
from tests.stories.apps import installed_app
from tests.stories.bots import Bot, running_bot
from tests.stories.pulls import Pipelines, StoryRepository, make_repository, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.local.airflow import LocalAirflow
    from deploy.local.postgres import Postgres
    from tests.github_standin.client import Role
    from tests.stories.apps import Installed

HERE = Path(__file__).parent
OWNER = "acme"
BOT = "preflight-bot"
OPERATOR = f"""\
[[serve]]
repositories = ["{OWNER}/*"]
dags = ["che*", "resume_*", "contract_paused", "contract_quick", "contract_stuck"]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are stories; each may take a while, and the first one starts everything."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.story)
            item.add_marker(pytest.mark.airflow)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """The stand-in, checked against GitHub's own description of its API.

    Without GitHub's limits: all stories share a token, and comment more often than 80 times a minute.
    """
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.limits(core=None, points=None, content_minute=None, content_hour=None)
        yield standin


@pytest.fixture(autouse=True)
def _as_github_documents_it(github: Standin) -> Iterator[None]:
    yield
    github.clear_faults()
    assert github.violations(forget=True) == []


@pytest.fixture(scope="session")
def airflow(real_airflow: LocalAirflow) -> AirflowView:
    """Airflow as it is, without the bot between."""
    return AirflowView(real_airflow)


@pytest.fixture(scope="session")
def bot(
    tmp_path_factory: pytest.TempPathFactory,
    real_airflow: LocalAirflow,
    real_postgres: Postgres,
    github: Standin,
) -> Iterator[Bot]:
    """The bot of most stories: a personal token, an operator's file, nudged by Airflow's plugin."""
    directory = tmp_path_factory.mktemp("bot")
    operator = directory / "operator.toml"
    operator.write_text(OPERATOR)
    nudged = urlsplit(real_airflow.settings.nudge_url or "").port
    assert nudged is not None
    with running_bot(
        directory / "bot",
        "stories",
        login=BOT,
        account={
            "PREFLIGHT_GITHUB_TOKEN": github.user(BOT).token,
            "PREFLIGHT_CONFIG": str(operator),
        },
        postgres=real_postgres,
        airflow=real_airflow,
        github=github,
        ports=BotPorts(ports.choose_any(), nudged, ports.choose_any()),
    ) as bot:
        yield bot
        bot.assert_in_order()


@pytest.fixture(scope="session")
def installed(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Installed]:
    """An App and its bot, which no plugin nudges."""
    with installed_app(tmp_path_factory.mktemp("app"), github, airflow, real_postgres) as installed:
        yield installed
        installed.bot.assert_in_order()


class MakeRepository(Protocol):
    """Makes a story's own repository, from pipelines or from the text of its preflight.yaml."""

    def __call__(
        self,
        pipelines: Pipelines | str,
        *,
        private: bool = False,
        files: Mapping[str, str] | None = None,
        people: Mapping[str, Role] | None = None,
    ) -> StoryRepository: ...


@pytest.fixture
def repository_with(
    request: pytest.FixtureRequest, github: Standin, bot: Bot, airflow: AirflowView
) -> MakeRepository:
    """A repository named after the story."""

    def make(
        pipelines: Pipelines | str,
        *,
        private: bool = False,
        files: Mapping[str, str] | None = None,
        people: Mapping[str, Role] | None = None,
    ) -> StoryRepository:
        return make_repository(
            github,
            f"{OWNER}/{named_after(request.node)}",
            bot,
            airflow,
            configuration=pipelines if isinstance(pipelines, str) else written(pipelines),
            private=private,
            files=files,
            people=people,
        )

    return make


def named_after(item: pytest.Item) -> str:
    """A repository's name for a story."""
    return re.sub(r"[^a-z0-9]+", "-", item.name.lower().removeprefix("test_")).strip("-")[:90]
