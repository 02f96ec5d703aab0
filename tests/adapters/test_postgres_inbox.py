"""The inbox on a real PostgreSQL: order within a lane, none twice, nothing lost."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresInbox, PostgresReader
from bot.claims import DeliveryClaim, Receipt
from bot.models import Delivery
from tests.adapters.postgres_plans import asked
from tests.examples import HOSTILE
from tests.fixtures.postgres import let_leases_end

pytestmark = pytest.mark.postgres

_IDS = itertools.count(1)
HANDLED = """
INSERT INTO deliveries (id, event, lane, body, state, finished_at)
SELECT 'old-' || n, 'push', 'lane-' || n, '{}', 'done', now() FROM generate_series(1, 2000) AS n
"""


def delivery(lane: str = "42#1", delivery_id: str = "") -> Delivery:
    return Delivery(delivery_id or f"d-{next(_IDS)}", "pull_request", b'{"n": 1}', lane)


@pytest.fixture
def inbox(database: Database) -> PostgresInbox:
    return PostgresInbox(database)


@pytest.fixture
def other(other_database: Database) -> PostgresInbox:
    return PostgresInbox(other_database)


def take(inbox: PostgresInbox) -> DeliveryClaim:
    claim = inbox.claim()
    assert claim is not None, "there should be something to take"
    return claim


def state(database: Database, delivery_id: str) -> tuple[str, str]:
    """The state of a delivery and its reason."""
    query = text("SELECT state, reason FROM deliveries WHERE id = :id")
    with database.begin() as connection:
        row = connection.execute(query, {"id": delivery_id}).one()
    return row.state, row.reason


class TestPut:
    def test_what_is_stored_comes_out_as_it_was(self, inbox: PostgresInbox) -> None:
        stored = Delivery("d", "issue_comment", b"\x00\xff raw {bytes}", "42#1")
        assert inbox.put(stored) is Receipt.STORED
        claim = take(inbox)
        assert claim.delivery == stored
        assert claim.tries == 1

    def test_survives_the_process(self, inbox: PostgresInbox, other: PostgresInbox) -> None:
        inbox.put(delivery())
        assert other.claim() is not None

    def test_a_repeated_id_is_ignored_while_queued(self, inbox: PostgresInbox) -> None:
        assert [inbox.put(delivery(delivery_id="same")) for _ in range(3)] == [
            Receipt.STORED,
            Receipt.REPEATED,
            Receipt.REPEATED,
        ]
        take(inbox)
        assert inbox.claim() is None

    def test_and_while_it_is_worked_on(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery(delivery_id="same"))
        claim = take(inbox)
        assert inbox.put(delivery(delivery_id="same")) is Receipt.REPEATED
        inbox.finish(claim, ignored=False, reason="")
        assert inbox.claim() is None

    @pytest.mark.parametrize("ignored", [True, False], ids=["ignored", "done"])
    def test_and_when_it_is_done(self, inbox: PostgresInbox, *, ignored: bool) -> None:
        inbox.put(delivery(delivery_id="same"))
        inbox.finish(take(inbox), ignored=ignored, reason="a reason")
        assert inbox.put(delivery(delivery_id="same")) is Receipt.REPEATED
        assert inbox.claim() is None

    def test_and_while_it_waits_for_a_retry(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery(delivery_id="same"))
        inbox.retry(take(inbox), seconds=100, reason="GitHub is down")
        assert inbox.put(delivery(delivery_id="same")) is Receipt.REPEATED
        assert inbox.claim() is None

    def test_a_parked_one_gets_another_chance_with_fresh_tries(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery(delivery_id="same"))
        inbox.park(take(inbox), "could not be handled")
        assert inbox.claim() is None
        assert inbox.put(delivery(delivery_id="same")) is Receipt.REQUEUED
        assert inbox.put(delivery(delivery_id="same")) is Receipt.REPEATED
        assert take(inbox).tries == 1

    def test_of_many_at_once_one_is_stored(self, inbox: PostgresInbox) -> None:
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda _: inbox.put(delivery(delivery_id="same")), range(24)))
        assert receipts.count(Receipt.STORED) == 1
        assert receipts.count(Receipt.REPEATED) == 23


class TestLanes:
    def test_one_at_a_time_in_the_order_of_arrival(self, inbox: PostgresInbox) -> None:
        sent = [delivery("lane"), delivery("lane"), delivery("lane")]
        for one in sent:
            inbox.put(one)
        for one in sent:
            claim = take(inbox)
            assert claim.delivery.id == one.id
            assert inbox.claim() is None, "the lane is held"
            inbox.finish(claim, ignored=False, reason="")

    def test_in_parallel_across_them(self, inbox: PostgresInbox) -> None:
        for lane in ("one", "one", "two", "three"):
            inbox.put(delivery(lane))
        assert {take(inbox).delivery.lane for _ in range(3)} == {"one", "two", "three"}
        assert inbox.claim() is None

    @pytest.mark.parametrize("ending", ["retry", "park"])
    def test_what_can_not_be_handled_holds_up_nothing_behind_it(
        self, inbox: PostgresInbox, ending: str
    ) -> None:
        first, second = delivery("lane"), delivery("lane")
        inbox.put(first)
        inbox.put(second)
        claim = take(inbox)
        if ending == "retry":
            inbox.retry(claim, seconds=100, reason="later")
        else:
            inbox.park(claim, "never")
        assert take(inbox).delivery.id == second.id

    def test_however_much_was_handled_before(self, database: Database, inbox: PostgresInbox) -> None:
        """Nothing of it is read to find what is next."""
        with database.once() as connection:
            connection.execute(text(HANDLED))
            connection.execute(text("ANALYZE deliveries"))
        for _ in range(2):
            inbox.put(delivery(lane=f"42#{next(_IDS)}"))
        with asked(database, "UPDATE") as seen:
            take(inbox)
        assert 0 < seen.rows_read() < 20

    def test_a_retry_comes_back_when_it_is_due_counting_its_tries(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery())
        inbox.retry(take(inbox), seconds=0, reason="GitHub is down")
        assert take(inbox).tries == 2

    def test_eight_threads_take_each_delivery_once_and_in_order(self, inbox: PostgresInbox) -> None:
        sent = [delivery(f"lane {number % 20}") for number in range(300)]
        for one in sent:
            inbox.put(one)
        taken: defaultdict[str, list[str]] = defaultdict(list)
        at_work: set[str] = set()
        broken: list[str] = []
        guard = threading.Lock()

        def work() -> None:
            while (claim := inbox.claim()) is not None or inbox.next_due() is not None:
                if claim is None:
                    continue
                lane = claim.delivery.lane
                with guard:
                    if lane in at_work:
                        broken.append(lane)
                    at_work.add(lane)
                    taken[lane].append(claim.delivery.id)
                with guard:
                    at_work.discard(lane)
                inbox.finish(claim, ignored=False, reason="")

        with ThreadPoolExecutor(8) as pool:
            for future in [pool.submit(work) for _ in range(8)]:
                future.result()
        assert not broken, "two of one lane at once"
        expected: defaultdict[str, list[str]] = defaultdict(list)
        for one in sent:
            expected[one.lane].append(one.id)
        assert taken == expected


class TestLeases:
    def test_what_a_worker_holds_is_nobody_elses(self, inbox: PostgresInbox, other: PostgresInbox) -> None:
        inbox.put(delivery())
        take(inbox)
        assert other.claim() is None

    def test_a_lease_that_ended_is_taken_over(
        self, database: Database, inbox: PostgresInbox, other: PostgresInbox
    ) -> None:
        inbox.put(delivery("lane"))
        inbox.put(delivery("lane"))
        lost = take(inbox)
        let_leases_end(database, "deliveries")
        claim = take(other)
        assert (claim.delivery, claim.tries) == (lost.delivery, 2)

    @pytest.mark.parametrize("word", ["finish", "retry", "park"])
    def test_whoever_lost_its_lease_has_no_say(
        self, database: Database, inbox: PostgresInbox, other: PostgresInbox, word: str
    ) -> None:
        inbox.put(delivery(delivery_id="same"))
        late = take(inbox)
        let_leases_end(database, "deliveries")
        now = take(other)
        if word == "finish":
            inbox.finish(late, ignored=False, reason="late")
        elif word == "retry":
            inbox.retry(late, seconds=0, reason="late")
        else:
            inbox.park(late, "late")
        assert state(database, "same")[0] == "working"
        other.finish(now, ignored=False, reason="in time")
        assert state(database, "same") == ("done", "in time")


class TestNextDue:
    def test_is_never_where_nothing_waits(self, inbox: PostgresInbox) -> None:
        assert inbox.next_due() is None

    def test_is_now_where_something_can_be_taken(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery())
        assert inbox.next_due() == 0

    def test_is_when_the_next_retry_is(self, inbox: PostgresInbox) -> None:
        inbox.put(delivery())
        inbox.retry(take(inbox), seconds=100, reason="later")
        due = inbox.next_due()
        assert due is not None
        assert 50 < due <= 100

    def test_is_not_now_while_the_only_lane_is_held(self, inbox: PostgresInbox) -> None:
        """Else every idle thread asks again and again until the lane comes free."""
        inbox.put(delivery("lane"))
        inbox.put(delivery("lane"))
        take(inbox)
        due = inbox.next_due()
        assert due is None or due > 1


class TestReasons:
    @pytest.mark.parametrize(
        "reason", ["GitHub said no", HOSTILE, "x" * 100_000], ids=["plain", "hostile", "long"]
    )
    @pytest.mark.parametrize("word", ["finish", "retry", "park"])
    def test_are_kept_whatever_they_hold(
        self, database: Database, inbox: PostgresInbox, word: str, reason: str
    ) -> None:
        inbox.put(delivery(delivery_id="one"))
        claim = take(inbox)
        if word == "finish":
            inbox.finish(claim, ignored=True, reason=reason)
        elif word == "retry":
            inbox.retry(claim, seconds=100, reason=reason)
        else:
            inbox.park(claim, reason)
        kept = {"finish": "ignored", "retry": "queued", "park": "parked"}
        found, why = state(database, "one")
        assert found == kept[word]
        assert why[:1] == reason[:1]

    def test_are_counted_by_state(self, database: Database, inbox: PostgresInbox) -> None:
        for number in range(4):
            inbox.put(delivery(f"lane {number}"))
        inbox.park(take(inbox), "no")
        inbox.finish(take(inbox), ignored=True, reason="")
        take(inbox)
        counts = PostgresReader(database).counts()
        assert counts["deliveries"] == {"parked": 1, "ignored": 1, "working": 1, "queued": 1}
        assert counts["ages"]["oldest_delivery"] >= 0
