"""Web and worker are killed, with SIGKILL, in the middle: nothing is lost, nothing is done twice."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from deploy.local.bot import BotPorts
from tests.stories.bots import running_bot
from tests.stories.conftest import BOT, named_after
from tests.stories.pulls import (
    STRANGER,
    StoryPull,
    StoryRepository,
    checks,
    make_repository,
    until_there,
    written,
)
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    pull.expect_comment("3 steps passed", "error: it broke", "`/retest`")
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


def test_web_dies_while_it_is_told(brittle: Bot, repository: StoryRepository, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository.configure(written({**PIPELINES, "good": checks(one=until_there(gate))}))
    pull = repository.opened()
    brittle.crash("web")
    redeliver_what_was_missed(brittle)
    pull.expect_status("preflight/good", "pending")
    asked = pull.says("/test nosuch")
    brittle.crash("web")
    redeliver_what_was_missed(brittle)

    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    gate.touch()
    pull.expect_status("preflight/good", "success")
    pull.expect_status("preflight/bad", "failure")
    pull.bot.rest()
    assert sorted(run.conf["JOB_NAME"] for run in pull.dag_runs()) == ["bad", "good"]
    assert len(pull.comments(by=pull.bot.login)) == 2


def test_both_die_at_random_moments(brittle: Bot, repository: StoryRepository) -> None:
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
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


def crash_when(pull: StoryPull, bot: Bot, moments: dict[str, Callable[[], bool]]) -> None:
    """The worker dies at each of these moments, one after the other."""
    for name, moment in moments.items():
        until(moment, f"the moment when {name}", pull.so_far)
        bot.crash("worker")


def test_the_worker_dies_after_an_approval(brittle: Bot, airflow: AirflowView, github: Standin) -> None:
    repository = make_repository(
        github, f"{OWNER}/approved", brittle, airflow, configuration=written(PIPELINES)
    )
    pull = repository.opened(by=STRANGER, fork=True)
    pull.expect_status("preflight/good", "pending", "waiting for /ok-to-test")

    asked = pull.says(f"/ok-to-test {pull.head_sha[:12]}\n/test nosuch")
    brittle.crash("worker")
    crash_when(
        pull,
        brittle,
        {
            "somebody has seen it": lambda: any("eyes" in said.reactions for said in pull.comments()),
            "Airflow has a run": lambda: bool(pull.dag_runs()),
        },
    )

    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    pull.expect_status("preflight/good", "success")
    pull.expect_status("preflight/bad", "failure")
    brittle.rest()
    assert sorted(run.conf["JOB_NAME"] for run in pull.dag_runs()) == ["bad", "good"]
    assert len(pull.comments(by=brittle.login)) == 2


def test_the_worker_dies_while_runs_are_resumed(
    brittle: Bot, airflow: AirflowView, github: Standin, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    steps = {"count": f"echo once >> {tmp_path}/count", "test": f"test -e {mended} || exit 3"}
    repository = make_repository(
        github,
        f"{OWNER}/resumed",
        brittle,
        airflow,
        configuration=written({"unit": checks(**steps), "more": checks(test=steps["test"])}),
    )
    pull = repository.opened()
    for name in ("unit", "more"):
        pull.expect_status(f"preflight/{name}", "failure", "test failed: exit 3")
    brittle.rest()
    before = {run.id for run in pull.dag_runs()}
    mended.touch()

    asked = pull.says("/retest")
    brittle.crash("worker")
    crash_when(
        pull,
        brittle,
        {
            "somebody has seen it": lambda: any("eyes" in said.reactions for said in pull.comments()),
            "a step runs again": lambda: any(airflow.tries(run)["test"] == 2 for run in pull.dag_runs()),
        },
    )

    for name in ("unit", "more"):
        pull.expect_status(f"preflight/{name}", "success")
        pull.expect_history(f"preflight/{name}", "pending", "failure", "pending", "success")
    pull.expect_no_reply(asked)
    runs = pull.dag_runs()
    assert {run.id for run in runs} == before
    for run in runs:
        tries = airflow.tries(run)
        assert (tries["clone"], tries["test"]) == (1, 2)
    assert (tmp_path / "count").read_text() == "once\n"
    pull.expect_comment("**All 2 pipelines passed**")


def test_the_worker_dies_while_runs_queue(
    brittle: Bot, airflow: AirflowView, github: Standin, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    repository = make_repository(
        github,
        f"{OWNER}/queued",
        brittle,
        airflow,
        configuration=written({"unit": checks(test=until_there(gate)) | {"max_concurrency": 1}}),
    )
    pulls = []
    for number in range(4):
        pulls.append(repository.opened(branch=f"change-{number}"))
        if number in (1, 3):
            brittle.crash("worker")
        pulls[-1].expect_status("preflight/unit", "pending")
    pulls[0].expect_running("test")
    brittle.crash("worker")
    pulls[2].says("/cancel")
    pulls[2].expect_status("preflight/unit", "error", "cancelled: by")
    assert len(repository.dag_runs()) == 1
    gate.touch()
    until(lambda: len(repository.dag_runs()) == 2, "the next one's turn", pulls[1].so_far)
    brittle.crash("worker")

    for number in (0, 1, 3):
        pulls[number].expect_status("preflight/unit", "success")
    brittle.rest()
    runs = [run for number in (0, 1, 3) for run in pulls[number].dag_runs()]
    assert [run.state for run in runs] == ["success"] * 3
    assert len(repository.dag_runs()) == 3
    for before, after in pairwise(runs):
        assert before.ended_at is not None
        assert after.started_at is not None
        assert before.ended_at <= after.started_at
