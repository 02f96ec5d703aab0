"""Hints over Pub/Sub: each run of them is looked at once, and what leads to nothing never comes again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PubSubUnavailable, StoreUnavailable
from bot.intake.hints import OLD, SLOWEST, Dropped, Hint, HintPuller, read
from bot.intake.signature import sign
from bot.metrics import NUDGES
from bot.models import Message
from tests.examples import HOSTILE
from tests.fakes.nudged import Nudged

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECRET = "shared with Airflow"
KNOWN, OTHER = "preflight~known", "preflight~other"


@dataclass
class Waiting:
    """A subscription in which messages wait."""

    messages: list[Message] = field(default_factory=list)
    acked: list[Message] = field(default_factory=list)
    down: bool = False

    def pull(self, most: int) -> Sequence[Message]:
        if self.down:
            raise PubSubUnavailable("Pub/Sub does not answer")
        return [one for one in self.messages if one not in self.acked][:most]

    def ack(self, messages: Sequence[Message]) -> None:
        self.acked += messages


def hint(dag_run_id: object = KNOWN, *, age: timedelta = timedelta(0), **more: object) -> bytes:
    return json.dumps({"dag_run_id": dag_run_id, "sent_at": (NOW - age).isoformat(), **more}).encode()


def message(data: bytes, ack_id: str = "1") -> Message:
    return Message(data, {"signature": sign(data, SECRET)}, ack_id)


def puller(subscription: Waiting, runs: Nudged, *, secret: str = SECRET) -> HintPuller:
    return HintPuller(subscription, runs, secret, lambda: NOW)  # type: ignore[arg-type]  # all that it needs


class TestReading:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            pytest.param(hint(), Hint(KNOWN), id="of a run"),
            pytest.param(hint(state="success", task_id=None, later={}), Hint(KNOWN), id="with more in it"),
            pytest.param(hint(state="running"), Hint(KNOWN, began=True), id="of a step that began"),
            pytest.param(hint("a\0b"), Hint("ab"), id="what PostgreSQL can't hold"),
            pytest.param(hint(HOSTILE), Hint(HOSTILE.replace("\0", "")), id="any text"),
            pytest.param(hint(age=OLD), Hint(KNOWN), id="just young enough"),
            pytest.param(hint(age=-timedelta(hours=1)), Hint(KNOWN), id="by a clock that is ahead"),
            pytest.param(hint(age=OLD + timedelta(seconds=1)), "old", id="old"),
            pytest.param(hint(sent_at=None), "malformed", id="of no time"),
            pytest.param(hint(sent_at="yesterday"), "malformed", id="of a time that is none"),
            pytest.param(hint(3), "malformed", id="of a number"),
            pytest.param(b"", "malformed", id="nothing"),
            pytest.param(b"[]", "malformed", id="a list"),
        ],
    )
    def test_a_signed_one(self, data: bytes, expected: Hint | str) -> None:
        found = read(data, {"signature": sign(data, SECRET)}, SECRET, NOW)
        assert (found.result if isinstance(found, Dropped) else found) == expected

    @pytest.mark.parametrize(
        "attributes",
        [
            pytest.param({}, id="missing"),
            pytest.param({"signature": ""}, id="empty"),
            pytest.param({"signature": sign(hint(), "another")}, id="with another secret"),
            pytest.param({"signature": sign(hint(OTHER), SECRET)}, id="of another hint"),
            pytest.param({"Signature": sign(hint(), SECRET)}, id="under another name"),
        ],
    )
    def test_without_the_right_signature_it_is_dropped(self, attributes: dict[str, str]) -> None:
        assert isinstance(read(hint(), attributes, SECRET, NOW), Dropped)

    def test_without_a_secret_none_is_looked_for(self) -> None:
        assert read(hint(), {"signature": "of somebody else"}, "", NOW) == Hint(KNOWN)

    @given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(
        lambda value: json.dumps({"dag_run_id": value, "sent_at": value}).encode()
    ))  # fmt: skip
    def test_nothing_breaks_it(self, data: bytes) -> None:
        assert isinstance(read(data, {}, "", NOW), Hint | Dropped)


class TestPulling:
    def test_many_hints_of_a_run_are_one_look(self) -> None:
        runs = Nudged()
        subscription = Waiting([message(hint(KNOWN, try_number=at), str(at)) for at in range(9)])
        subscription.messages.append(message(hint(OTHER), "other"))
        assert puller(subscription, runs).work()
        assert runs.nudges == [KNOWN, OTHER]
        assert len(subscription.acked) == len(subscription.messages)

    def test_that_something_began_is_not_lost_among_them(self) -> None:
        runs = Nudged()
        states = {"1": "running", "2": "success"}
        subscription = Waiting([message(hint(state=state), ack) for ack, state in states.items()])
        subscription.messages.append(message(hint(OTHER, state="success"), "other"))
        puller(subscription, runs).work()
        assert (runs.nudges, runs.began) == ([KNOWN, OTHER], [KNOWN])

    @pytest.mark.parametrize(
        "one",
        [
            pytest.param(message(hint(OTHER)), id="unknown run"),
            pytest.param(message(hint(age=timedelta(hours=1))), id="old"),
            pytest.param(message(b"x"), id="malformed"),
            pytest.param(Message(hint(), {}, "1"), id="unsigned"),
        ],
    )
    def test_what_leads_to_nothing_is_acknowledged(self, one: Message) -> None:
        subscription = Waiting([one])
        puller(subscription, Nudged()).work()
        assert subscription.acked == [one]

    def test_none_waits(self) -> None:
        subscription, runs = Waiting(), Nudged()
        assert puller(subscription, runs).work(), "the next pull waits for the next hint"
        assert (subscription.acked, runs.nudges) == ([], [])

    def test_while_the_database_is_down_only_what_leads_to_nothing_is_acknowledged(self) -> None:
        runs, junk = Nudged(down=True), message(b"x", "junk")
        subscription = Waiting([message(hint()), junk])
        with pytest.raises(StoreUnavailable):
            puller(subscription, runs).work()
        assert subscription.acked == [junk]
        runs.down = False
        puller(subscription, runs).work()
        assert runs.nudges == [KNOWN]
        assert len(subscription.acked) == 2

    def test_while_pubsub_is_down_it_is_asked_ever_more_seldom(self) -> None:
        subscription = Waiting(down=True)
        pulls = puller(subscription, Nudged())
        waits = []
        for _ in range(40):
            assert not pulls.work()
            waits.append(pulls.next_due())
        assert waits[0] <= 1
        assert min(waits[5:]) >= SLOWEST * 3 / 4
        assert max(waits) <= SLOWEST
        subscription.down = False
        assert pulls.work()
        subscription.down = True
        assert not pulls.work()
        assert pulls.next_due() <= 1

    def test_is_counted_as_nudges_are(self) -> None:
        results = ("known", "unknown", "unsigned", "malformed", "old")
        before = {result: NUDGES.labels(result)._value.get() for result in results}  # noqa: SLF001 - no other way
        subscription = Waiting(
            [
                *(message(hint(), str(at)) for at in range(3)),
                message(hint(OTHER)),
                Message(hint(), {}, "1"),
                message(b"x"),
                message(hint(age=timedelta(hours=1))),
            ]
        )
        puller(subscription, Nudged()).work()
        counted = {result: NUDGES.labels(result)._value.get() - before[result] for result in results}  # noqa: SLF001 - likewise
        assert counted == {"known": 3, "unknown": 1, "unsigned": 1, "malformed": 1, "old": 1}
