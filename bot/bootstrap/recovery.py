"""What makes good for missed deliveries: in the worker, and by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.adapters.github import GitHubDeliveryLog, GitHubPullLists
from bot.adapters.postgres import (
    Database,
    PostgresBudget,
    PostgresByHand,
    PostgresInbox,
    PostgresRecovery,
)
from bot.bootstrap.parts import complete, make_github, now
from bot.bootstrap.pubsub import replay_dead_letters
from bot.intake.recovery.audit import Audit
from bot.intake.recovery.by_hand import ByHand
from bot.intake.recovery.in_step import InStep
from bot.intake.recovery.logs import Logs
from bot.intake.recovery.pace import Pace
from bot.intake.recovery.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.adapters.github import GitHubClient
    from bot.policy.operator import Operator
    from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class _Parts:
    """What all of it needs."""

    delivery_log: GitHubDeliveryLog
    store: PostgresRecovery
    pulls: GitHubPullLists
    logs: Logs
    pace: Pace
    operator: Callable[[], Operator]
    bot_login: Callable[[], str]


def make_rounds(settings: Settings, database: Database, github: GitHubClient) -> Rounds:
    """What the worker does at its start and every five minutes."""
    parts = _parts(settings, database, github)
    return Rounds(
        delivery_log=parts.delivery_log,
        store=parts.store,
        logs=parts.logs,
        audit=Audit(parts.pulls, parts.store, parts.operator, parts.bot_login),
        pace=parts.pace,
        clock=now,
    )


def make_by_hand(settings: Settings) -> ByHand:
    """What `replay` and `redeliver` do."""
    database = Database(settings.database_url, pool_size=2)
    parts = _parts(settings, database, make_github(settings))
    pubsub = settings.pubsub if settings.inbox == "pubsub" else None
    return ByHand(
        delivery_log=parts.delivery_log,
        store=parts.store,
        by_hand=PostgresByHand(database),
        logs=parts.logs,
        pace=parts.pace,
        clock=now,
        sleep=time.sleep,
        publish=None if pubsub is None else partial(replay_dead_letters, pubsub),
    )


def make_in_step(settings: Settings) -> InStep:
    """What `sync` does."""
    database = Database(settings.database_url, pool_size=2)
    parts = _parts(settings, database, make_github(settings))
    return InStep(
        github=parts.pulls,
        store=parts.store,
        by_hand=PostgresByHand(database),
        put=PostgresInbox(database).put,
        bot_login=parts.bot_login,
        clock=now,
    )


def _parts(settings: Settings, database: Database, github: GitHubClient) -> _Parts:
    delivery_log = GitHubDeliveryLog(github, f"{settings.public_url}/webhook")
    store, pulls = PostgresRecovery(database), GitHubPullLists(github)
    operator = complete(settings.operator, github.owner)
    return _Parts(
        delivery_log=delivery_log,
        store=store,
        pulls=pulls,
        logs=Logs(delivery_log, store, pulls, operator, now),
        pace=Pace(PostgresBudget(database), delivery_log, settings.github_limits.points_per_minute),
        operator=operator,
        bot_login=lambda: github.identity().login,
    )
