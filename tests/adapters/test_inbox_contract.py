"""What holds for both inboxes, on a real PostgreSQL and with Google's Pub/Sub emulator between."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from bot.events.lane import lane_of
from bot.intake.signature import sign
from bot.models import Delivery
from tests.adapters.inboxes import SECRET, Direct, Inboxes, Through, put, take
from tests.examples import HOSTILE
from tests.intake.test_parcels import large

if TYPE_CHECKING:
    from bot.adapters.postgres import Database

pytestmark = pytest.mark.postgres

_IDS = itertools.count(1)


def delivery(number: int = 12, *, delivery_id: str = "", event: str = "pull_request") -> Delivery:
    """A delivery about that pull request."""
    body = json.dumps({"repository": {"id": 42}, "pull_request": {"number": number}}).encode()
    return signed(body, delivery_id or f"d-{next(_IDS)}", event)


def signed(body: bytes, delivery_id: str = "d", event: str = "pull_request") -> Delivery:
    return Delivery(delivery_id, event, body, lane_of(json.loads(body), delivery_id), sign(body, SECRET))


@pytest.fixture(params=["postgres", "pubsub"])
def inboxes(request: pytest.FixtureRequest, database: Database) -> Inboxes:
    if request.param == "postgres":
        return Direct(database)
    return Through(request.getfixturevalue("pubsub"), database)


class TestStored:
    def test_once_and_as_it_was(self, inboxes: Inboxes) -> None:
        sent = delivery()
        put(inboxes, sent)
        claim = take(inboxes.inbox)
        assert (claim.delivery, claim.tries) == (sent, 1)
        assert inboxes.inbox.claim() is None

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b'  {"repository":\t{"id": 42}}\r\n ', id="with its spaces"),
            pytest.param(json.dumps({"title": HOSTILE}).encode(), id="hostile text"),
            pytest.param('{"title": "Ærøskøbing 🚀"}'.encode(), id="any language"),
            pytest.param(b'{"repository": {"id": 9e99}, "issue": {"number": -1}}', id="strange numbers"),
            pytest.param(b'{"pad": "%s"}' % (b"x" * 1_000_000), id="that compresses well"),
            pytest.param(large(20_000_000), id="20 MB that nobody can compress"),
        ],
    )
    def test_whatever_the_body(self, inboxes: Inboxes, body: bytes) -> None:
        sent = signed(body)
        put(inboxes, sent)
        assert take(inboxes.inbox).delivery == sent
        assert inboxes.inbox.claim() is None

    @pytest.mark.parametrize(
        ("delivery_id", "event"),
        [
            pytest.param("x" * 200, "y" * 200, id="long"),
            pytest.param("'; DROP TABLE deliveries; --".replace(" ", "_"), "ping'\"", id="SQL"),
            pytest.param("%00%0d%0aX-Evil:1", "../../etc/passwd", id="encoded"),
            pytest.param("${jndi:ldap://x}", "{{7*7}}", id="templates"),
        ],
    )
    def test_whatever_the_headers(self, inboxes: Inboxes, delivery_id: str, event: str) -> None:
        sent = delivery(delivery_id=delivery_id, event=event)
        put(inboxes, sent)
        assert take(inboxes.inbox).delivery == sent


class TestRepeated:
    def test_while_it_waits(self, inboxes: Inboxes) -> None:
        put(inboxes, *[delivery(delivery_id="same")] * 3)
        take(inboxes.inbox)
        assert inboxes.inbox.claim() is None

    def test_while_it_is_worked_on(self, inboxes: Inboxes) -> None:
        put(inboxes, delivery(delivery_id="same"))
        claim = take(inboxes.inbox)
        put(inboxes, delivery(delivery_id="same"))
        inboxes.inbox.finish(claim, ignored=False, reason="")
        assert inboxes.inbox.claim() is None

    @pytest.mark.parametrize("ignored", [True, False], ids=["ignored", "done"])
    def test_when_it_is_over(self, inboxes: Inboxes, *, ignored: bool) -> None:
        put(inboxes, delivery(delivery_id="same"))
        inboxes.inbox.finish(take(inboxes.inbox), ignored=ignored, reason="a reason")
        put(inboxes, delivery(delivery_id="same"))
        assert inboxes.inbox.claim() is None

    def test_what_was_parked_gets_another_chance(self, inboxes: Inboxes) -> None:
        put(inboxes, delivery(delivery_id="same"))
        inboxes.inbox.park(take(inboxes.inbox), "could not be handled")
        assert inboxes.inbox.claim() is None
        put(inboxes, delivery(delivery_id="same"))
        assert take(inboxes.inbox).tries == 1


class TestOrder:
    def test_is_kept_within_a_lane(self, inboxes: Inboxes) -> None:
        sent = [delivery(number) for _ in range(30) for number in (1, 2, 3)]
        put(inboxes, *sent)
        for number in (1, 2, 3):
            lane = [one.id for one in sent if one.lane == f"42#{number}"]
            assert _handled(inboxes, f"42#{number}") == lane

    def test_lanes_do_not_wait_for_one_another(self, inboxes: Inboxes) -> None:
        put(inboxes, delivery(1), delivery(1), delivery(2), delivery(3))
        assert {take(inboxes.inbox).delivery.lane for _ in range(3)} == {"42#1", "42#2", "42#3"}
        assert inboxes.inbox.claim() is None

    @pytest.mark.parametrize("ending", ["retry", "park"])
    def test_what_can_not_be_handled_holds_up_nothing(self, inboxes: Inboxes, ending: str) -> None:
        first, second = delivery(), delivery()
        put(inboxes, first, second)
        claim = take(inboxes.inbox)
        if ending == "retry":
            inboxes.inbox.retry(claim, seconds=100, reason="later")
        else:
            inboxes.inbox.park(claim, "never")
        assert take(inboxes.inbox).delivery == second


class TestRetry:
    def test_comes_back_when_it_is_due(self, inboxes: Inboxes) -> None:
        put(inboxes, delivery())
        inboxes.inbox.retry(take(inboxes.inbox), seconds=0, reason="GitHub is down")
        assert take(inboxes.inbox).tries == 2

    def test_is_told_when(self, inboxes: Inboxes) -> None:
        assert inboxes.inbox.next_due() is None
        put(inboxes, delivery())
        assert inboxes.inbox.next_due() == 0


def _handled(inboxes: Inboxes, lane: str) -> list[str]:
    """Handle everything; the ids of that lane's deliveries, in the order in which they were taken."""
    taken = []
    waiting = []
    while (claim := inboxes.inbox.claim()) is not None:
        if claim.delivery.lane == lane:
            taken.append(claim.delivery.id)
            inboxes.inbox.finish(claim, ignored=False, reason="")
        else:
            waiting.append(claim)
    for claim in waiting:
        inboxes.inbox.retry(claim, seconds=0, reason="not yet")
    return taken
