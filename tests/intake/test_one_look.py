"""Many deliveries about one pull request cost one look, and none while GitHub's limits have no room."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import HeldBack
from bot.models import PROPOSED_CONTEXT, StatusState
from bot.policy.configuration import PATH
from tests.examples import HEAD, REPOSITORY, TIP, delivery, moved, pull, pull_payload, sha
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.models import Repository

pytestmark = pytest.mark.postgres

SETTLED = ("ignored", "a later delivery about the pull request settles it, too")
SETTLED_BEFORE = "an earlier delivery about the pull request has settled it, too"
HEADS = [HEAD, sha(21), sha(22), sha(23)]


@pytest.fixture
def bot(database: Database) -> Bot:
    return Bot(database)


class TestPushes:
    def test_only_the_last_is_looked_at(self, bot: Bot) -> None:
        sent = [bot.hear_of_pull("synchronize", of=moved(pull(), one)) for one in HEADS]
        bot.work()
        *earlier, last = map(bot.state, sent)
        assert earlier == [SETTLED] * 3
        assert last[0] == "done"
        assert [run.head_sha for run in bot.ledger.history(REPOSITORY, 12, HEADS[-1]).runs] == HEADS[-1:]

    def test_an_older_one_that_comes_later_settles_nothing(self, bot: Bot) -> None:
        """It was redelivered. What GitHub still shows from before the push is not believed."""
        newer = replace(moved(pull(), HEADS[1]), updated_at=pull().updated_at + timedelta(minutes=5))
        pushed = delivery("pull_request", pull_payload("synchronize", of=newer))
        bot.hear(pushed, delivery("pull_request", pull_payload("opened")))
        bot.work()
        assert bot.state(pushed)[0] == "queued"
        bot.github.put_pull(newer, changed=["src/app.py"])
        bot.work_for_long()
        assert bot.state(pushed)[0] == "done"
        assert [run.head_sha for run in bot.ledger.history(REPOSITORY, 12, HEADS[1]).runs][-1] == HEADS[1]

    def test_who_pushed_is_remembered_of_each(self, bot: Bot) -> None:
        for one, who in zip(HEADS, ("alice", "mallory", "alice", "alice"), strict=True):
            bot.hear_of_pull("synchronize", of=moved(pull(), one), sender=who)
        bot.work()
        pushers = {one: bot.ledger.history(REPOSITORY, 12, one).pushers.get(one) for one in HEADS}
        assert pushers == dict(zip(HEADS, ("alice", "mallory", "alice", "alice"), strict=True))

    def test_each_is_looked_at_that_came_after_the_look(self, bot: Bot) -> None:
        first = bot.hear_of_pull("opened")
        bot.work()
        second = bot.hear_of_pull("synchronize", of=moved(pull(), HEADS[1]))
        bot.work()
        assert [bot.state(first)[0], bot.state(second)[0]] == ["done", "done"]


@pytest.mark.parametrize(
    ("before", "after", "settled"),
    [
        ("opened", "synchronize", True),
        ("labeled", "synchronize", True),
        ("opened", "closed", True),
        ("labeled", "labeled", True),
        ("labeled", "unlabeled", False),
        ("opened", "labeled", False),  # looks only where a pipeline asks for labels
        ("edited", "synchronize", False),  # a new base runs again what has passed
        ("converted_to_draft", "synchronize", False),
        ("opened", "assigned", False),
    ],
)
def test_which_settles_which(bot: Bot, before: str, after: str, *, settled: bool) -> None:
    changes = {"changes": {"base": {"ref": {"from": "old"}}}} if before == "edited" else {}
    first = delivery("pull_request", pull_payload(before) | changes)
    bot.hear(first)
    bot.hear_of_pull(after)
    bot.work()
    assert (bot.state(first) == SETTLED) is settled


def test_one_that_settles_others_may_have_more_behind_it(bot: Bot) -> None:
    sent = [bot.hear_of_pull(each) for each in ("opened", "labeled", "synchronize", "labeled", "unlabeled")]
    bot.work()
    assert [bot.state(each)[1] for each in sent[3:]] == [SETTLED_BEFORE] * 2
    assert [bot.state(each) == SETTLED for each in sent] == [True, True, False, False, False]


class TestBehind:
    """What waits behind a look, and tells of nothing that it did not see, is done with it."""

    def test_labels_are_seen_together_with_the_head(self, bot: Bot) -> None:
        _, labeled = bot.hear_of_pull("synchronize"), bot.hear_of_pull("labeled")
        bot.work()
        assert bot.state(labeled) == ("ignored", SETTLED_BEFORE)
        assert [call.method for call in bot.github.calls].count("pull_request") == 1

    def test_what_came_after_the_look_is_looked_at(self, bot: Bot) -> None:
        bot.hear_of_pull("synchronize")
        bot.work()
        labeled = bot.hear_of_pull("labeled")
        bot.work()
        assert bot.state(labeled) == ("ignored", "no pipeline asks for labels")

    def test_what_github_did_not_show_yet_is_looked_at(self, bot: Bot) -> None:
        bot.hear_of_pull("synchronize")
        soon = replace(pull(), updated_at=pull().updated_at + timedelta(seconds=1))
        labeled = delivery("pull_request", pull_payload("labeled", of=soon))
        bot.hear(labeled)
        bot.work()
        assert bot.state(labeled)[0] == "queued"
        bot.github.put_pull(soon, changed=["src/app.py"])
        bot.work_for_long()
        assert bot.state(labeled) == ("ignored", "no pipeline asks for labels")

    def test_a_look_that_failed_has_settled_nothing(self, bot: Bot) -> None:
        _, labeled = bot.hear_of_pull("converted_to_draft"), bot.hear_of_pull("labeled")
        bot.github.unavailable()
        bot.worker.work()
        assert bot.state(labeled)[0] == "queued"


def test_another_pull_request_settles_nothing(bot: Bot) -> None:
    sent = bot.hear_of_pull("opened")
    bot.hear_of_pull("opened", of=pull(number=13))
    bot.work()
    assert bot.state(sent)[0] == "done"


def test_one_that_cannot_be_read_settles_nothing(bot: Bot) -> None:
    sent = bot.hear_of_pull("opened")
    broken = pull_payload("synchronize")
    del broken["sender"]
    bot.hear(delivery("pull_request", broken))
    bot.work()
    assert bot.state(sent)[0] == "done"


def test_without_room_below_githubs_limits_a_delivery_waits_and_nothing_is_asked(database: Database) -> None:
    room = False

    def check_room(repository: Repository, *, can_wait: bool) -> bool:
        assert (repository, can_wait) == (REPOSITORY, False)
        if not room:
            raise HeldBack(30.0)
        return True

    bot = Bot(database, check_room=check_room)
    sent = bot.hear_of_pull("opened")
    bot.work()
    assert bot.state(sent) == ("queued", HeldBack.REASON)
    assert bot.github.calls == []
    room = True
    bot.work_for_long()
    assert bot.state(sent)[0] == "done"


def test_who_comes_behind_one_that_is_held_back_wants_no_room_of_its_own(database: Database) -> None:
    asked, room = 0, False

    def check_room(_: Repository, *, can_wait: bool) -> bool:
        assert not can_wait
        nonlocal asked
        asked += 1
        if not room:
            raise HeldBack(30.0)
        return True

    bot = Bot(database, check_room=check_room)
    opened = bot.hear_of_pull("opened")
    bot.work()
    newer = moved(pull(), HEADS[1])
    pushed, labeled = (bot.hear_of_pull(each, of=newer) for each in ("synchronize", "labeled"))
    bot.work()
    assert {bot.state(each) for each in (opened, pushed, labeled)} == {("queued", HeldBack.REASON)}
    assert asked == 1
    room = True
    bot.work_for_long()
    assert asked == 2
    assert [bot.state(each)[0] for each in (opened, pushed, labeled)] == ["ignored", "done", "ignored"]


@pytest.mark.parametrize(("waited", "within"), [(0, 0), (3, 3), (3600, 10)])
def test_who_waited_goes_by_a_base_that_another_one_saw_meanwhile(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, waited: float, within: float
) -> None:
    asked: list[float] = []

    def tip(*where: object, within: float = 0.0) -> str:
        assert where == (REPOSITORY, "main")
        asked.append(within)
        return TIP

    monkeypatch.setattr(bot.github, "tip", tip)
    bot.hear_of_pull("opened")
    with bot.database.begin() as connection:
        connection.execute(
            text("UPDATE deliveries SET received_at = now() - make_interval(secs => :waited)"),
            {"waited": waited},
        )
    bot.work()
    assert asked == [pytest.approx(within, abs=0.9)]


class TestLittleRoom:
    """While there is little room, what nobody waits for is looked at later."""

    plenty = False

    def check_room(self, _: Repository, *, can_wait: bool) -> bool:
        if can_wait and not self.plenty:
            raise HeldBack(30.0)
        return self.plenty

    @pytest.fixture
    def bot(self, database: Database) -> Bot:
        bot = Bot(database, check_room=self.check_room)
        bot.github.put_pull(pull(), changed=[PATH])
        bot.github.put_tip(REPOSITORY, "fix", HEAD, {PATH: b"pipelines: 5\n"})
        return bot

    def test_what_is_proposed_is_checked_after_the_run_was_decided(self, bot: Bot) -> None:
        sent = delivery("pull_request", pull_payload("opened"))
        bot.hear(sent)
        assert bot.worker.work()
        assert bot.state(sent)[0] == "done"
        assert [run.pipeline for run in bot.runs()] == ["unit"]
        assert "changed_files" not in {call.method for call in bot.github.calls}

        for _ in range(3):
            bot.hurry()
            bot.work()

        assert PROPOSED_CONTEXT not in bot.ledger.history(REPOSITORY, 12, HEAD).verdicts

        self.plenty = True
        bot.work_for_long()

        assert [run.pipeline for run in bot.runs()] == ["unit"]
        status = bot.ledger.history(REPOSITORY, 12, HEAD).verdicts[PROPOSED_CONTEXT].status
        assert status is not None
        assert status.state is StatusState.FAILURE

    def test_what_comes_meanwhile_does_not_wait_for_it(self, bot: Bot) -> None:
        bot.hear_of_pull("opened")
        bot.work()
        bot.hurry()
        bot.work()
        pushed = bot.hear_of_pull("reopened")
        assert bot.worker.work()
        assert bot.state(pushed) == ("ignored", "there is nothing to run")

    def test_that_is_done_once_however_often_the_delivery_is_handled(self, bot: Bot) -> None:
        sent = delivery("pull_request", pull_payload("opened"))
        for _ in range(2):
            bot.hear(sent)
            bot.worker.work()
            with bot.database.begin() as connection:
                connection.execute(
                    text("UPDATE deliveries SET state = 'queued', finished_at = NULL WHERE id = :id"),
                    {"id": sent.id},
                )
        with bot.database.begin() as connection:
            count = connection.execute(text("SELECT count(*) FROM deliveries WHERE event = 'proposal'"))
            assert count.scalar_one() == 1
