"""Whatever happens to GitHub, the webhook and the worker: in the end nothing is missing, and all is quiet."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import GitHubNotFound, GitHubRateLimited, GitHubUnavailable
from bot.intake.recovery.missed import PAUSES
from tests.intake.recovery.making_good import DAY, HOUR, MINUTE, SECOND, MakingGood

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(1, 15)),
        st.tuples(st.just("down"), st.just(0)),
        st.tuples(st.just("up"), st.just(0)),
        st.tuples(st.just("work"), st.integers(1, 3 * 60)),
        st.tuples(st.just("idle"), st.integers(1, 10 * 60)),
        st.tuples(st.just("kill"), st.integers(0, 4)),
        st.tuples(st.just("lag"), st.integers(0, 120)),
        st.tuples(st.just("fault"), st.integers(0, 2)),
        st.tuples(st.just("no room"), st.integers(1, 100)),
        st.tuples(st.just("others turn"), st.just(0)),
    ),
    max_size=25,
)
FAULTS = (GitHubUnavailable("down"), GitHubRateLimited("slow", 90.0), GitHubNotFound("nothing there"))


class Killed(BaseException):
    """SIGKILL."""


def live(bot: MakingGood, steps: list[tuple[str, int]]) -> list[str]:
    """What happens, one step after the other; returns what was delivered."""
    delivered: list[str] = []
    happens: dict[str, Callable[[int], object]] = {
        "deliver": lambda amount: deliver(bot, delivered, amount),
        "down": lambda _: setattr(bot, "up", False),
        "up": lambda _: setattr(bot, "up", True),
        "work": lambda amount: bot.go_on(amount * MINUTE),
        "idle": lambda amount: bot.wait(amount * MINUTE),
        "kill": lambda amount: kill(bot, after=amount),
        "lag": lambda amount: setattr(bot.log, "lag", timedelta(seconds=amount)),
        "fault": lambda amount: bot.log.faults.append(FAULTS[amount]),
        "no room": lambda amount: bot.room.waits.append(float(amount)),
        "others turn": lambda _: setattr(bot.store, "alone", not bot.store.alone),
    }
    for what, amount in steps:
        before = bot.store.marks.copy()
        happens[what](amount)
        assert all(bot.store.marks[name] >= at for name, at in before.items()), "a mark went back"
        check_mark(bot, delivered, tries_of(steps))
    return delivered


def deliver(bot: MakingGood, delivered: list[str], amount: int) -> None:
    """So many more things happen on GitHub."""
    for _ in range(amount):
        bot.wait(SECOND)
        delivered.append(f"{len(delivered)}")
        bot.log.deliver(delivered[-1])


def kill(bot: MakingGood, *, after: int) -> None:
    """The worker starts, and dies before it asks for so many redeliveries and one."""
    bot.start()
    bot.log.refusals = [*([None] * after), Killed()]
    with suppress(Killed):
        bot.work()
    bot.log.refusals.clear()
    bot.start()


def tries_of(steps: list[tuple[str, int]]) -> int:
    """After so many a delivery may be given up: those that met a fault are tries that nobody sees."""
    return len(PAUSES) - [what for what, _ in steps].count("fault")


def check_mark(bot: MakingGood, delivered: list[str], tries: int) -> None:
    """What is neither here nor given up is not behind the mark."""
    mark = bot.store.marks.get("deliveries app")
    for guid in delivered:
        first, *again = bot.log.attempts(guid)
        kept = first.delivered_at >= bot.now - 3 * DAY
        if guid not in bot.store.inbox and mark is not None and kept and len(again) < tries:
            assert mark <= first.delivered_at, "a delivery was forgotten"


@given(steps=STEPS)
def test_nothing_is_forgotten_and_nothing_goes_on_for_ever(steps: list[tuple[str, int]]) -> None:
    bot = MakingGood()
    bot.work()
    delivered = live(bot, steps)
    bot.up, bot.store.alone, bot.log.lag = True, True, timedelta(0)
    bot.log.faults, bot.room.waits = [], []

    bot.start()
    bot.go_on(26 * HOUR)

    kept = [
        guid for guid in delivered if bot.log.attempts(guid)[0].delivered_at > bot.now - 3 * DAY + 26 * HOUR
    ]
    missing = [guid for guid in kept if guid not in bot.store.inbox]
    assert all(len(bot.log.attempts(guid)) > tries_of(steps) for guid in missing)
    assert all(len(bot.log.attempts(guid)) <= len(PAUSES) + 1 + len(steps) for guid in delivered)
    assert bot.caught_up
    asked = len(bot.log.asked)
    bot.start()
    bot.go_on(DAY)
    assert len(bot.log.asked) == asked, "all is well, and it still redelivers"
