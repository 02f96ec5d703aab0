"""What web, worker and commands by hand are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.adapters.airflow import AirflowClient
from bot.adapters.github import AppKey, GitHubClient, PersonalToken
from bot.breaker import Breaker, Breakers
from bot.metrics import count_failure, count_github_call, show_breaker, show_quota
from bot.runs.ticket import Tickets

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.policy.operator import Operator
    from bot.settings import Settings


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def make_breakers() -> Breakers:
    """What stands before GitHub and Airflow, once for a process: what one part of it meets, all know."""
    return Breakers(count_failure, show_breaker)


def make_topic_breakers() -> Breakers:
    """What stands before topics on Pub/Sub, where each call that is not answered holds a thread for 5 s."""
    return Breakers(count_failure, show_breaker, partial(Breaker, failures=1))


def make_credentials(settings: Settings) -> PersonalToken | AppKey:
    """What we prove ourselves with on GitHub; SettingsError if it can't be that."""
    if settings.github_app_id:
        return AppKey(settings.github_app_id, settings.github_private_key)
    return PersonalToken(settings.github_token)


def make_github(
    settings: Settings, *, read_timeout: float = 10.0, breakers: Breakers | None = None
) -> GitHubClient:
    """GitHub, with the credentials that the settings hold. Nothing is sent yet."""
    return GitHubClient(
        settings.github_api_url,
        make_credentials(settings),
        on_call=count_github_call,
        on_quota=show_quota,
        read_timeout=read_timeout,
        breakers=breakers,
    )


def make_tickets(settings: Settings) -> Tickets | None:
    """What makes tickets; None without an App, whose tokens alone can be narrowed."""
    return Tickets(settings.github_private_key) if settings.github_app_id else None


def make_airflow(settings: Settings, breakers: Breakers | None = None) -> AirflowClient:
    """Airflow, as the user that the settings name. Nothing is sent yet."""
    return AirflowClient(
        settings.airflow_url, settings.airflow_username, settings.airflow_password, breakers=breakers
    )


def complete(operator: Operator, owner: Callable[[], str | None]) -> Callable[[], Operator]:
    """The operator's word, completed by who owns our App where that is needed: once GitHub can be asked."""
    if all(serve.repositories for serve in operator.serves):
        return lambda: operator
    return lambda: operator.owned_by(owner())


def web_address(api_url: str) -> str:
    """Where people see what the API tells: github.com for api.github.com, SUB.ghe.com for api.SUB.ghe.com.

    Enterprise Server has its API below a path of the same host.
    """
    parts = urlsplit(api_url)
    host = parts.netloc if parts.path.strip("/") else parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}"
