"""What may be sent to GitHub, on a real PostgreSQL: shared by all workers, and never exceeded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresBudget
from bot.claims import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.postgres

MINUTE = Window("points", 60, 900)
COMMENTS = (Window("content", 60, 80), Window("content", 3600, 500))
WRITE = {"points": 5.0, "content": 1.0}


@pytest.fixture
def budget(database: Database) -> PostgresBudget:
    return PostgresBudget(database)


@pytest.fixture
def other(other_database: Database) -> PostgresBudget:
    return PostgresBudget(other_database)


def let_pass(database: Database, seconds: float) -> None:
    """As if all had been spent so much earlier."""
    with database.begin() as connection:
        connection.execute(
            text("UPDATE github_spending SET at = at - make_interval(secs => :seconds)"), {"seconds": seconds}
        )


def sent(budget: PostgresBudget, windows: Sequence[Window], *, tries: int = 1000) -> int:
    """How many writes the budget allows in a row."""
    for count in range(tries):
        if budget.take("acme", WRITE, windows):
            return count
    raise AssertionError("there is no end to it")


class TestOneWindow:
    def test_has_room_for_so_much(self, budget: PostgresBudget) -> None:
        assert sent(budget, [MINUTE]) == 180

    def test_what_is_refused_is_not_spent(self, budget: PostgresBudget) -> None:
        assert budget.take("acme", {"points": 890}, [MINUTE]) == 0
        for _ in range(3):
            assert budget.take("acme", {"points": 20}, [MINUTE]) > 0
        assert budget.take("acme", {"points": 10}, [MINUTE]) == 0

    def test_says_when_there_will_be_room(self, database: Database, budget: PostgresBudget) -> None:
        budget.take("acme", {"points": 500}, [MINUTE])
        let_pass(database, 30)
        budget.take("acme", {"points": 300}, [MINUTE])
        let_pass(database, 10)
        budget.take("acme", {"points": 100}, [MINUTE])
        assert 0 < budget.take("acme", {"points": 500}, [MINUTE]) <= 20
        assert 20 < budget.take("acme", {"points": 501}, [MINUTE]) <= 50
        assert 50 < budget.take("acme", {"points": 900}, [MINUTE]) <= 60

    def test_slides(self, database: Database, budget: PostgresBudget) -> None:
        budget.take("acme", {"points": 500}, [MINUTE])
        let_pass(database, 30)
        budget.take("acme", {"points": 400}, [MINUTE])
        assert budget.take("acme", {"points": 1}, [MINUTE]) > 0
        let_pass(database, 30)
        assert budget.take("acme", {"points": 500}, [MINUTE]) == 0
        assert budget.take("acme", {"points": 1}, [MINUTE]) > 0

    def test_what_can_never_fit_waits_for_its_whole_length(self, budget: PostgresBudget) -> None:
        assert budget.take("acme", {"points": 901}, [MINUTE]) == 60

    def test_of_half_the_size_leaves_the_rest_to_others(self, budget: PostgresBudget) -> None:
        assert sent(budget, [Window("points", 60, 450)]) == 90
        assert sent(budget, [MINUTE]) == 90


class TestManyWindows:
    def test_all_need_room(self, database: Database, budget: PostgresBudget) -> None:
        windows = [MINUTE, *COMMENTS]
        assert sent(budget, windows) == 80
        for _ in range(6):
            let_pass(database, 60)
            last = sent(budget, windows)
        assert last == 500 - 6 * 80
        assert 3600 - 400 < budget.take("acme", WRITE, windows) <= 3600 - 360

    def test_what_costs_nothing_there_needs_no_room(self, budget: PostgresBudget) -> None:
        budget.take("acme", {"content": 80}, COMMENTS)
        assert budget.take("acme", {"points": 5, "content": 0}, [MINUTE, *COMMENTS]) == 0

    def test_none_is_spent_of_if_one_has_no_room(self, budget: PostgresBudget) -> None:
        budget.take("acme", {"content": 80}, COMMENTS)
        assert budget.take("acme", WRITE, [MINUTE, *COMMENTS]) > 0
        assert sent(budget, [MINUTE]) == 180

    def test_accounts_have_their_own(self, budget: PostgresBudget) -> None:
        budget.take("acme", {"points": 900}, [MINUTE])
        assert budget.take("other", {"points": 900}, [MINUTE]) == 0

    def test_are_no_longer_than_an_hour(self, budget: PostgresBudget) -> None:
        with pytest.raises(ValueError, match="an hour"):
            budget.take("acme", WRITE, [Window("points", 3601, 1)])


class TestSpend:
    def test_what_was_sent_anyway_counts(self, budget: PostgresBudget) -> None:
        budget.spend("acme", {"points": 895, "content": 80})
        assert budget.take("acme", {"points": 5}, [MINUTE]) == 0
        assert budget.take("acme", {"points": 5}, [MINUTE]) > 0
        assert budget.take("acme", {"content": 1}, COMMENTS) > 0

    def test_may_be_more_than_there_is(self, database: Database, budget: PostgresBudget) -> None:
        budget.spend("acme", {"points": 2000})
        let_pass(database, 30)
        assert 0 < budget.take("acme", {"points": 5}, [MINUTE]) <= 30


def test_many_workers_together_never_exceed_it(budget: PostgresBudget, other: PostgresBudget) -> None:
    windows = [MINUTE, Window("content", 60, 60)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(
            pool.map(lambda number: (budget, other)[number % 2].take("acme", WRITE, windows), range(160))
        )
    assert taken.count(0) == 60


def test_what_is_older_than_an_hour_is_forgotten(database: Database, budget: PostgresBudget) -> None:
    for _ in range(50):
        budget.spend("acme", {"points": 1})
    let_pass(database, 3601)
    for _ in range(60):
        budget.spend("acme", {"points": 1})
    with database.once() as connection:
        assert connection.execute(text("SELECT count(*) FROM github_spending")).scalar() == 60
