"""Web and worker are killed, with SIGKILL, in the middle: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from deploy.local.bot import BotPorts
from tests.stories.bots import running_bot
from tests.stories.conftest import BOT, named_after
from tests.stories.pulls import StoryPull, StoryRepository, checks, make_repository, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot

OWNER = "brittle"
PIPELINES = {
    "good": checks(one="sleep 1", two="sleep 2"),
    "bad": checks(one="sleep 1; echo 'error: it broke'; exit 3"),
}


@pytest.fixture(scope="module")
def brittle(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Bot]:
    """A bot that may be killed; it hears no nudges."""
    with running_bot(
        tmp_path_factory.mktemp("brittle"),
        "brittle",
        login=BOT,
        account={
            "PREFLIGHT_GITHUB_TOKEN": github.user(BOT).token,
            "PREFLIGHT_REPOSITORIES": f"{OWNER}/*",
        },
        postgres=real_postgres,
        airflow=airflow.local,
        github=github,
        ports=BotPorts.free(),
    ) as bot:
        yield bot
        bot.assert_in_order()


@pytest.fixture
def repository(
    request: pytest.FixtureRequest, brittle: Bot, airflow: AirflowView, github: Standin
) -> StoryRepository:
    """One that the bot serves which is going to be killed."""
    name = f"{OWNER}/{named_after(request.node)}"
    return make_repository(github, name, brittle, airflow, configuration=written(PIPELINES))


def redeliver_what_was_missed(bot: Bot) -> None:
    """What an administrator does on GitHub's page: it never delivers again by itself."""

    def all_heard() -> bool:
        last = {each.guid: each for each in bot.github.settle()}
        missed = [each for each in last.values() if each.status != "OK"]
        for delivery in missed:
            bot.github.redeliver(delivery.id)
        return not missed

    until(all_heard, "an answer to every delivery", bot.told)


def assert_all_done_once(pull: StoryPull) -> None:
    """What a pull request of these stories shows in the end, however often the bot died meanwhile."""
    pull.expect_status("preflight/good", "success", "3 steps passed")
    pull.expect_status("preflight/bad", "failure", "one failed: exit 3")
    pull.expect_comment("3 steps passed", "error: it broke", "/test bad")
    pull.bot.rest()
    assert len(pull.comments(by=pull.bot.login)) == 1, pull.so_far()


def test_the_worker_dies_at_every_moment_of_a_run(brittle: Bot, repository: StoryRepository) -> None:
    pull = repository.opened()
    moments = {
        "it has heard of it": lambda: bool(brittle.github.settle()),
        "it has shown something": lambda: bool(pull.statuses()),
        "Airflow has a run": lambda: bool(pull.dag_runs()),
        "Airflow has both runs": lambda: len(pull.dag_runs()) == 2,
        "one of them has ended": lambda: any(run.state != "running" for run in pull.dag_runs()),
        "both have ended": lambda: {run.state for run in pull.dag_runs()} == {"success", "failed"},
    }
    for name, moment in moments.items():
        until(moment, f"the moment when {name}", pull.so_far)
        brittle.crash("worker")

    assert_all_done_once(pull)
    runs = pull.dag_runs()
    assert sorted(run.conf["JOB_NAME"] for run in runs) == ["bad", "good"]
    pull.expect_history("preflight/good", "pending", "success")
    pull.expect_history("preflight/bad", "pending", "failure")


def test_web_dies_while_it_is_told(brittle: Bot, repository: StoryRepository) -> None:
    pull = repository.opened()
    brittle.crash("web")
    redeliver_what_was_missed(brittle)
    pull.expect_status("preflight/good", "pending")
    asked = pull.says("/test nosuch")
    brittle.crash("web")
    redeliver_what_was_missed(brittle)

    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    pull.expect_status("preflight/good", "success")
    pull.expect_status("preflight/bad", "failure")
    pull.bot.rest()
    assert sorted(run.conf["JOB_NAME"] for run in pull.dag_runs()) == ["bad", "good"]
    assert len(pull.comments(by=pull.bot.login)) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_both_die_at_random_moments(brittle: Bot, repository: StoryRepository, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    pull = repository.opened()
    asked = None
    for turn in range(5):
        time.sleep(chance.uniform(0, 1.5))  # nothing to wait for: any moment will do
        if turn == 2:
            asked = pull.says("/test good")
        brittle.crash(chance.choice(("web", "worker", "worker")))
        redeliver_what_was_missed(brittle)
    assert asked is not None

    pull.expect_reaction(asked)
    assert_all_done_once(pull)
    runs = pull.dag_runs()
    assert len({run.conf["preflight"]["run_id"] for run in runs}) == len(runs)
    assert sum(run.conf["JOB_NAME"] == "bad" for run in runs) == 1
    good = [run for run in runs if run.conf["JOB_NAME"] == "good"]
    assert len(good) <= 2
    assert [run.state for run in good if run.conf["preflight"]["trigger"] == "command"] == ["success"]
    assert {status.state for status in pull.statuses("preflight/good")} == {"pending", "success"}
    pull.expect_history("preflight/bad", "pending", "failure")
