"""Airflow's run events over Pub/Sub, as the settings want them: pulled by the worker, or pushed to web.

What speaks with Google is imported only where it is used, since it is large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.adapters.postgres import PostgresRuns
from bot.bootstrap.parts import now
from bot.intake import push
from bot.intake.hints import HintPuller

if TYPE_CHECKING:
    from flask import Blueprint

    from bot.adapters.postgres import Database
    from bot.settings import Settings


def make_push(settings: Settings, database: Database) -> Blueprint | None:
    """`POST /pubsub`, None where no account may push."""
    place = settings.pubsub
    if place is None or not place.push_account:
        return None
    from bot.adapters.google import Certificates, GoogleIdentityTokens  # noqa: PLC0415 - see above

    sender = push.Sender(place.push_account, place.audience)
    tokens = GoogleIdentityTokens(Certificates().with_key)
    return push.blueprint(PostgresRuns(database), tokens, sender, settings.nudge_secret, now)


def make_hints(settings: Settings, database: Database) -> HintPuller | None:
    """What pulls events, None where they are pushed or do not come this way."""
    place = settings.pubsub
    if settings.events != "pubsub" or place is None or place.push_account:
        return None
    from bot.adapters.pubsub import PubSubSubscription  # noqa: PLC0415 - see above

    subscription = PubSubSubscription(place.project, place.events, emulator=place.emulator)
    return HintPuller(subscription, PostgresRuns(database), settings.nudge_secret, now)
