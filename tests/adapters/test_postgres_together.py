"""What arrives at once is stored at once, and nobody suffers from what it was stored with."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.postgres import together
from bot.adapters.postgres.inbox import MOST_AT_ONCE, MOST_BYTES_AT_ONCE, fit_together
from bot.adapters.postgres.together import Together
from bot.errors import StoreUnavailable
from bot.models import Delivery
from tests.github_standin import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 5.0


class Shelf:
    """A store whose first batch takes until `go` is set; it refuses what is called bad."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.told = threading.Event()
        self.batches: list[list[str]] = []
        self.error: Exception = ValueError("bad")
        self.together: Together[str, str] = Together(self.store, len, self.told.set)

    def store(self, things: Sequence[str]) -> Sequence[str]:
        self.begun.set()
        assert self.go.wait(SECONDS)
        self.batches.append(list(things))
        if "bad" in things:
            raise self.error
        return [thing.upper() for thing in things]

    def put_at_once(self, *things: str) -> list[str | Exception]:
        """Bring the first one; while it is stored, all others; what became of each."""
        with ThreadPoolExecutor(len(things)) as pool:
            first = pool.submit(self._put, things[0])
            assert self.begun.wait(SECONDS)
            others = [pool.submit(self._put, thing) for thing in things[1:]]
            come = lambda: len(self.together._waiting) == len(others)  # noqa: E731, SLF001 - nothing else tells
            wait_for(come, SECONDS, 0.001)
            self.go.set()
            return [future.result() for future in (first, *others)]

    def _put(self, thing: str) -> str | Exception:
        try:
            return self.together.put(thing)
        except Exception as error:  # noqa: BLE001 - it is what we look at
            return error


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_what_arrives_meanwhile_is_one_batch(shelf: Shelf) -> None:
    assert shelf.put_at_once("a", "b", "c") == ["A", "B", "C"]
    assert [sorted(batch) for batch in shelf.batches] == [["a"], ["b", "c"]]


def test_where_batches_follow_one_another_the_next_one_gathers_first(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def gathers(seconds: float) -> None:
        waited.append(seconds)
        wait_for(lambda: len(shelf.together._waiting) == 3, SECONDS, 0.001)  # noqa: SLF001 - nothing else tells

    shelf.go.set()
    assert shelf.together.put("a") == "A"
    assert waited == []
    monkeypatch.setattr(together, "time", SimpleNamespace(monotonic=time.monotonic, sleep=gathers))
    monkeypatch.setattr(together, "BUSY_SECONDS", SECONDS)
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(shelf.together.put, "bcd")) == ["B", "C", "D"]
    assert [sorted(batch) for batch in shelf.batches] == [["a"], ["b", "c", "d"]]
    assert waited == [together.GATHER_SECONDS]


def test_others_are_told(shelf: Shelf) -> None:
    shelf.go.set()
    assert shelf.together.put("a") == "A"
    assert shelf.told.wait(SECONDS)


def test_of_a_batch_that_can_not_be_stored_each_is_tried_alone(shelf: Shelf) -> None:
    assert shelf.put_at_once("a", "b", "bad", "c") == ["A", "B", shelf.error, "C"]


def test_a_store_that_is_away_is_not_asked_again_for_each(shelf: Shelf) -> None:
    shelf.error = StoreUnavailable("away")
    assert shelf.put_at_once("a", "b", "bad") == ["A", shelf.error, shelf.error]
    assert len(shelf.batches) == 2


def test_nobody_waits_for_ever(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "PATIENCE", 0.01)
    with pytest.raises(StoreUnavailable, match="within"):
        shelf.together.put("a")
    with pytest.raises(StoreUnavailable, match="within"):
        shelf.together.put("b")
    shelf.go.set()
    monkeypatch.setattr(together, "PATIENCE", SECONDS)
    assert shelf.together.put("c") == "C"
    assert shelf.batches == [["a"], ["c"]]  # nobody wants to know of b any more


def delivery(name: str, size: int = 2) -> Delivery:
    return Delivery(name, "push", b"x" * size, "1")


HALF = MOST_BYTES_AT_ONCE // 2


@pytest.mark.parametrize(
    ("waiting", "count"),
    [
        pytest.param([delivery("a")], 1, id="one"),
        pytest.param([delivery("a"), delivery("b")], 2, id="two"),
        pytest.param([delivery("a"), delivery("b"), delivery("a"), delivery("c")], 2, id="no id twice"),
        pytest.param([delivery("a", 2 * MOST_BYTES_AT_ONCE)], 1, id="a large one"),
        pytest.param([delivery("a", HALF), delivery("b", HALF), delivery("c")], 2, id="large together"),
        pytest.param([delivery(str(index)) for index in range(99)], MOST_AT_ONCE, id="many"),
    ],
)
def test_what_one_statement_takes(waiting: list[Delivery], count: int) -> None:
    assert fit_together(waiting) == count


def test_whatever_goes_wrong_while_others_are_told_the_next_is_stored() -> None:
    told: list[str] = []

    def tell() -> None:
        told.append("tried")
        raise RuntimeError("nobody expected this")

    together_again: Together[str, str] = Together(lambda things: [one.upper() for one in things], len, tell)
    assert together_again.put("a") == "A"
    wait_for(lambda: bool(told), SECONDS, 0.001)
    assert together_again.put("b") == "B"


def test_a_store_that_does_not_answer_for_each_is_an_error_of_each() -> None:
    broken: Together[str, str] = Together(lambda _: [], len, lambda: None)
    for thing in ("a", "b"):
        with pytest.raises(ValueError, match="zip"):
            broken.put(thing)
