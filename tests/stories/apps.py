"""A bot that is a GitHub App: its tokens, tickets, check runs, and people who sign in to see its pages."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy.local import ports as free
from deploy.local.bot import BotPorts
from tests.fixtures.airflow import ticket_url
from tests.stories.bots import WEBHOOK_SECRET, running_bot
from tests.stories.pulls import make_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin
    from tests.github_standin.client import Role
    from tests.github_standin.records import App
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot
    from tests.stories.pulls import StoryRepository

OWNER, ANOTHER = "globex", "initech"


@dataclass(frozen=True)
class Installed:
    """An App and its bot."""

    app: App
    bot: Bot
    airflow: AirflowView
    github: Standin

    def repository(
        self,
        full_name: str,
        configuration: str,
        *,
        private: bool = False,
        files: Mapping[str, str] | None = None,
        people: Mapping[str, Role] | None = None,
    ) -> StoryRepository:
        """One whose events the App hears of."""
        return make_repository(
            self.github,
            full_name,
            self.bot,
            self.airflow,
            configuration=configuration,
            hooked=False,
            private=private,
            files=files,
            people=people,
        )


@contextmanager
def installed_app(
    directory: Path, github: Standin, airflow: AirflowView, postgres: Postgres
) -> Iterator[Installed]:
    """An App's bot; it serves what the account owns that owns the App, and may be killed."""
    exchange = urlsplit(ticket_url(airflow.local)).port
    assert exchange is not None
    ports = BotPorts(free.choose_any(), exchange, free.choose_any())
    app = github.app(
        owner=OWNER,
        webhook_url=f"{ports.public_url}/webhook",
        webhook_secret=WEBHOOK_SECRET,
        events=["*"],
        callback_url=f"{ports.public_url}/signed-in",
    )
    github.install(app, ANOTHER)
    key = directory / "key.pem"
    key.write_text(app.private_key)
    with running_bot(
        directory / "bot",
        "app",
        login=app.bot_login,
        account={
            "PREFLIGHT_GITHUB_APP_ID": str(app.id),
            "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key),
            "PREFLIGHT_PAGES": "github",
            "PREFLIGHT_GITHUB_CLIENT_ID": app.client_id,
            "PREFLIGHT_GITHUB_CLIENT_SECRET": app.client_secret,
        },
        postgres=postgres,
        airflow=airflow.local,
        github=github,
        ports=ports,
    ) as bot:
        yield Installed(app, bot, airflow, github)
