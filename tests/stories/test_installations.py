"""A bot that is a GitHub App and that no plugin nudges: installation tokens, and polling alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploy.local.bot import BotPorts
from tests.stories.bots import WEBHOOK_SECRET, running_bot
from tests.stories.pulls import checks, make_repository, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot

OWNER, ANOTHER = "globex", "initech"
EVENTS = ("issue_comment", "pull_request")
UNIT = written({"unit": checks(test="true")})


@pytest.fixture(scope="module")
def app_bot(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Bot]:
    """An App's bot; it serves what the account owns that owns the App."""
    ports = BotPorts.free()
    app = github.app(
        owner=OWNER, webhook_url=f"{ports.public_url}/webhook", webhook_secret=WEBHOOK_SECRET, events=EVENTS
    )
    github.install(app, ANOTHER)
    directory = tmp_path_factory.mktemp("app")
    key = directory / "key.pem"
    key.write_text(app.private_key)
    with running_bot(
        directory / "bot",
        "app",
        login=app.bot_login,
        account={"PREFLIGHT_GITHUB_APP_ID": str(app.id), "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key)},
        postgres=real_postgres,
        airflow=airflow.local,
        github=github,
        ports=ports,
    ) as bot:
        yield bot
        bot.assert_in_order()


def test_an_app_tests_its_owner_s_repositories(app_bot: Bot, airflow: AirflowView, github: Standin) -> None:
    repository = make_repository(github, f"{OWNER}/app", app_bot, airflow, configuration=UNIT, hooked=False)

    pull = repository.opened()
    pull.expect_status("preflight/unit", "pending")
    github.revoke_tokens()  # as if they had expired early

    pull.expect_status("preflight/unit", "success")
    pull.expect_comment("2 steps passed")
    pull.expect_dag_runs("success")
    assert {status.creator for status in pull.statuses()} == {app_bot.login}
    assert not [figure for figure in app_bot.figures() if figure.startswith("preflight_nudges_total")]


def test_an_app_s_own_comments_are_no_commands(app_bot: Bot, airflow: AirflowView, github: Standin) -> None:
    repository = make_repository(github, f"{OWNER}/tool", app_bot, airflow, configuration=UNIT, hooked=False)
    pull = repository.opened()
    pull.expect_status("preflight/unit", "success")

    said = pull.says("/test", by=app_bot.login)

    pull.expect_dag_runs("success")
    assert not next(each for each in pull.comments() if each.id == said.id).reactions


def test_another_account_s_repositories_are_left_alone(
    app_bot: Bot, airflow: AirflowView, github: Standin
) -> None:
    repository = make_repository(github, f"{ANOTHER}/app", app_bot, airflow, configuration=UNIT, hooked=False)

    pull = repository.opened()

    app_bot.rest()
    assert app_bot.figures("worker")["preflight_deliveries_unserved_total"] == 1
    assert pull.statuses() == []
    assert pull.comments() == []
    pull.expect_dag_runs()
