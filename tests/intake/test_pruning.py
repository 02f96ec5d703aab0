"""An hour apart, in pieces, in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.claims import Keep
from bot.errors import StoreUnavailable
from bot.intake.pruning import EVERY_SECONDS, FIRST_SECONDS, Pruner

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

KEEP = Keep(deliveries=timedelta(days=14), logs=timedelta(days=60), runs=timedelta(days=365))


class Store:
    """Has so many pieces to forget."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces

    def prune(self, keep: Keep) -> Mapping[str, int]:
        assert keep is KEEP
        self.pieces -= 1
        return {"deliveries": 1000} if self.pieces >= 0 else {}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_not_at_once_then_to_the_end_then_about_every_hour() -> None:
    clock, store = Clock(), Store(2)
    pruner = Pruner(store, KEEP, clock)
    assert not pruner.work()
    assert pruner.next_due() == FIRST_SECONDS

    clock.now += FIRST_SECONDS
    assert [pruner.work() for _ in range(4)] == [True, True, False, False]
    assert store.pieces == -1

    due = pruner.next_due()
    assert due is not None
    assert 0.9 * EVERY_SECONDS <= due <= 1.1 * EVERY_SECONDS


class Troubled:
    """Forgets a piece, then can't."""

    def __init__(self) -> None:
        self.calls = 0

    def prune(self, keep: Keep) -> Mapping[str, int]:
        assert keep is KEEP
        self.calls += 1
        if self.calls == 1:
            return {"deliveries": 1000}
        raise StoreUnavailable("runs can't be forgotten: it took too long")


def test_what_cannot_be_forgotten_is_said_and_waits_for_the_next_look(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, store = Clock(), Troubled()
    pruner = Pruner(store, KEEP, clock)
    clock.now += FIRST_SECONDS
    assert [pruner.work() for _ in range(4)] == [True, False, False, False]
    assert store.calls == 2
    assert "runs can't be forgotten: it took too long" in caplog.text
    due = pruner.next_due()
    assert due is not None
    assert due >= 0.9 * EVERY_SECONDS
