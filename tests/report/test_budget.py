"""Who may write to GitHub now, and who has to wait."""

# ruff: noqa: ARG002 - the port hands over what an account in memory does not need

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bot.claims import Urgency
from bot.errors import HeldBack
from bot.models import Quota
from bot.report.budget import UNLIMITED, Budget, windows
from tests.report.examples import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.claims import Window
    from bot.models import Repository

FINAL, COMMENT, PROGRESS = Urgency.FINAL_STATUS, Urgency.FINAL_COMMENT, Urgency.PROGRESS


@dataclass
class Account:
    """A BudgetStore and QuotaReader in memory; all that was ever spent counts."""

    left: Quota | None = None
    reads: int = 0
    spent_by: dict[str, dict[str, float]] = field(default_factory=dict)

    def take(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """Spend if there is room in every window."""
        wait = self.wait(account, costs, windows)
        if not wait:
            self.spend(account, costs)
        return wait

    def wait(self, account: str, costs: Mapping[str, float], windows: Sequence[Window]) -> float:
        """How long there is no room."""
        known = self.spent_by.setdefault(account, {})
        for window in windows:
            if known.get(window.name, 0) + costs.get(window.name, 0) > window.most:
                return window.seconds
        return 0.0

    def spend(self, account: str, costs: Mapping[str, float]) -> None:
        """Spend anyway."""
        known = self.spent_by.setdefault(account, {})
        for name, cost in costs.items():
            known[name] = known.get(name, 0) + cost

    def account(self, repository: Repository) -> str:
        """An App has limits of its own for each owner."""
        return repository.owner

    def quota(self, repository: Repository) -> Quota | None:
        """What GitHub said."""
        return self.left

    def spent(self, repository: Repository) -> int:
        """What was read since the last call."""
        reads, self.reads = self.reads, 0
        return reads


def writes(budget: Budget, urgency: Urgency, *, content: bool = False) -> int:
    """How many such writes there is room for."""
    count = 0
    while budget.take(REPOSITORY, content=content, urgency=urgency) == 0:
        count += 1
    return count


@pytest.mark.parametrize(
    ("urgency", "statuses", "comments"), [(PROGRESS, 90, 40), (COMMENT, 171, 76), (FINAL, 180, 80)]
)
def test_a_window_is_not_for_everybody_to_its_end(urgency: Urgency, statuses: int, comments: int) -> None:
    account = Account()
    assert writes(Budget(account, account, windows()), urgency) == statuses
    account = Account()
    assert writes(Budget(account, account, windows()), urgency, content=True) == comments


@pytest.mark.parametrize("urgency", Urgency)
def test_one_write_fits_into_the_smallest_window(urgency: Urgency) -> None:
    account = Account()
    assert writes(Budget(account, account, windows(1, 1, 1)), urgency, content=True) == 1


def test_who_can_wait_leaves_room_for_who_can_not() -> None:
    account = Account()
    budget = Budget(account, account, windows())
    assert writes(budget, PROGRESS) == 90
    assert writes(budget, COMMENT) == 81
    assert writes(budget, FINAL) == 9


def test_the_wait_is_what_the_store_says() -> None:
    account = Account()
    budget = Budget(account, account, windows(content_per_hour=10))
    assert writes(budget, FINAL, content=True) == 10
    assert budget.take(REPOSITORY, content=True, urgency=FINAL) == 3600
    assert budget.take(REPOSITORY, content=False, urgency=FINAL) == 0


def test_what_was_read_counts_too() -> None:
    account = Account(reads=850)
    assert writes(Budget(account, account, windows()), FINAL) == 10
    assert account.spent_by == {"acme": {"points": 900}}


def test_each_account_has_limits_of_its_own() -> None:
    account = Account()
    budget = Budget(account, account, windows())
    assert writes(budget, FINAL) == 180
    other = replace(REPOSITORY, full_name="bob/widgets")
    assert budget.take(other, content=False, urgency=FINAL) == 0


@pytest.mark.parametrize(
    ("quota", "progress"),
    [
        pytest.param(None, 0, id="nobody knows"),
        pytest.param(Quota(5000, 5000, 3600), 0, id="plenty"),
        pytest.param(Quota(5000, 500, 3600), 0, id="just enough"),
        pytest.param(Quota(5000, 499, 3600), 300, id="below a tenth"),
        pytest.param(Quota(15_000, 1499, 40), 40, id="below a tenth of more"),
        pytest.param(Quota(1000, 299, 40), 40, id="below three hundred"),
        pytest.param(Quota(5000, 0, 0), 10, id="about to be filled up"),
    ],
)
def test_a_quota_that_runs_low_stops_progress_and_nothing_else(quota: Quota | None, progress: float) -> None:
    account = Account(quota)
    budget = Budget(account, account, windows())
    wait = budget.take(REPOSITORY, content=False, urgency=PROGRESS)
    assert wait == progress
    assert budget.take(REPOSITORY, content=True, urgency=COMMENT) == 0
    assert budget.take(REPOSITORY, content=False, urgency=FINAL) == 0


@pytest.mark.parametrize(
    ("urgency", "apart"), [(FINAL, 0), (COMMENT, 5 * 60 / 855), (PROGRESS, 5 * 60 / 450)]
)
def test_those_who_can_wait_come_back_one_after_another(urgency: Urgency, apart: float) -> None:
    account = Account()
    budget = Budget(account, account, windows(), clock=lambda: 100.0)
    assert writes(budget, FINAL) == 180
    waits = [budget.take(REPOSITORY, content=False, urgency=urgency) for _ in range(3)]
    first = waits[0]
    assert first >= 60
    assert waits == pytest.approx([first, first + apart, first + 2 * apart])


def test_progress_waits_behind_those_who_wait() -> None:
    account, now = Account(), 100.0
    budget = Budget(account, account, windows(), clock=lambda: now)
    assert writes(budget, FINAL) == 180
    held = budget.take(REPOSITORY, content=False, urgency=COMMENT)
    assert held > 0
    account.spent_by.clear()
    assert budget.take(REPOSITORY, content=False, urgency=PROGRESS) >= held
    assert budget.take(REPOSITORY, content=False, urgency=FINAL) == 0
    now += held
    assert budget.take(REPOSITORY, content=False, urgency=PROGRESS) == 0


def test_who_waits_for_content_is_in_nobodys_way_but_that_of_other_content() -> None:
    account = Account()
    budget = Budget(account, account, windows(content_per_hour=1), clock=lambda: 100.0)
    assert writes(budget, COMMENT, content=True) == 1
    assert budget.take(REPOSITORY, content=True, urgency=COMMENT) == 3600
    assert budget.check(REPOSITORY)
    assert budget.take(REPOSITORY, content=False, urgency=PROGRESS) == 0
    assert writes(budget, FINAL) > 100
    assert budget.take(REPOSITORY, content=False, urgency=COMMENT) < 120


def test_progress_waits_for_the_last_one_of_them() -> None:
    account, now = Account(), 100.0
    budget = Budget(account, account, windows(), clock=lambda: now)
    assert writes(budget, FINAL) == 180
    last = max(budget.take(REPOSITORY, content=False, urgency=COMMENT) for _ in range(100))
    assert 0 < budget.take(REPOSITORY, content=False, urgency=FINAL) < last
    account.spent_by.clear()
    assert budget.take(REPOSITORY, content=False, urgency=PROGRESS) >= last


def test_who_is_held_back_is_counted() -> None:
    account = Account(Quota(5000, 1, 60))
    held: list[str] = []
    budget = Budget(account, account, windows(points_per_minute=5), on_held_back=held.append)
    for urgency in (PROGRESS, FINAL, FINAL, COMMENT):
        budget.take(REPOSITORY, content=False, urgency=urgency)
    assert held == ["progress", "final_status", "final_comment"]


def test_without_limits_everybody_goes_at_once() -> None:
    assert all(UNLIMITED.take(REPOSITORY, content=True, urgency=urgency) == 0 for urgency in Urgency)


class TestLookups:
    """Reads are told afterwards: whoever is about to decide asks whether there is room at all."""

    def test_spend_nothing_themselves(self) -> None:
        account = Account()
        Budget(account, account, windows()).check(REPOSITORY)
        assert account.spent_by == {REPOSITORY.owner: {}}

    def test_leave_room_for_what_they_lead_to(self) -> None:
        account, held = Account(), list[str]()
        budget = Budget(account, account, windows(), on_held_back=held.append)
        assert budget.check(REPOSITORY)
        account.reads = 448
        assert not budget.check(REPOSITORY), "there is room, but not plenty"
        account.reads = 870 - 448
        budget.check(REPOSITORY)
        account.reads = 1
        with pytest.raises(HeldBack) as caught:
            budget.check(REPOSITORY)
        assert caught.value.retry_after == 60
        assert held == ["lookup"]
        assert budget.take(REPOSITORY, content=False, urgency=FINAL) == 0

    def test_have_no_plenty_while_others_wait(self) -> None:
        account, now = Account(), 100.0
        budget = Budget(account, account, windows(), clock=lambda: now)
        assert budget.check(REPOSITORY)
        assert writes(budget, FINAL) == 180
        held = budget.take(REPOSITORY, content=False, urgency=COMMENT)
        account.spent_by.clear()
        assert not budget.check(REPOSITORY)
        now += held
        assert budget.check(REPOSITORY)

    def test_who_can_wait_is_held_back_until_there_is_plenty(self) -> None:
        account, held = Account(), list[str]()
        budget = Budget(account, account, windows(), on_held_back=held.append)
        assert budget.check(REPOSITORY, can_wait=True)
        account.reads = 448
        assert not budget.check(REPOSITORY)
        with pytest.raises(HeldBack) as caught:
            budget.check(REPOSITORY, can_wait=True)
        assert caught.value.retry_after == 60
        assert held == ["progress"]
        assert not budget.check(REPOSITORY), "nobody waits for it"

    def test_fit_into_the_smallest_window(self) -> None:
        account = Account()
        Budget(account, account, windows(1, 1, 1)).check(REPOSITORY)
