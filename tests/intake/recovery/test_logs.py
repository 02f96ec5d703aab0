"""Which delivery logs are read."""

from __future__ import annotations

from bot.models import DeliveryLogRef, Repository
from tests.examples import NOON, REPOSITORY
from tests.intake.recovery.making_good import DAY, HOUR, MINUTE, OF_REPOSITORY, MakingGood

APP = Repository(50, "acme/app")


def names(bot: MakingGood) -> list[str]:
    bot.go_on(HOUR / 2)
    return sorted(name for name in bot.store.marks if name.startswith("deliveries"))


def test_an_app_has_one() -> None:
    bot = MakingGood()
    bot.store.heard_of[REPOSITORY] = NOON
    assert names(bot) == ["deliveries app"]


def test_with_a_token_each_repository_has_its_own() -> None:
    bot = MakingGood(app=False, served=("acme/widgets", "acme/app", "other/*"))
    bot.pulls.repositories["acme/app"] = APP
    bot.store.heard_of = {
        REPOSITORY: NOON - DAY,
        Repository(60, "other/one"): NOON,
        Repository(70, "initech/unserved"): NOON,
    }
    assert names(bot) == ["deliveries 42", "deliveries 50", "deliveries 60"]
    assert bot.pulls.asked == [("repository", "acme/app")], "asked for what we never heard of, once an hour"


def test_one_that_is_named_and_not_there_holds_no_other_up() -> None:
    bot = MakingGood(app=False, served=("acme/gone", "acme/widgets"))
    bot.store.heard_of = {REPOSITORY: NOON - DAY}
    assert names(bot) == ["deliveries 42"]


def test_what_failed_since_we_heard_of_it_is_ours() -> None:
    """The first event of a repository may be the only one that arrived before its log was known."""
    bot = MakingGood(app=False)
    bot.work()
    bot.wait(HOUR)
    bot.store.heard_of[REPOSITORY] = bot.now
    bot.up = False
    bot.log.deliver("a", log=OF_REPOSITORY.name)
    bot.up = True
    bot.wait(MINUTE)
    bot.start()
    bot.go_on(HOUR)
    assert bot.log.asked == ["a"]


def test_what_failed_before_our_first_start_is_not() -> None:
    bot = MakingGood(app=False)
    bot.store.heard_of[REPOSITORY] = NOON - DAY
    bot.up = False
    bot.log.deliver("a", log=OF_REPOSITORY.name)
    bot.up = True
    bot.wait(HOUR)
    bot.go_on(HOUR)
    assert bot.log.asked == []


def test_a_renamed_repository_keeps_its_mark() -> None:
    assert DeliveryLogRef(Repository(42, "acme/renamed")).name == OF_REPOSITORY.name


def test_one_that_is_served_no_more_is_not_read() -> None:
    bot = MakingGood(app=False)
    bot.store.heard_of[REPOSITORY] = NOON - DAY
    bot.go_on(HOUR)
    bot.operator = type(bot.operator)()
    bot.go_on(HOUR)
    reads = bot.log.reads
    bot.go_on(HOUR)
    assert bot.log.reads == reads
