"""What the worker does about what was missed, over time and through all that can go wrong."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot import metrics
from bot.errors import (
    DeliveryLogUnreadable,
    GitHubAway,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    StoreUnavailable,
)
from bot.intake.recovery.missed import PAUSES
from bot.intake.recovery.rounds import INTERVAL
from bot.models import Attempt, DeliveryLogRef, Quota
from tests.examples import NOON, REPOSITORY
from tests.intake.recovery.making_good import DAY, HOUR, MINUTE, SECOND, MakingGood, listed


@pytest.fixture
def bot() -> MakingGood:
    """An App's, that has worked for a while."""
    bot = MakingGood()
    bot.go_on(HOUR)
    return bot


def down(bot: MakingGood, *guids: str, then: bool = True) -> None:
    """These are delivered while nobody answers; then all is well again."""
    bot.up = False
    for guid in guids:
        bot.wait(SECOND)
        bot.log.deliver(guid)
    bot.up = then


def test_in_the_first_start_ever_nothing_is_redelivered() -> None:
    bot = MakingGood()
    down(bot, "a", "b")
    bot.wait(MINUTE)

    bot.go_on(HOUR)

    assert bot.log.asked == []


def test_what_was_missed_comes_in_the_order_in_which_it_happened(bot: MakingGood) -> None:
    down(bot, "a", "b", "c")

    bot.start()
    bot.work()

    assert bot.log.asked == ["a", "b", "c"]
    bot.go_on(HOUR)
    assert bot.log.asked == ["a", "b", "c"]
    assert bot.caught_up


def test_what_nobody_missed_is_left_alone(bot: MakingGood) -> None:
    for guid in "abc":
        bot.log.deliver(guid)
    bot.go_on(HOUR)
    assert bot.log.asked == []


def test_a_quiet_log_is_read_every_five_minutes(bot: MakingGood) -> None:
    before = bot.log.reads
    bot.go_on(HOUR)
    assert bot.log.reads - before == HOUR / INTERVAL


def test_hundreds_wait_until_a_few_arrived(bot: MakingGood) -> None:
    guids = [f"{n:03}" for n in range(300)]
    down(bot, *guids)
    bot.start()
    bot.work()
    assert len(bot.log.asked) == 10

    bot.go_on(MINUTE)

    assert bot.log.asked == guids


def test_an_outage_that_goes_on_is_probed_only(bot: MakingGood) -> None:
    down(bot, *(f"{n:03}" for n in range(300)), then=False)

    bot.go_on(HOUR)
    assert 100 <= len(bot.log.asked) <= 130

    bot.up = True
    bot.go_on(2 * HOUR)
    assert bot.store.inbox.keys() >= {f"{n:03}" for n in range(300)}


def test_below_the_limits_it_goes_on_where_it_stopped(bot: MakingGood) -> None:
    down(bot, "a", "b", "c")
    bot.room.waits = [0.0, 40.0]
    bot.start()
    bot.work()
    assert bot.log.asked == ["a"]
    reads = bot.log.reads

    bot.wait(41 * SECOND)
    bot.work()

    assert bot.log.asked == ["a", "b", "c"]
    assert bot.log.reads == reads, "the log need not be read again for that"
    account, costs, (window,) = bot.room.taken[-1]
    assert (account, costs, window.most) == ("app", {"points": 5.0}, 360.0)


def test_low_quota_is_left_to_reports(bot: MakingGood) -> None:
    down(bot, "a")
    bot.log.left = Quota(5000, 499, 100.0)
    bot.start()
    bot.go_on(MINUTE)
    assert bot.log.asked == []

    bot.log.left = Quota(5000, 5000, 3600.0)
    bot.go_on(MINUTE)
    assert bot.log.asked == ["a"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(GitHubUnavailable("GitHub answered with 502"), id="down"),
        pytest.param(GitHubRateLimited("slow down", 60.0), id="slow-down"),
        pytest.param(GitHubRefused("401"), id="the-key-was-revoked"),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_github_refuses_is_tried_again(bot: MakingGood, error: Exception, times: int) -> None:
    down(bot, "a", "b")
    bot.log.faults = [error] * times  # type: ignore[list-item]  # all are of ours
    bot.start()
    bot.work()
    assert bot.log.asked == []

    bot.go_on(30 * MINUTE)

    assert bot.log.asked == ["a", "b"]
    assert bot.caught_up


def test_where_github_wants_a_pause_nothing_is_asked(bot: MakingGood) -> None:
    bot.log.faults = [GitHubRateLimited("slow down", 600.0)]
    bot.start()
    bot.work()
    assert bot.rounds.next_due() == 600.0


def test_while_the_database_is_away_nothing_is_asked(bot: MakingGood) -> None:
    down(bot, "a")
    bot.start()
    bot.store.faults = [StoreUnavailable("gone")]
    with pytest.raises(StoreUnavailable):
        bot.rounds.work()
    bot.work()
    assert bot.log.asked == ["a"]


def test_one_worker_does_it(bot: MakingGood) -> None:
    down(bot, "a")
    bot.store.alone = False
    bot.start()
    bot.go_on(HOUR)
    assert bot.log.asked == []

    bot.store.alone = True  # the other one died
    bot.go_on(MINUTE)
    assert bot.log.asked == ["a"]


def test_one_that_fails_for_ever_is_given_up_and_holds_nothing_up(
    bot: MakingGood, caplog: pytest.LogCaptureFixture
) -> None:
    bot.log.answer = lambda guid: 500 if guid == "bad" else bot.webhook(guid)
    bot.log.deliver("bad")
    bot.go_on(3 * DAY)
    assert len(bot.log.attempts("bad")) == len(PAUSES) + 1
    assert bot.caught_up
    assert sum("bad" in line and "given up" in line for line in caplog.messages) == 1

    down(bot, "a")
    bot.go_on(3 * DAY)
    assert len(bot.log.attempts("bad")) == len(PAUSES) + 1
    assert "a" in bot.store.inbox


def test_ones_that_github_does_not_manage_hold_no_other_up_and_go_once_it_does(bot: MakingGood) -> None:
    redeliver, times = bot.log.redeliver, [0]

    def fails(log: DeliveryLogRef, attempt: Attempt) -> None:
        if attempt.guid.startswith("bad"):
            times[0] += 1
            raise GitHubUnavailable("GitHub answered with 500")
        redeliver(log, attempt)

    bot.log.redeliver = fails  # type: ignore[method-assign]  # GitHub's fault
    down(bot, *(f"bad {n}" for n in range(10)), "a", "b")
    bot.go_on(2 * HOUR)
    assert bot.log.asked == ["a", "b"]

    bot.go_on(2 * HOUR)
    assert 10 < times[0] <= 10 * (4 * HOUR / (5 * MINUTE))
    bot.log.redeliver = redeliver  # type: ignore[method-assign]  # it is mended
    bot.go_on(10 * MINUTE)
    assert len(bot.log.asked) == 12
    assert bot.caught_up


def test_while_github_is_away_nothing_counts_as_a_try(bot: MakingGood) -> None:
    down(bot, "a", "b")
    bot.log.refusals = [GitHubAway("nothing was sent", 60.0)] * 30
    bot.start()
    bot.go_on(29 * MINUTE)
    assert bot.log.asked == []
    bot.go_on(2 * MINUTE)
    assert bot.log.asked == ["a", "b"]


def test_what_the_log_shows_late_is_not_asked_for_all_the_time(bot: MakingGood) -> None:
    down(bot, "a", then=False)
    bot.log.lag = HOUR
    bot.wait(HOUR)
    bot.go_on(59 * MINUTE)
    assert len(bot.log.asked) == 6  # after 10 s, 1, 5, 15 and 30 minutes


def test_how_things_stand_is_in_the_metrics(bot: MakingGood) -> None:
    down(bot, *(f"{n:03}" for n in range(30)))
    asked = metrics.REDELIVERED._value.get()  # noqa: SLF001 - no public way
    bot.start()
    bot.work()
    assert metrics.MISSED._value.get() == 20  # noqa: SLF001 - likewise
    assert metrics.REDELIVERED._value.get() - asked == 10  # noqa: SLF001 - likewise
    assert metrics.LAST_GOOD._value.get() == bot.good.timestamp()  # noqa: SLF001 - likewise


class TestWithoutLog:
    """A token that may not see webhooks."""

    @pytest.fixture
    def blind(self) -> MakingGood:
        blind = MakingGood(app=False)
        blind.store.heard_of[REPOSITORY] = NOON - 30 * DAY
        blind.log.unreadable[str(REPOSITORY.id)] = DeliveryLogUnreadable("no permission")
        blind.go_on(HOUR)
        blind.pulls.asked.clear()
        return blind

    def test_says_so_once(self, caplog: pytest.LogCaptureFixture) -> None:
        blind = MakingGood(app=False)
        blind.store.heard_of[REPOSITORY] = NOON - 30 * DAY
        blind.log.unreadable[str(REPOSITORY.id)] = DeliveryLogUnreadable("no permission")
        with caplog.at_level(logging.INFO):
            blind.go_on(5 * HOUR)
        assert sum("no permission" in line for line in caplog.messages) == 1

    def test_audits_every_hour_though_it_lives(self, blind: MakingGood) -> None:
        """Web may have been down meanwhile, or out of GitHub's reach."""
        blind.go_on(5 * HOUR)
        assert blind.pulls.asked == [("pulls_since", REPOSITORY.full_name)] * 5

    def test_what_web_missed_while_the_worker_lived_is_looked_at_again(self, blind: MakingGood) -> None:
        blind.go_on(30 * MINUTE)
        blind.pulls.pulls[REPOSITORY.id] = [listed(12, created_at=blind.now, updated_at=blind.now)]
        blind.go_on(HOUR)
        assert len(blind.again) == 1

    def test_an_audit_begins_where_the_last_one_ended(self, blind: MakingGood) -> None:
        """However often the worker was started since."""
        for _ in range(20):
            blind.start()
            blind.go_on(2 * MINUTE)
        assert blind.pulls.asked == []
        assert metrics.LAST_GOOD._value.get() == (blind.now - 40 * MINUTE).timestamp()  # noqa: SLF001 - no public way
        blind.go_on(20 * MINUTE)
        assert len(blind.pulls.asked) == 1

    def test_a_short_break_is_none(self, blind: MakingGood) -> None:
        blind.wait(2 * MINUTE)
        blind.start()
        blind.work()
        assert blind.pulls.asked == []

    def test_audits_once_it_lives_again(self, blind: MakingGood) -> None:
        blind.wait(10 * MINUTE)
        blind.start()
        blind.go_on(59 * MINUTE)
        assert blind.pulls.asked == [("pulls_since", REPOSITORY.full_name)]
        assert blind.good >= blind.now - MINUTE

    def test_an_audit_that_fails_is_made_again(self, blind: MakingGood) -> None:
        blind.wait(10 * MINUTE)
        before = blind.good
        blind.start()
        blind.pulls.faults = [GitHubUnavailable("down")]
        blind.work()
        assert blind.good == before
        blind.start()  # killed meanwhile
        blind.go_on(10 * MINUTE)
        assert blind.pulls.asked == [("pulls_since", REPOSITORY.full_name)]

    def test_reads_the_log_once_it_may(self, blind: MakingGood) -> None:
        del blind.log.unreadable[str(REPOSITORY.id)]
        blind.up = False
        blind.log.deliver("a", log=str(REPOSITORY.id))
        blind.up = True
        blind.go_on(2 * HOUR)
        assert blind.log.asked == ["a"]

    def test_one_that_may_read_but_not_redeliver_audits(self, blind: MakingGood) -> None:
        del blind.log.unreadable[str(REPOSITORY.id)]
        blind.go_on(2 * HOUR)
        blind.up = False
        blind.log.deliver("a", log=str(REPOSITORY.id))
        blind.up = True
        blind.log.refusals = [DeliveryLogUnreadable("read only")]
        blind.pulls.asked.clear()
        blind.go_on(59 * MINUTE)
        assert blind.pulls.asked == [("pulls_since", REPOSITORY.full_name)]


class TestClocks:
    """A host's clock that was wrong for a while."""

    def test_a_mark_of_the_future_hides_nothing(self, bot: MakingGood) -> None:
        bot.fast = 5 * HOUR
        bot.go_on(HOUR)
        bot.fast = timedelta(0)
        bot.start()
        bot.go_on(MINUTE)
        assert all(at <= bot.now for at in bot.store.marks.values())

        down(bot, "a")
        bot.go_on(HOUR)

        assert bot.log.asked == ["a"]
        assert bot.caught_up

    def test_one_that_is_set_back_does_not_stop_the_rounds(self, bot: MakingGood) -> None:
        before = bot.log.reads
        bot.fast = -5 * HOUR
        bot.go_on(HOUR)
        assert bot.log.reads - before == HOUR / INTERVAL

    def test_no_audit_waits_for_the_time_to_catch_up(self) -> None:
        blind = MakingGood(app=False)
        blind.store.heard_of[REPOSITORY] = NOON - 30 * DAY
        blind.log.unreadable[str(REPOSITORY.id)] = DeliveryLogUnreadable("no permission")
        blind.fast = 5 * HOUR
        blind.go_on(2 * HOUR)
        blind.pulls.asked.clear()
        blind.fast = timedelta(0)
        blind.start()
        blind.go_on(2 * HOUR)
        assert len(blind.pulls.asked) >= 2


class TestGap:
    """Nobody lived for longer than GitHub keeps its log."""

    @pytest.fixture
    def away(self) -> MakingGood:
        away = MakingGood()
        away.store.heard_of[REPOSITORY] = NOON - 30 * DAY
        away.go_on(HOUR)
        down(away, "too old", then=False)
        away.wait(2 * DAY)
        down(away, "kept")
        away.wait(2 * DAY)
        return away

    def test_is_audited_and_the_rest_redelivered(self, away: MakingGood) -> None:
        away.start()
        away.go_on(HOUR)
        assert away.pulls.asked == [("pulls_since", REPOSITORY.full_name)]
        assert away.log.asked == ["kept"]
        assert away.caught_up

    def test_what_can_not_be_audited_holds_up_no_redelivery(self, away: MakingGood) -> None:
        away.start()
        before = away.good
        away.pulls.faults = [GitHubUnavailable("its list is too long")] * 1000
        away.go_on(HOUR)
        assert away.log.asked == ["kept"]
        assert away.good == before, "it is still to be audited"

        away.pulls.faults = []
        away.go_on(2 * HOUR)
        assert away.pulls.asked == [("pulls_since", REPOSITORY.full_name)]
        assert away.caught_up

    def test_no_repository_that_we_heard_of_only_since_is_audited(self, away: MakingGood) -> None:
        away.store.heard_of[REPOSITORY] = away.now - MINUTE
        away.start()
        away.go_on(HOUR)
        assert away.pulls.asked == []

    def test_no_repository_that_is_not_served_is_audited(self, away: MakingGood) -> None:
        away.operator = type(away.operator)()
        away.start()
        away.go_on(HOUR)
        assert away.pulls.asked == []

    def test_a_webhook_made_anew_has_a_log_without_what_was_before(self) -> None:
        bot = MakingGood(app=False)
        bot.store.heard_of[REPOSITORY] = NOON - 30 * DAY
        bot.go_on(HOUR)
        bot.wait(5 * HOUR)
        bot.log.begins[str(REPOSITORY.id)] = bot.now - HOUR
        bot.go_on(HOUR)
        assert bot.pulls.asked == [("pulls_since", REPOSITORY.full_name)]
