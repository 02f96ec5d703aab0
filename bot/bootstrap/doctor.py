"""What `python -m bot doctor` looks at, by what the settings hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import ArgumentError

from bot import events
from bot.adapters.airflow.doctor import AirflowDoctor
from bot.adapters.artifacts import FsspecArtifacts
from bot.adapters.artifacts.doctor import ArtifactsDoctor
from bot.adapters.github.doctor import GitHubDoctor
from bot.adapters.postgres import Database
from bot.adapters.postgres.doctor import PostgresDoctor
from bot.adapters.web.doctor import PublicWeb
from bot.bootstrap.parts import complete, make_airflow, make_credentials, make_github
from bot.bootstrap.pubsub import queues
from bot.doctor import examine
from bot.doctor.airflow import airflow_checks
from bot.doctor.app import app_checks
from bot.doctor.artifacts import artifact_checks
from bot.doctor.dags import dag_checks
from bot.doctor.database import database_checks
from bot.doctor.github import common_checks
from bot.doctor.pubsub import queue_checks
from bot.doctor.repositories import MOST, Sources, named, repository_checks
from bot.doctor.settings import PART as SETTINGS_PART
from bot.doctor.settings import settings_checks, without_settings
from bot.doctor.token import token_checks
from bot.doctor.web import web_checks
from bot.errors import SettingsError
from bot.report.logs.redact import redact
from bot.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bot.doctor import Check, Finding


def examine_all(
    environment: Mapping[str, str], only: Collection[str] = (), repositories: Sequence[str] = ()
) -> list[Finding]:
    """Look at every part, or at those of `only` beside the settings; and at these `repositories`, too."""
    settings, problems = Settings.read(environment)
    problems = (*problems, *_unbuildable(settings, problems))
    secrets = _secrets(settings, environment)
    checks = settings_checks(problems, settings.webhook_secrets)
    for part, make in PARTS.items():
        missing = without_settings(part, problems)
        checks += [missing] if missing is not None else make(settings, repositories)
    wanted = [check for check in checks if not only or check.part in {*only, SETTINGS_PART}]
    return examine(wanted, lambda text: redact(text, secrets))


def _github(settings: Settings, repositories: Sequence[str]) -> list[Check]:
    look = GitHubDoctor(settings.github_api_url, make_credentials(settings))
    wanted = [event for event in events.parsers() if not events.is_ours(event)]
    common = common_checks(look, settings.github_api_url, app=bool(settings.github_app_id))
    if settings.github_app_id:
        return common + app_checks(look, settings.public_url, settings.operator, wanted)
    names = list(dict.fromkeys([*repositories, *named(settings.operator)]))[:MOST]
    return common + token_checks(look, look, settings.public_url, names, wanted)


def _web(settings: Settings, _: Sequence[str]) -> list[Check]:
    return web_checks(PublicWeb(settings.public_url), settings.public_url, settings.webhook_secrets)


def _airflow(settings: Settings, _: Sequence[str]) -> list[Check]:
    look = AirflowDoctor(settings.airflow_url, settings.airflow_username, settings.airflow_password)
    return [
        *airflow_checks(look, settings.airflow_url, nudged=_is_nudged(settings)),
        *dag_checks(look, look, settings.operator),
    ]


def _database(settings: Settings, _: Sequence[str]) -> list[Check]:
    look = PostgresDoctor(Database(settings.database_url, pool_size=5))
    return database_checks(look, nudged=_is_nudged(settings))


def _pubsub(settings: Settings, _: Sequence[str]) -> list[Check]:
    pubsub = settings.pubsub
    if pubsub is None or "pubsub" not in (settings.inbox, settings.events):
        return queue_checks(None, ())
    from bot.adapters.pubsub.doctor import PubSubDoctor  # noqa: PLC0415 - 24 MB, for those who use it

    used = {pubsub.deliveries, pubsub.parked} if settings.inbox == "pubsub" else set()
    used |= {pubsub.events} if settings.events == "pubsub" else set()
    return queue_checks(
        lambda: PubSubDoctor(pubsub.project, emulator=pubsub.emulator),
        [queue for queue in queues(pubsub) if queue.name in used],
    )


def _artifacts(settings: Settings, _: Sequence[str]) -> list[Check]:
    return artifact_checks(ArtifactsDoctor(settings.artifacts_url) if settings.artifacts_url else None)


def _repositories(settings: Settings, repositories: Sequence[str]) -> list[Check]:
    github = make_github(settings, read_timeout=8.0)
    sources = Sources(
        look=GitHubDoctor(settings.github_api_url, make_credentials(settings)),
        github=github,
        quota=github.quota,
        dag=make_airflow(settings).dag,
        operator=complete(settings.operator, github.owner),
    )
    return repository_checks(sources, settings.operator, repositories)


PARTS = {
    "github": _github,
    "web": _web,
    "airflow": _airflow,
    "database": _database,
    "pubsub": _pubsub,
    "artifacts": _artifacts,
    "repositories": _repositories,
}
"""In the order in which they are told. The database's tell of the worker, too."""


def _is_nudged(settings: Settings) -> bool:
    """Whether Airflow's plugin is to tell us of changes by a nudge."""
    return bool(settings.nudge_secret) and settings.events == "http"


def _unbuildable(settings: Settings, problems: Sequence[str]) -> list[str]:
    """What web and worker would stumble over when they make their parts of these settings."""
    attempts: Mapping[str, Callable[[], object]] = {
        "github": lambda: make_github(settings),
        "database": lambda: _read_url(settings.database_url),
        "artifacts": lambda: settings.artifacts_url and FsspecArtifacts(settings.artifacts_url),
    }
    found: list[str] = []
    for part, attempt in attempts.items():
        if without_settings(part, problems) is None:
            try:
                attempt()
            except SettingsError as error:
                found += str(error).splitlines()
    return found


def _read_url(url: str) -> None:
    """SettingsError unless SQLAlchemy understands the URL; what it says may quote the password."""
    try:
        Database(url, pool_size=1).close()
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "PREFLIGHT_DATABASE_URL must be postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, with "
            "%-codes for other characters than letters and digits in the password"
        ) from error


def _secrets(settings: Settings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """All that must not be shown, whether or not the settings can be used."""
    named = [environment.get(setting.name, "") for setting in SETTINGS if setting.secret]
    own: tuple[str, ...] = ()
    with suppress(ValueError):  # a database URL that is none
        own = settings.secrets
    return (*own, *(part.strip() for value in named for part in (value, *value.split(",")) if part.strip()))
