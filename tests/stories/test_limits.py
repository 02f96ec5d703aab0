"""GitHub limits how much may be written: what people wait for goes first, and nothing is ever refused."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from deploy.local.bot import BotPorts
from tests.stories.bots import running_bot
from tests.stories.pulls import checks, make_repository, written
from tests.stories.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.postgres import Postgres
    from tests.github_standin import Standin
    from tests.stories.airflow_view import AirflowView
    from tests.stories.bots import Bot

OWNER, LOGIN = "frugal", "frugal-bot"
CONTENT = 3  # a minute
ALMOST_A_MINUTE = timedelta(seconds=45)
"""Is skipped. The rest is waited for, so that GitHub, too, has to find the minute over."""

PATIENCE_SECONDS = 150.0
"""The minute for which a comment is held back, and what is added so that not all come back at once."""

HELD_BACK = 'preflight_github_writes_held_back_total{urgency="final_comment"}'


@pytest.fixture
def frugal(
    tmp_path_factory: pytest.TempPathFactory, airflow: AirflowView, real_postgres: Postgres, github: Standin
) -> Iterator[Bot]:
    """A bot that may hardly comment; GitHub would refuse it at once if it did more often."""
    with running_bot(
        tmp_path_factory.mktemp("frugal"),
        "frugal",
        login=LOGIN,
        account={
            "PREFLIGHT_GITHUB_TOKEN": github.user(LOGIN).token,
            "PREFLIGHT_REPOSITORIES": f"{OWNER}/*",
            "PREFLIGHT_GITHUB_POINTS_PER_MINUTE": "900",
            "PREFLIGHT_GITHUB_CONTENT_PER_MINUTE": str(CONTENT),
        },
        postgres=real_postgres,
        airflow=airflow.local,
        github=github,
        ports=BotPorts.free(),
    ) as bot:
        github.limits(core=5000, points=900, content_minute=CONTENT, content_hour=500)
        yield bot
        github.limits(core=None, points=None, content_minute=None, content_hour=None)
        bot.assert_in_order()


def most_of_a_minute_goes_by(bot: Bot) -> None:
    """All that was sent so far was sent so much earlier."""
    bot.github.age_requests(ALMOST_A_MINUTE.total_seconds())
    bot.change("UPDATE github_spending SET at = at - :by", by=ALMOST_A_MINUTE)


def wait_for_less(bot: Bot) -> None:
    """Whoever waits for the whole minute waits for the rest of it."""
    longer = "UPDATE pull_requests SET due_at = due_at - :by WHERE due_at > now() + interval '20 s'"
    bot.change(longer, by=ALMOST_A_MINUTE)


def test_results_come_at_once_and_comments_when_they_may(
    frugal: Bot, github: Standin, airflow: AirflowView
) -> None:
    configuration = written({"unit": checks(test="exit 3")}, report={"comment": "failures"})
    repository = make_repository(github, f"{OWNER}/app", frugal, airflow, configuration=configuration)
    since = github.mark()

    pulls = [repository.opened(branch=f"change-{number}") for number in range(CONTENT)]

    for pull in pulls:
        pull.expect_status("preflight/unit", "failure", "test failed: exit 3")
    until(lambda: frugal.figures("worker").get(HELD_BACK, 0) > 0, "a write held back", frugal.told)
    commented = [pull for pull in pulls if pull.sticky_comments()]
    assert len(commented) < CONTENT
    most_of_a_minute_goes_by(frugal)
    for pull in pulls:
        pull.expect_comment(
            "**`unit` failed**",
            "To reproduce it",
            seconds=PATIENCE_SECONDS,
            meanwhile=partial(wait_for_less, frugal),
        )
    assert github.refused(since) == []
