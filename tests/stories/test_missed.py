"""The bot was down, or could not store: once it is back, all is made good without anybody's doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deploy.local.bot import BotPorts
from tests.stories.bots import WEBHOOK_SECRET, running_bot
from tests.stories.conftest import named_after
from tests.stories.pulls import DEVELOPER, StoryRepository, checks, make_repository, until_there, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin
    from tests.github_standin.records import Delivery
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot

OWNER = "absent"
UNIT = {"unit": checks(test="true") | {"paths": ["src/**"]}}
DAY = 24 * 3600.0
NEXT = "UPDATE deliveries SET due_at = now() WHERE state = 'queued' AND due_at > now()"
"""As if the seconds had passed that lie between pull requests which are looked at again."""

AFTERWARDS_SECONDS = 150.0
REDELIVERED = "preflight_redeliveries_total"


@pytest.fixture(scope="module")
def app_bot(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Bot]:
    """A GitHub App's bot."""
    ports = BotPorts.free()
    directory = tmp_path_factory.mktemp("absent")
    app = github.app(
        "absent",
        owner=OWNER,
        webhook_url=f"{ports.public_url}/webhook",
        webhook_secret=WEBHOOK_SECRET,
        events=["*"],
    )
    key = directory / "key.pem"
    key.write_text(app.private_key)
    account = {"PREFLIGHT_GITHUB_APP_ID": str(app.id), "PREFLIGHT_GITHUB_PRIVATE_KEY_FILE": str(key)}
    with running_bot(
        directory / "bot",
        "absent",
        login=app.bot_login,
        account=account,
        postgres=real_postgres,
        airflow=airflow.local,
        github=github,
        ports=ports,
    ) as bot:
        yield bot
        bot.assert_in_order()


@pytest.fixture(scope="module")
def token_bot(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Bot]:
    """A bot with a personal token."""
    login = "absent-bot"
    with running_bot(
        tmp_path_factory.mktemp("token"),
        "token",
        login=login,
        account={"PREFLIGHT_GITHUB_TOKEN": github.user(login).token, "PREFLIGHT_REPOSITORIES": "hooked/*"},
        postgres=real_postgres,
        airflow=airflow.local,
        github=github,
        ports=BotPorts.free(),
    ) as bot:
        yield bot
        bot.assert_in_order()


@pytest.fixture
def of_app(
    request: pytest.FixtureRequest, app_bot: Bot, airflow: AirflowView, github: Standin
) -> StoryRepository:
    """A repository that the App is installed on."""
    name = f"{OWNER}/{named_after(request.node)}"
    return make_repository(github, name, app_bot, airflow, configuration=written(UNIT), hooked=False)


@pytest.fixture
def hooked(
    request: pytest.FixtureRequest, token_bot: Bot, airflow: AirflowView, github: Standin
) -> StoryRepository:
    """A repository with a webhook; the bot may only write."""
    name = f"hooked/{named_after(request.node)}"
    return make_repository(github, name, token_bot, airflow, configuration=written(UNIT))


def go_away(bot: Bot) -> None:
    """The bot ends: its worker in order; web, which has nothing to finish, would wait for clients."""
    bot.parts.stop_worker()
    bot.parts.kill_web()


def come_back(bot: Bot) -> None:
    """The bot starts again."""
    bot.github.wait_settled()
    bot.parts.start()
    bot.parts.wait_ready()


def pipelines(gate: Path) -> str:
    """A short pipeline, and for files in `slow` one that goes on until there is that file."""
    return written({**UNIT, "slow": checks(test=until_there(gate)) | {"paths": ["slow/**"]}})


def live_without(repository: StoryRepository, gate: Path) -> None:
    """What happens on GitHub while the bot is away, and what is to be seen of it in the end."""
    repository.configure(pipelines(gate))
    pushed = repository.opened(branch="pushed")
    closed = repository.opened(branch="closed", files={"slow/x": "x\n"})
    pushed.expect_status("preflight/unit", "success")
    closed.expect_running("test")

    bot = repository.bot
    go_away(bot)
    pushed.pushed()
    new = repository.opened(branch="new")
    asked = new.says("/test nosuch")
    closed.close(DEVELOPER)
    come_back(bot)

    for pull in (pushed, new):
        pull.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
    new.expect_reply(asked, "There is no pipeline `nosuch`")
    pushed.expect_dag_runs("success", "success")
    new.expect_dag_runs("success")
    closed.expect_dag_runs("failed")


def test_an_app_was_down(of_app: StoryRepository, tmp_path: Path) -> None:
    live_without(of_app, tmp_path / "gate")


def test_a_token_that_sees_webhooks_was_down(token_bot: Bot, hooked: StoryRepository, tmp_path: Path) -> None:
    hooked.permit(token_bot.login, "admin")
    live_without(hooked, tmp_path / "gate")


def go_away_for_long(repository: StoryRepository, gate: Path, *statements: str) -> None:
    """Nothing tells what happened meanwhile: heads are found by looking; what was said is not heard."""
    bot = repository.bot
    repository.configure(pipelines(gate))
    pushed, old = repository.opened(branch="pushed"), repository.opened(branch="old")
    closed = repository.opened(branch="closed", files={"slow/x": "x\n"})
    for pull in (pushed, old):
        pull.expect_status("preflight/unit", "success")
    closed.expect_running("test")

    go_away(bot)
    repository.configure(written({**UNIT, "added": checks(test="true")}))
    pushed.pushed()
    new = repository.opened(branch="new")
    old.says("hello")
    closed.close(DEVELOPER)
    bot.github.wait_settled()
    bot.github.age_deliveries(3 * DAY)
    for statement in statements:
        bot.change(statement)
    come_back(bot)
    until(lambda: bot.change(NEXT) or new.statuses("preflight/unit"), "a look at the last one", bot.told)

    for pull in (pushed, new):
        pull.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
        pull.expect_status("preflight/added", "success")
    closed.expect_dag_runs("failed")
    old.expect_dag_runs("success")
    assert "preflight/added" not in old.combined(), "a pipeline that was added starts nothing by itself"


def test_a_token_that_sees_no_webhooks_was_down(hooked: StoryRepository, tmp_path: Path) -> None:
    go_away_for_long(
        hooked,
        tmp_path / "gate",
        "UPDATE marks SET at = at - interval '10 min'",
        "UPDATE heads SET seen_at = seen_at - interval '1 hour'",
    )


def test_the_bot_was_away_for_longer_than_github_remembers(of_app: StoryRepository, tmp_path: Path) -> None:
    go_away_for_long(
        of_app,
        tmp_path / "gate",
        "UPDATE marks SET at = at - interval '4 days'",
        "UPDATE heads SET seen_at = seen_at - interval '5 days'",
    )


def test_nothing_could_be_stored(app_bot: Bot, of_app: StoryRepository) -> None:
    pull = of_app.opened()
    pull.expect_status("preflight/unit", "success")
    app_bot.rest()
    app_bot.change("ALTER TABLE deliveries RENAME TO deliveries_in_another_place")
    pull.pushed()
    asked = pull.says("/test nosuch")
    refused = [each.event for each in app_bot.github.settle() if each.status_code == 503]
    app_bot.change("ALTER TABLE deliveries_in_another_place RENAME TO deliveries")
    assert {"pull_request", "issue_comment"} <= set(refused)

    app_bot.crash("worker")

    pull.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    pull.expect_dag_runs("success", "success")


def is_about(repository: StoryRepository, delivery: Delivery) -> bool:
    """Whether it tells of that repository."""
    return bool(delivery.payload.get("repository", {}).get("id") == repository.id)


def test_hundreds_were_missed(app_bot: Bot, of_app: StoryRepository) -> None:
    pull = of_app.opened()
    pull.expect_status("preflight/unit", "success")
    app_bot.rest()
    go_away(app_bot)
    for number in range(210):
        pull.comment(DEVELOPER, f"comment {number}")
    told = [each for each in app_bot.github.settle() if is_about(of_app, each)]
    missed = {each.guid for each in told if each.status_code == 502}
    assert len(missed) == 210
    come_back(app_bot)

    def all_asked_for() -> bool:
        return app_bot.figures("worker")[REDELIVERED] >= len(missed)

    def all_heard() -> bool:
        return missed <= {each.guid for each in app_bot.github.settle() if each.status_code == 202}

    until(all_asked_for, "redelivery of all", app_bot.told, AFTERWARDS_SECONDS)
    until(all_heard, "all that was missed", app_bot.told, AFTERWARDS_SECONDS)
    app_bot.rest()
    again = [each for each in app_bot.github.deliveries() if each.redelivery and each.guid in missed]
    assert len(again) <= len(missed) + 30, "a few were asked for twice at most"
    pull.expect_dag_runs("success")
