"""A merge queue that makes a group anew: its branch is named after the pull request and the base's tip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples import TIP, branch, delivery, repository_payload, sha, user_payload
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres

NAME = f"gh-readonly-queue/main/pr-12-{TIP}"


def queue(bot: Bot, action: str, head: str) -> None:
    """The merge queue says something about the group of #12 on the present tip."""
    group = {
        "head_sha": head,
        "head_ref": f"refs/heads/{NAME}",
        "base_ref": "refs/heads/main",
        "base_sha": TIP,
    }
    payload = {"action": action, "merge_group": group, "repository": repository_payload()}
    bot.hear(delivery("merge_group", payload | {"sender": user_payload("github-merge-queue")}))


def test_a_pull_request_that_comes_back_is_tested(database: Database) -> None:
    bot = Bot(database)
    queue(bot, "checks_requested", sha(5))
    queue(bot, "destroyed", sha(5))
    queue(bot, "checks_requested", sha(6))  # nothing was merged meanwhile, so the branch has the same name
    bot.work()
    runs = bot.runs(branch(NAME).number)
    assert [(run.head_sha, run.cancel is None) for run in runs] == [(sha(5), False), (sha(6), True)]


def test_a_late_word_about_the_group_before_does_not_stop_it(database: Database) -> None:
    bot = Bot(database)
    queue(bot, "checks_requested", sha(5))
    queue(bot, "checks_requested", sha(6))
    queue(bot, "destroyed", sha(5))
    bot.work()
    runs = bot.runs(branch(NAME).number)
    assert [run.head_sha for run in runs if run.cancel is None] == [sha(6)]
