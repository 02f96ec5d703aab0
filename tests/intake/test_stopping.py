"""SIGTERM: what was begun is finished, within one time for all loops together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.intake.loops import GRACE_SECONDS, Loop, Worker

if TYPE_CHECKING:
    import pytest


class Stuck(Loop):
    """A loop in the middle of something that does not end."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, lambda: False, lambda: None, 1)
        self.clock = clock
        self.waited = 0.0

    def start(self) -> None:
        """There is no thread: the work hangs anyway."""

    def join(self, seconds: float) -> bool:
        self.waited = seconds
        self.clock.now += seconds
        return False


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


def test_loops_that_hang_hold_it_up_once_not_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("bot.intake.loops.time.monotonic", clock.monotonic)
    stuck = [Stuck(name, clock) for name in ("delivery", "run", "report", "archive")]
    worker = Worker(stuck, lambda _: None)
    worker.stop()
    worker.run()
    assert [loop.waited for loop in stuck] == [GRACE_SECONDS, 0, 0, 0]
