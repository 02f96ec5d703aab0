"""Airflow or GitHub is away for a while: everything takes longer, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.stories.pulls import checks, until_there
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.github_standin import Standin
    from tests.github_standin.records import LoggedRequest
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot
    from tests.stories.conftest import MakeRepository

OUTAGE_SECONDS = 90.0
"""At most: an outage ends when the story has seen what it waits for."""

AFTERWARDS_SECONDS = 90.0
LEFT_ALONE = 'preflight_breaker_open{service="airflow"}'


@contextmanager
def without(airflow: AirflowView, bot: Bot) -> Iterator[None]:
    """Airflow's api-server is down, at least until the bot leaves it alone."""
    airflow.local.stop_api()
    try:
        yield
        until(lambda: bot.figures("worker").get(LEFT_ALONE), "Airflow left alone", bot.told)
    finally:
        airflow.local.start_api()


def refused(github: Standin, mark: int, status: int) -> list[LoggedRequest]:
    """The requests since that mark that were answered so."""
    return [request for request in github.requests(mark) if request.status == status]


def test_airflow_is_down(repository_with: MakeRepository, airflow: AirflowView, tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    repository = repository_with({"unit": checks(test=f"( {until_there(gate)} ); touch {done}")})
    in_the_middle = repository.opened(branch="before")
    in_the_middle.expect_running("test")

    with without(airflow, repository.bot):
        gate.touch()
        until(done.exists, "an end of the step")
        meanwhile = repository.opened(branch="meanwhile")
        for pull in (meanwhile, in_the_middle):
            pull.expect_status("preflight/unit", "pending", "waiting for Airflow")

    for pull in (in_the_middle, meanwhile):
        pull.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
        pull.expect_dag_runs("success")
        pull.expect_history("preflight/unit", "pending", "success")
        pull.expect_comment("2 steps passed")


def test_github_fails(repository_with: MakeRepository, github: Standin, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    repository = repository_with({"unit": checks(test=until_there(gate))})
    in_the_middle = repository.opened(branch="before")
    in_the_middle.expect_running("test")

    mark = github.mark()
    outage = github.outage(OUTAGE_SECONDS, 503)
    gate.touch()
    meanwhile = repository.opened(branch="meanwhile")
    asked = meanwhile.says("/test nosuch")

    def is_hard() -> bool:
        """Whether a result could not be shown, and one thing was asked for eight times."""
        tries = Counter((request.method, request.path) for request in refused(github, mark, 503))
        shown = f"/repos/{repository.full_name}/statuses/{in_the_middle.head_sha}"
        return tries["POST", shown] > 0 and max(tries.values()) >= 8

    until(is_hard, "an outage that is felt", repository.bot.told)
    github.clear_faults(outage)

    for pull in (in_the_middle, meanwhile):
        pull.expect_status("preflight/unit", "success", seconds=AFTERWARDS_SECONDS)
        pull.expect_dag_runs("success")
        pull.expect_history("preflight/unit", "pending", "success")
        pull.expect_comment("2 steps passed")
    meanwhile.expect_reply(asked, "There is no pipeline `nosuch`")
    assert len(refused(github, mark, 503)) < 40, "it should have kept trying, but not all the time"


def test_github_does_what_it_says_that_it_could_not(repository_with: MakeRepository, github: Standin) -> None:
    repository = repository_with({"unit": checks(test="exit 3")})
    for path in (r"/issues/\d+/comments$", r"/statuses/", r"/reactions$"):
        github.fault(path, method="POST", status=502, executed=True, times=2)

    pull = repository.opened()
    asked = pull.says("/test nosuch")

    pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    pull.expect_comment("test failed: exit 3", "`/retest`")
    pull.expect_reply(asked, "There is no pipeline `nosuch`")
    pull.expect_dag_runs("failed")
    pull.expect_history("preflight/unit", "pending", "failure")
    assert len(pull.comments(by=pull.bot.login)) == 2


def test_github_asks_for_patience(repository_with: MakeRepository, github: Standin) -> None:
    repository = repository_with({"unit": checks(test="true")})
    github.fault("/statuses/", method="POST", status=403, headers={"Retry-After": "3"}, times=2)
    mark = github.mark()

    pull = repository.opened()

    # Meanwhile the run may end: then nothing older is told any more.
    pull.expect_status("preflight/unit", "success")
    pull.expect_dag_runs("success")
    sent = github.requests(mark, method="POST", path=f"/statuses/{pull.head_sha}$")
    assert [request.status for request in sent[:3]] == [403, 403, 201]
    for refused, following in pairwise(sent[:3]):
        assert following.received_at - refused.answered_at > 2.9, pull.so_far()


def test_somebody_deletes_the_comment(repository_with: MakeRepository) -> None:
    pull = repository_with({"unit": checks(test="true")}).opened()
    pull.expect_comment("2 steps passed")
    (shown,) = pull.comments(by=pull.bot.login)

    pull.delete_comment("developer", shown.id)
    pull.pushed()

    pull.expect_comment("2 steps passed", pull.head_sha[:7])


def test_more_is_to_say_than_github_lets_say(repository_with: MakeRepository, github: Standin) -> None:
    """Comments and reactions are limited for all repositories together; what waits is told in the end."""
    repository = repository_with({"unit": checks(test="true")})
    github.limits(content_minute=3, retry_after=3)
    mark = github.mark()
    try:
        pulls = [repository.opened(branch=name) for name in ("one", "two", "three")]
        asked = [pull.says("/test nosuch") for pull in pulls]
        until(lambda: refused(github, mark, 403), "a refusal", repository.bot.told)
    finally:
        github.limits(content_minute=None, retry_after=60)

    for pull, comment in zip(pulls, asked, strict=True):
        pull.expect_reply(comment, "There is no pipeline `nosuch`")
        pull.expect_status("preflight/unit", "success")
        pull.expect_comment("2 steps passed")
        pull.expect_dag_runs("success")
    repeated = [len(pull.comments(by=pull.bot.login)) for pull in pulls]
    assert repeated == [2, 2, 2]
