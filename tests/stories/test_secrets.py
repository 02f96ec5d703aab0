"""After a life in which every secret was used, none is in what we keep, log or show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psutil
import requests
from sqlalchemy import MetaData, NullPool, create_engine, select

from bot.runs.ticket import Tickets
from bot.settings import SHORTEST_KEY_LINE
from tests.fixtures.airflow import NUDGE_SECRET
from tests.stories.apps import OWNER
from tests.stories.bots import WEBHOOK_SECRET
from tests.stories.pages import Browser
from tests.stories.pulls import DEVELOPER, checks, written

if TYPE_CHECKING:
    from tests.stories.apps import Installed

MADE = re.compile(r"pft_[0-9a-f]{8}|gh[su]_\w{8}|eyJ[\w-]{8,}\.|gAAAA[\w-]{16}")
"""What is made of secrets: tickets, GitHub's tokens, Airflow's, sealed cookies."""


def test_are_kept_and_shown_nowhere(installed: Installed) -> None:
    repository = installed.repository(
        f"{OWNER}/secretive",
        written({"unit": checks(test="echo failing; exit 1")}),
        private=True,
    )
    pull = repository.opened()
    status = pull.expect_status("preflight/unit", "failure")
    developer = Browser(installed.bot)
    page = developer.sign_in(developer.open(str(status.target_url)), installed.github, DEVELOPER)
    pull.comment(DEVELOPER, "/test unit")
    pull.expect_dag_runs("failed", "failed")
    installed.bot.rest()

    run = pull.dag_runs()[-1]
    ticket = Tickets(installed.app.private_key).issue(str(run.conf["BUILD_ID"]), repository.full_name)
    assert run.conf["preflight"]["ticket"] == ticket  # Airflow alone was given it
    own = [
        ticket,
        WEBHOOK_SECRET,
        NUDGE_SECRET,
        installed.app.client_secret,
        installed.airflow.local.password,
        *(line for line in installed.app.private_key.splitlines() if len(line) > SHORTEST_KEY_LINE),
    ]
    kept = {
        "the database": stored(installed.bot.database_url),
        "logs": "\n".join(file.read_text() for file in installed.bot.logs.glob("bot-*.log")),
        "metrics": figures(installed),
        "command lines": command_lines(),
        "the page": page.text,
        "the comment": pull.expect_comment("unit"),
    }
    for where, text in kept.items():
        assert text, where
        for secret in own:
            assert secret not in text, f"a secret is in {where}"
        assert not MADE.search(text), f"something secret is in {where}"


def stored(database_url: str) -> str:
    """Everything in the database, delivery bodies too."""
    engine = create_engine(database_url, poolclass=NullPool)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = [row for table in tables.sorted_tables for row in connection.execute(select(table))]
    return "\n".join(_text(value) for row in rows for value in row)


def _text(value: object) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def figures(installed: Installed) -> str:
    """What a scraper sees of web and worker."""
    at = installed.bot.parts.ports
    with requests.Session() as session:
        session.trust_env = False
        urls = (at.internal_url, at.worker_url)
        return "\n".join(session.get(f"{url}/metrics", timeout=20).text for url in urls)


def command_lines() -> str:
    """What everybody on the machine can see of processes that we started."""
    shown = []
    for process in psutil.Process().children(recursive=True):
        try:
            shown.append(" ".join([process.name(), *process.cmdline()]))
        except psutil.NoSuchProcess:
            continue
    return "\n".join(shown)
