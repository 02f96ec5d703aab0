"""By which way Airflow's events come: the settings say so, and what is not asked for is not there."""

from __future__ import annotations

import pytest

from bot.adapters.postgres import Database
from bot.bootstrap import build_web
from bot.bootstrap.events import make_hints, make_push
from bot.settings import Settings

PUSHED = {"PREFLIGHT_PUBSUB_PUSH_ACCOUNT": "push@a-project.iam.gserviceaccount.com"}
PUBSUB = {"PREFLIGHT_EVENTS": "pubsub", "PREFLIGHT_PUBSUB_PROJECT": "a-project"}


def settings(**more: str) -> Settings:
    """Settings of a bot that asks nobody anything while it is being built."""
    return Settings.from_env(
        {
            "PREFLIGHT_DATABASE_URL": "postgresql+psycopg://u:p@127.0.0.1:9/d",
            "PREFLIGHT_WEBHOOK_SECRETS": "a secret",
            "PREFLIGHT_GITHUB_TOKEN": "ghp_token",
            "PREFLIGHT_AIRFLOW_URL": "http://127.0.0.1:9",
            "PREFLIGHT_AIRFLOW_USERNAME": "u",
            "PREFLIGHT_AIRFLOW_PASSWORD": "p",
            "PREFLIGHT_PUBLIC_URL": "https://preflight.example.com",
            "PUBSUB_EMULATOR_HOST": "127.0.0.1:9",
            **more,
        }
    )


@pytest.mark.parametrize(
    ("chosen", "pulls", "pushed"),
    [
        pytest.param({}, False, False, id="over HTTP"),
        pytest.param(PUBSUB, True, False, id="pulled"),
        pytest.param(PUBSUB | PUSHED, False, True, id="pushed"),
        pytest.param(PUSHED, False, False, id="no project"),
        pytest.param(
            {"PREFLIGHT_INBOX": "pubsub", "PREFLIGHT_PUBSUB_PROJECT": "a-project"},
            False,
            False,
            id="deliveries alone",
        ),
    ],
)
def test_they_come(chosen: dict[str, str], pulls: bool, pushed: bool) -> None:  # noqa: FBT001 - a table
    chosen_settings = settings(**chosen)
    database = Database(chosen_settings.database_url)
    assert (make_hints(chosen_settings, database) is not None) == pulls
    assert (make_push(chosen_settings, database) is not None) == pushed


@pytest.mark.parametrize(("chosen", "status"), [(PUBSUB, 404), (PUBSUB | PUSHED, 401)])
def test_pushes_are_taken_on_the_public_listener_only(chosen: dict[str, str], status: int) -> None:
    web = build_web(settings(**chosen))
    assert web.public.test_client().post("/pubsub", data=b"{}").status_code == status
    assert web.internal.test_client().post("/pubsub", data=b"{}").status_code == 404
