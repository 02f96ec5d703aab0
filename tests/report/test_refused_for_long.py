"""What GitHub refuses is tried again ever more seldom, for two weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import GitHubRefused
from tests.examples import run, wanted
from tests.report.reporting import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


@pytest.mark.parametrize(
    ("failures", "again"), [(49, (400, 600)), (50, (86_000, 86_400)), (63, (86_000, 86_400)), (64, None)]
)
def test_is_tried_again_often_then_daily_then_no_more(
    bot: Bot, failures: int, again: tuple[int, int] | None
) -> None:
    """Somebody may mend the permission: a status should not stay pending for ever."""
    bot.github.fault(GitHubRefused("no permission"), "set_status", times=1000)
    bot.decide(wanted(run()))
    with bot.database.begin() as connection:
        connection.execute(text("UPDATE pull_requests SET failures = :many"), {"many": failures})
    bot.reporter.report()
    due = bot.store.next_due()
    assert (due is None) is (again is None)
    if due is not None and again is not None:
        assert again[0] <= due <= again[1]
