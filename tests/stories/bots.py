"""A bot as it is deployed: web and worker, each a process; and what it says about itself."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from bot.adapters.postgres import Database
from deploy.local.bot import BotPorts, LocalBot
from deploy.local.child import last_lines
from deploy.local.processes import Supervisor
from tests.fixtures.airflow import NUDGE_SECRET
from tests.stories.databases import changed
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deploy.local.airflow import LocalAirflow
    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin

WEBHOOK_SECRET = "a secret for webhooks in tests"
UNHURRIED = {
    "PREFLIGHT_GITHUB_POINTS_PER_MINUTE": "100000",
    "PREFLIGHT_GITHUB_CONTENT_PER_MINUTE": "10000",
    "PREFLIGHT_GITHUB_CONTENT_PER_HOUR": "100000",
}
"""Stories comment more often than GitHub lets one do; the stand-in does not mind."""

_SECONDS = 10.0
_WAKE = "SELECT pg_notify('preflight', what) FROM unnest(ARRAY['delivery', 'run', 'report']) AS what"
_HALF_A_MINUTE_LATER = """
    WITH waiting AS (
        SELECT repository_id, number FROM pull_requests WHERE due_at > now() FOR UPDATE SKIP LOCKED
    ), statuses AS (
        UPDATE shown_statuses SET sent_at = sent_at - interval '30 s'
        WHERE repository_id IN (SELECT repository_id FROM waiting)
    ), checks AS (
        UPDATE shown_checks SET sent_at = sent_at - interval '30 s'
        WHERE repository_id IN (SELECT repository_id FROM waiting)
    )
    UPDATE pull_requests
    SET due_at = due_at - interval '30 s', comment_sent_at = comment_sent_at - interval '30 s'
    WHERE (repository_id, number) IN (SELECT * FROM waiting)
"""
_FIGURE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
_UNFINISHED = (
    'preflight_deliveries{state="queued"}',
    'preflight_deliveries{state="working"}',
    'preflight_runs{state="wanted"}',
    'preflight_runs{state="resuming"}',
    'preflight_runs{state="active"}',
    'preflight_oldest_seconds{queue="oldest_report"}',
)


@dataclass(frozen=True)
class Bot:
    """One running bot."""

    name: str
    """Of the installation."""
    login: str
    """Whose comments are its own."""
    parts: LocalBot
    github: Standin
    logs: Path
    database_url: str

    @property
    def webhook(self) -> str:
        """Where GitHub sends deliveries."""
        return f"{self.parts.ports.public_url}/webhook"

    @property
    def marker(self) -> str:
        """What its one comment on a pull request is found by."""
        return f"<!-- preflight {self.name} -->"

    def figures(self, part: str = "web") -> dict[str, float]:
        """Its metrics: those of web, with what the database holds, or those of the worker."""
        at = self.parts.ports
        shown = _get(f"{at.internal_url if part == 'web' else at.worker_url}/metrics").text
        return {_series(found): float(found["value"]) for found in _FIGURE.finditer(shown)}

    def rest(self) -> None:
        """Wait until it has heard, done and reported everything."""
        self.github.wait_settled()
        until(self._rests, f"a rest of the bot {self.name}", self.told)

    def assert_in_order(self) -> None:
        """Nothing was given up, and nothing happened that nobody expected."""
        assert not self.figures().get('preflight_deliveries{state="parked"}'), self.told()
        errors = [name for name in self.figures("worker") if name.startswith("preflight_loop_errors_total")]
        assert not errors, self.told()

    def told(self) -> str:
        """The end of its logs."""
        return "\n".join(last_lines(self.logs / f"bot-{part}.log") for part in ("web", "worker"))

    def change(self, statement: str, **values: object) -> int:
        """Do to its database what only time would do otherwise, and wake it; returns how many rows it was."""
        rows = changed(self.database_url, statement, **values)
        changed(self.database_url, _WAKE)
        return rows

    def hurry(self) -> None:
        """Half a minute goes by wherever it waits, because it said something just before."""
        self.change(_HALF_A_MINUTE_LATER)

    def crash(self, part: str) -> None:
        """SIGKILL web or worker, and start it again at once."""
        kill, start = {
            "web": (self.parts.kill_web, self.parts.start_web),
            "worker": (self.parts.kill_worker, self.parts.start_worker),
        }[part]
        kill()
        start()
        self.parts.wait_ready()

    def _rests(self) -> bool:
        figures = self.figures()
        return figures["preflight_database_up"] == 1 and not any(figures.get(name) for name in _UNFINISHED)


def _series(found: re.Match[str]) -> str:
    return found["name"] + (f"{{{found['labels']}}}" if found["labels"] else "")


def _get(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(url, timeout=_SECONDS)
    response.raise_for_status()
    return response


def migrate(database_url: str) -> None:
    """What `python -m bot migrate` does, without another process, whose imports take two seconds."""
    database = Database(database_url, pool_size=1)
    database.migrate()
    database.close()


@contextmanager
def running_bot(
    directory: Path,
    name: str,
    *,
    login: str,
    account: Mapping[str, str],
    postgres: Postgres,
    airflow: LocalAirflow,
    github: Standin,
    ports: BotPorts,
) -> Iterator[Bot]:
    """A bot with a database of its own; `account` are its settings for GitHub, and what else is its own."""
    settings = {
        "PREFLIGHT_NAME": name,
        "PREFLIGHT_DATABASE_URL": postgres.create_database(f"bot_{name}"),
        "PREFLIGHT_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "PREFLIGHT_GITHUB_API_URL": github.api_url,
        "PREFLIGHT_AIRFLOW_URL": airflow.url,
        "PREFLIGHT_AIRFLOW_USERNAME": airflow.username,
        "PREFLIGHT_AIRFLOW_PASSWORD": airflow.password,
        "PREFLIGHT_NUDGE_SECRET": NUDGE_SECRET,
        "PREFLIGHT_ARTIFACTS_URL": str(airflow.settings.artifacts_folder),
        **UNHURRIED,
        **account,
    }
    with Supervisor(directory) as supervisor:
        parts = LocalBot(settings, ports, supervisor)
        migrate(settings["PREFLIGHT_DATABASE_URL"])
        parts.start()
        parts.wait_ready()
        yield Bot(name, login, parts, github, supervisor.logs, settings["PREFLIGHT_DATABASE_URL"])
