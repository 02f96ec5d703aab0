"""What becomes of deliveries: done, tried again, or parked with a reason, and it is said."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from bot.adapters.postgres import PostgresReader
from bot.errors import GitHubAway, GitHubRefused, GitHubUnavailable, HeldBack, StoreUnavailable
from bot.intake.handle import LAGS, PATIENCE
from bot.intake.loops import Loop, Worker
from bot.intake.worker import MENDABLE_TRIES, retry_seconds
from bot.models import Delivery
from tests.examples import HOSTILE, NOON, delivery, pull, pull_payload
from tests.intake.working import Bot

if TYPE_CHECKING:
    from bot.adapters.postgres import Database
    from bot.errors import Temporary

SECONDS = 20.0


def handled(event: str, result: str) -> float:
    return (
        REGISTRY.get_sample_value("preflight_deliveries_handled_total", {"event": event, "result": result})
        or 0.0
    )


@pytest.mark.postgres
class TestDeliveries:
    @pytest.fixture
    def bot(self, database: Database) -> Bot:
        return Bot(database)

    def test_that_meet_an_outage_are_tried_again(self, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
        before = handled("pull_request", "retried")
        bot.github.unavailable(times=3)
        sent = bot.hear_of_pull("opened")
        for _ in range(3):
            bot.work()
            assert bot.state(sent)[0] == "queued"
            bot.hurry()
        bot.work()
        assert bot.state(sent)[0] == "done"
        assert len(bot.runs()) == 1
        assert handled("pull_request", "retried") == before + 3
        assert "GitHub answered with 503" in caplog.text

    def test_that_wait_hold_up_nothing_behind_them(self, bot: Bot) -> None:
        bot.github.unavailable("pull_request")
        first, second = bot.hear_of_pull("converted_to_draft"), bot.hear_of_pull("reopened")
        bot.work()
        assert [bot.state(one)[0] for one in (first, second)] == ["queued", "done"]
        assert len(bot.runs()) == 1

    def test_are_left_alone_while_github_is_away(self, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
        bot.github.fault(GitHubAway("nothing was sent", 20.0), "pull_request")
        first, second = bot.hear_of_pull("converted_to_draft"), bot.hear_of_pull("reopened")
        assert bot.worker.work()
        assert not bot.worker.work(), "the other one would fare no better"
        assert [bot.state(one)[0] for one in (first, second)] == ["queued", "queued"]
        due = bot.worker.next_due()
        assert due is not None
        assert 0 < due <= 5
        assert "nothing was sent" not in caplog.text, "it is told once, when GitHub is found to be away"

    @pytest.mark.parametrize("error", [HeldBack(5.0), GitHubAway("nothing was sent", 5.0)])
    def test_that_were_never_looked_up_still_wait_for_an_api_that_lags(
        self, bot: Bot, error: Temporary
    ) -> None:
        for _ in range(PATIENCE + 2):
            bot.github.fault(error, "pull_request")
        bot.github.put_pull(pull(updated_at=NOON - timedelta(hours=1)), changed=["src/app.py"])
        sent = delivery("pull_request", pull_payload("opened"))
        bot.hear(sent)
        for _ in range(PATIENCE + 2):
            bot.worker._away.end()  # noqa: SLF001 - else we would have to wait for it
            assert bot.worker.work()
            bot.hurry()
        bot.worker._away.end()  # noqa: SLF001 - likewise
        assert bot.worker.work()
        state, reason = bot.state(sent)
        assert (state, "older" in reason) == ("queued", True)

    @pytest.mark.parametrize("gone", [False, True], ids=["an older one", "none"])
    def test_do_not_believe_the_first_answer_after_an_outage(self, bot: Bot, *, gone: bool) -> None:
        bot.github.unavailable("pull_request", times=PATIENCE + 2)
        old = pull(number=99) if gone else pull(updated_at=NOON - timedelta(hours=1))
        bot.github.pulls.clear()
        bot.github.put_pull(old, changed=["src/app.py"])
        sent = delivery("pull_request", pull_payload("opened"))
        bot.hear(sent)
        for _ in range(PATIENCE + 3):
            bot.worker.work()
            bot.hurry()
        assert bot.state(sent)[0] == "queued"
        assert bot.state(sent)[1].startswith(LAGS)

        bot.github.put_pull(pull(), changed=["src/app.py"])
        bot.worker.work()
        assert bot.state(sent)[0] == "done"

    def test_believe_what_github_shows_in_the_end(self, bot: Bot) -> None:
        bot.github.pulls.clear()
        sent = delivery("pull_request", pull_payload("opened"))
        bot.hear(sent)
        for tries in range(MENDABLE_TRIES):
            assert bot.state(sent)[0] == "queued"
            assert tries == 0 or bot.state(sent)[1].startswith(LAGS)
            bot.worker.work()
            bot.hurry()
        assert bot.state(sent)[0] == "parked"

    @pytest.mark.parametrize(
        ("error", "days", "state"),
        [
            pytest.param(GitHubUnavailable("502"), 0.9, "queued", id="within a day"),
            pytest.param(GitHubUnavailable("502"), 1.1, "parked", id="after a day"),
            pytest.param(GitHubAway("nothing was sent", 20.0), 1.1, "queued", id="in an outage"),
        ],
    )
    def test_are_not_given_up_because_of_an_outage_of_hours(
        self, bot: Bot, error: GitHubUnavailable, days: float, state: str
    ) -> None:
        bot.github.fault(error, "pull_request", times=1000)
        sent = bot.hear_of_pull("opened")
        with bot.database.begin() as connection:
            tried = "UPDATE deliveries SET tries = 5000, received_at = now() - make_interval(secs => :age)"
            connection.execute(text(tried), {"age": days * 86_400})
        bot.worker.work()
        assert bot.state(sent)[0] == state

    def test_wait_as_long_as_github_asks(self, bot: Bot) -> None:
        bot.github.rate_limited(90)
        bot.hear_of_pull("opened")
        bot.work()
        due = bot.inbox.next_due()
        assert due is not None
        assert 80 < due <= 1.25 * 90

    def test_that_github_refuses_are_parked_with_the_reason(
        self, bot: Bot, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = handled("pull_request", "parked")
        bot.github.fault(GitHubRefused("the App may not read contents: grant it"), "file", times=1000)
        sent = bot.hear_of_pull("opened")
        bot.work_for_long()
        assert bot.state(sent) == ("parked", "the App may not read contents: grant it")
        assert "the App may not read contents" in caplog.text
        assert caplog.records[-1].levelno >= logging.ERROR
        assert handled("pull_request", "parked") == before + 1
        assert PostgresReader(bot.database).counts()["deliveries"] == {"parked": 1}

    def test_that_github_refuses_are_handled_once_that_is_mended(self, bot: Bot) -> None:
        bot.github.fault(GitHubRefused("the App may not read contents: grant it"), "file", times=3)
        sent = bot.hear_of_pull("opened")
        bot.work_for_long()
        assert bot.state(sent)[0] == "done"
        assert len(bot.runs()) == 1

    def test_that_are_malformed_are_parked(self, bot: Bot) -> None:
        sent = Delivery("bad", "pull_request", b'{"action": "opened"}', "lane")
        bot.hear(sent)
        bot.work()
        state, reason = bot.state(sent)
        assert state == "parked"
        assert "repository" in reason

    def test_that_meet_a_bug_are_parked_and_the_worker_lives(
        self, bot: Bot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_down(*_: object) -> None:
            raise ZeroDivisionError("nobody thought of this")

        with monkeypatch.context() as broken:
            broken.setattr(bot.handler, "handle", break_down)
            sent = bot.hear_of_pull("opened")
            bot.work()
        assert bot.state(sent)[0] == "parked"
        assert "nobody thought of this" in bot.state(sent)[1]
        assert "Traceback" in caplog.text
        bot.hear_of_pull("opened")
        bot.work()
        assert len(bot.runs()) == 1

    def test_that_mean_nothing_are_ignored_with_the_reason(self, bot: Bot) -> None:
        before = handled("star", "ignored")
        sent = delivery("star", {"action": "created"})
        bot.hear(sent)
        bot.work()
        assert bot.state(sent) == ("ignored", "the event 'star' means nothing to us")
        assert handled("star", "ignored") == before + 1

    @pytest.mark.parametrize("text", [HOSTILE, "x" * 100_000], ids=["hostile", "long"])
    def test_that_hold_anything_come_to_an_end(self, bot: Bot, text: str) -> None:
        odd = pull_payload("opened") | {"action": text}
        user = pull_payload("opened") | {"sender": {"login": text}}
        sent = [delivery("pull_request", odd), delivery("pull_request", user)]
        bot.hear(*sent)
        bot.work_for_long()
        assert all(bot.state(one)[0] in {"ignored", "done", "parked"} for one in sent)

    @pytest.mark.parametrize("number", [2**31, 2**63, 10**30, -1, 10**4000])
    def test_that_hold_any_number_come_to_an_end(self, bot: Bot, number: int) -> None:
        payload = pull_payload("opened")
        payload["repository"] = {**payload["repository"], "id": number}  # type: ignore[dict-item]  # a dict
        sent = delivery("pull_request", payload)
        bot.hear(sent)
        bot.work_for_long()
        assert bot.state(sent)[0] in {"ignored", "done", "parked"}

    def test_that_meet_a_database_that_is_away_are_nobodys_fault(
        self, bot: Bot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def go_away(*_: object) -> None:
            raise StoreUnavailable("the database does not answer")

        sent = bot.hear_of_pull("opened")
        with monkeypatch.context() as away:
            away.setattr(bot.ledger, "apply", go_away)
            bot.worker.work()
        assert bot.state(sent)[0] == "queued", "to be tried again"

    def test_are_worked_on_by_a_whole_worker_until_it_is_stopped(self, bot: Bot) -> None:
        loop = Loop("delivery", bot.worker.work, bot.inbox.next_due, threads=2)
        worker = Worker([loop], lambda _: None)
        thread = threading.Thread(target=worker.run)
        thread.start()
        sent = bot.hear_of_pull("opened")
        while bot.state(sent)[0] != "done":
            loop.wake()
            thread.join(0.02)
        worker.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


class TestRetrySeconds:
    def test_grow_and_stay_bounded(self) -> None:
        assert 0 < retry_seconds(1) <= 2
        assert all(retry_seconds(tries) <= 30 for tries in range(1, 500))
        assert retry_seconds(10**9) <= 30

    def test_end_an_outage_of_a_minute_within_seconds(self) -> None:
        assert all(retry_seconds(tries) <= 15 for tries in range(1, 20))

    def test_spread_out(self) -> None:
        assert len({retry_seconds(5) for _ in range(20)}) > 1


class TestALoop:
    """Works until there is nothing, sleeps until woken or due, and survives errors."""

    def test_works_until_there_is_nothing(self) -> None:
        left = [1, 2, 3]
        empty = threading.Event()

        def work() -> bool:
            if left:
                left.pop()
                return True
            empty.set()
            return False

        self.run_until(Loop("x", work, lambda: None, 1), empty)

    def test_looks_again_when_woken(self) -> None:
        looks = threading.Semaphore(0)

        def work() -> bool:
            looks.release()
            return False

        loop = Loop("x", work, lambda: None, 1)
        loop.start()
        assert looks.acquire(timeout=SECONDS)
        loop.wake()
        assert looks.acquire(timeout=SECONDS)
        loop.stop()
        assert loop.join(SECONDS)

    def test_looks_again_when_something_is_due(self) -> None:
        looks = threading.Semaphore(0)

        def work() -> bool:
            looks.release()
            return False

        loop = Loop("x", work, lambda: 0.05, 1)
        loop.start()
        assert all(looks.acquire(timeout=SECONDS) for _ in range(3))
        loop.stop()
        assert loop.join(SECONDS)

    @pytest.mark.parametrize(
        "error",
        [StoreUnavailable("away"), GitHubUnavailable("away"), ZeroDivisionError()],
        ids=["store", "github", "bug"],
    )
    def test_survives(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.intake.loops.ERROR_SLOWEST", 0.05)
        again = threading.Event()
        errors = [error]

        def work() -> bool:
            if errors:
                raise errors.pop()
            again.set()
            return False

        self.run_until(Loop("x", work, lambda: None, 1), again)

    def test_says_once_that_the_database_is_away_and_once_that_it_is_back(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("bot.intake.loops.ERROR_SLOWEST", 0.001)
        caplog.set_level(logging.INFO)
        again = threading.Event()
        errors = [StoreUnavailable(f"away {number}") for number in range(20)]

        def work() -> bool:
            if errors:
                raise errors.pop()
            again.set()
            return False

        self.run_until(Loop("x", work, lambda: None, 3), again)
        said = [record.getMessage() for record in caplog.records if record.name == "bot.intake.loops"]
        assert len(said) == 2
        assert said[0].startswith("x: waits for the database: away")
        assert said[1] == "x: the database answers again"

    def test_finishes_what_was_begun(self) -> None:
        begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

        def work() -> bool:
            begun.set()
            may_end.wait(SECONDS)
            ended.set()
            return True

        loop = Loop("x", work, lambda: None, 1)
        loop.start()
        assert begun.wait(SECONDS)
        loop.stop()
        assert not loop.join(0.05), "it still works"
        may_end.set()
        assert loop.join(SECONDS)
        assert ended.is_set()

    def run_until(self, loop: Loop, event: threading.Event) -> None:
        loop.start()
        assert event.wait(SECONDS)
        loop.stop()
        assert loop.join(SECONDS)
