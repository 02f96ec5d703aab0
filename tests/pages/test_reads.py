"""Slow reads: few at once, shared, remembered, and never waited for long."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from bot.pages.reads import SharedReads

LONG = 30.0  # seconds: a test that needs them has failed


@dataclass
class Source:
    """Something slow, which answers when told to."""

    go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    reads: int = 0
    at_once: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> str:
        with self.lock:
            self.reads += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.begun.release()
        self.go.wait(LONG)
        with self.lock:
            self.at_once -= 1
        return f"read {self.reads}"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def shared(
    *, at_once: int = 2, waiting: int = 8, room: int = 100, lasts: float = 10.0, clock: Clock | None = None
) -> SharedReads[str]:
    return SharedReads[str](
        at_once=at_once,
        waiting=waiting,
        room=room,
        size=len,
        lasts=lambda _, __: lasts,
        clock=clock or Clock(),
    )


def in_background(reads: SharedReads[str], source: Source, key: str, found: list[object]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.append(reads.get({key: source.read}, LONG).get(key)))
    thread.start()
    return thread


def test_what_was_read_is_remembered_for_a_while() -> None:
    clock, source = Clock(), Source()
    source.go.set()
    reads = shared(clock=clock)
    assert reads.get({"a": source.read}, LONG) == {"a": "read 1"}
    clock.now = 9.9
    assert reads.get({"a": source.read}, LONG) == {"a": "read 1"}
    clock.now = 10.0
    assert reads.get({"a": source.read}, LONG) == {"a": "read 2"}


def test_many_who_want_the_same_share_one_read() -> None:
    reads, source = shared(), Source()
    found: list[object] = []
    threads = [in_background(reads, source, "a", found) for _ in range(5)]
    source.begun.acquire(timeout=LONG)
    source.go.set()
    for thread in threads:
        thread.join(LONG)
    assert found == ["read 1"] * 5


def test_only_so_many_are_read_at_once_and_all_are_read() -> None:
    reads, source = shared(at_once=2), Source()
    found: list[object] = []
    threads = [in_background(reads, source, str(number), found) for number in range(6)]
    for _ in range(2):
        source.begun.acquire(timeout=LONG)
    source.go.set()
    for thread in threads:
        thread.join(LONG)
    assert source.reads == 6
    assert source.most == 2
    assert None not in found


def test_nobody_waits_longer_than_they_said_and_the_next_look_finds_it() -> None:
    reads, source = shared(), Source()
    assert reads.get({"a": source.read}, 0.0) == {}
    source.begun.acquire(timeout=LONG)
    source.go.set()
    assert reads.get({"a": source.read}, LONG) == {"a": "read 1"}
    assert source.reads == 1


def test_only_so_many_wait_at_once() -> None:
    reads, source = shared(waiting=1), Source()
    found: list[object] = []
    first = in_background(reads, source, "a", found)
    source.begun.acquire(timeout=LONG)
    assert reads.get({"a": source.read}, LONG) == {}  # at once, though it said it would wait
    source.go.set()
    first.join(LONG)
    assert found == ["read 1"]


def test_what_nobody_wants_any_more_is_not_read() -> None:
    clock = Clock()
    reads, slow, unwanted = shared(at_once=1, clock=clock), Source(), Source()
    found: list[object] = []
    first = in_background(reads, slow, "slow", found)
    slow.begun.acquire(timeout=LONG)
    assert reads.get({"unwanted": unwanted.read}, -1.0) == {}
    slow.go.set()
    first.join(LONG)
    assert unwanted.reads == 0


def test_a_mistake_in_one_read_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise ZeroDivisionError

    reads, source = shared(at_once=1), Source()
    source.go.set()
    assert reads.get({"broken": broken, "a": source.read}, LONG) == {"a": "read 1"}
    assert "a page's read failed" in caplog.text


@pytest.mark.parametrize(("room", "kept"), [(6, True), (5, False)], ids=["fits", "too large"])
def test_what_is_remembered_is_bounded(room: int, *, kept: bool) -> None:
    reads, source = shared(room=room), Source()
    source.go.set()
    reads.get({"a": source.read}, LONG)
    reads.get({"a": source.read}, LONG)
    assert source.reads == (1 if kept else 2)


def test_all_that_is_remembered_together_is_bounded() -> None:
    reads, source = shared(room=12), Source()
    source.go.set()
    for key in ("a", "b", "c", "a"):
        reads.get({key: source.read}, LONG)
    assert source.reads == 4
