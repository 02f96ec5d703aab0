"""The breaker: leaves alone what does not answer, tries now and then, and lets all pass once it does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.breaker import FAILURES, PROBE_SECONDS, SOON, Breaker, Breakers, Refused, State
from bot.patience import SLOWEST

if TYPE_CHECKING:
    from collections.abc import Callable


class Unwell(Exception):
    """The service did not answer."""


class Said(Exception):
    """The service answered, and it was no."""


def unwell(error: Exception) -> bool:
    return isinstance(error, Unwell)


class Place:
    """A breaker with a clock that a test moves, and no chance in it unless a test says so."""

    def __init__(self) -> None:
        self.now, self.chance, self.changes, self.failures = 1000.0, 0.0, list[State](), 0
        self.breaker = Breaker(
            clock=lambda: self.now,
            chance=lambda: self.chance,
            on_change=self.changes.append,
            on_failure=self._count,
        )

    def _count(self) -> None:
        self.failures += 1

    def call(self, error: Exception | None = None) -> None:
        """Make one call that ends so."""
        with suppress(Unwell, Said), self.breaker.call(unwell):
            if error is not None:
                raise error

    def fail(self, times: int = FAILURES) -> None:
        for _ in range(times):
            self.call(Unwell())

    def refused(self) -> float:
        """The seconds for which nothing is sent."""
        with pytest.raises(Refused) as refusal:
            self.call()
        return refusal.value.seconds


@pytest.fixture
def place() -> Place:
    return Place()


class TestClosed:
    def test_calls_pass(self, place: Place) -> None:
        place.call()
        assert place.breaker.state is State.CLOSED

    def test_a_few_failures_are_nothing(self, place: Place) -> None:
        place.fail(FAILURES - 1)
        place.call()
        place.fail(FAILURES - 1)
        assert place.breaker.state is State.CLOSED

    @pytest.mark.parametrize("answer", [None, Said()], ids=["yes", "no"])
    def test_one_that_fails_beside_others_that_are_answered_is_nothing(
        self, place: Place, answer: Exception | None
    ) -> None:
        for _ in range(10 * FAILURES):
            place.call(Unwell())
            place.call(answer)
        assert place.breaker.state is State.CLOSED

    def test_many_in_a_row_open_it(self, place: Place) -> None:
        place.fail()
        assert place.refused() == 1.0
        assert place.changes == [State.OPEN]

    def test_an_answer_may_be_a_failure(self, place: Place) -> None:
        for _ in range(FAILURES):
            with place.breaker.call(unwell) as call:
                call.failed = True
        assert place.breaker.state is State.OPEN

    def test_one_thing_that_always_fails_does_not(self, place: Place) -> None:
        for number in range(10 * FAILURES):
            with place.breaker.call(unwell) as call:
                call.failed, call.what = True, "a large diff"
            assert place.breaker.state is State.CLOSED, number
        with place.breaker.call(unwell) as call:
            call.failed, call.what = True, "something else"
        assert place.breaker.state is State.OPEN


class TestOpen:
    def test_says_what_is_left(self, place: Place) -> None:
        place.fail()
        place.now += 0.4
        assert place.refused() == pytest.approx(0.6)

    def test_each_failed_try_makes_it_longer_up_to_half_a_minute(self, place: Place) -> None:
        place.fail()
        waits = []
        for _ in range(8):
            waits.append(place.refused())
            place.now += waits[-1]
            place.call(Unwell())
        assert waits == [1, 2, 4, 8, 16, 30, 30, 30]

    @pytest.mark.parametrize(("chance", "wait"), [(0.0, 1.0), (0.5, 0.875), (1.0, 0.75)])
    def test_by_chance_some_try_earlier(self, place: Place, chance: float, wait: float) -> None:
        place.chance = chance
        place.fail()
        assert place.refused() == wait

    def test_is_told_once(self, place: Place) -> None:
        place.fail()
        for _ in range(5):
            place.now += SLOWEST
            place.call(Unwell())
        assert place.changes == [State.OPEN]

    def test_counts_what_failed_and_what_was_not_sent(self, place: Place) -> None:
        place.fail()
        place.refused()
        assert place.failures == FAILURES + 1


class TestHalfOpen:
    @pytest.fixture
    def place(self) -> Place:
        place = Place()
        place.fail()
        place.now += 1
        return place

    def test_one_passes_to_see(self, place: Place) -> None:
        with place.breaker.call(unwell):
            assert place.refused() == SOON
        assert place.breaker.state is State.CLOSED
        assert place.changes == [State.OPEN, State.CLOSED]

    def test_a_no_is_an_answer(self, place: Place) -> None:
        place.call(Said())
        assert place.breaker.state is State.CLOSED

    def test_afterwards_all_is_forgotten(self, place: Place) -> None:
        place.call()
        place.fail(FAILURES - 1)
        assert place.breaker.state is State.CLOSED
        place.fail(1)
        assert place.refused() == 1.0

    def test_who_is_broken_off_lets_the_next_one_try(self, place: Place) -> None:
        with pytest.raises(KeyboardInterrupt), place.breaker.call(unwell):
            raise KeyboardInterrupt
        place.call()
        assert place.breaker.state is State.CLOSED

    def test_who_never_comes_back_holds_up_nobody_for_long(self, place: Place) -> None:
        with place.breaker.call(unwell):
            place.now += PROBE_SECONDS
            place.call()
            assert place.breaker.state is State.CLOSED

    def test_what_began_before_says_nothing_now(self, place: Place) -> None:
        late = Place()
        with late.breaker.call(unwell):
            late.fail()
        assert late.breaker.state is State.OPEN
        with suppress(Unwell), place.breaker.call(unwell):
            place.now += PROBE_SECONDS
            place.call()
            raise Unwell
        assert place.breaker.state is State.CLOSED


class Life(RuleBasedStateMachine):
    """Calls begin and end in any order, while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self.refused = (State.OPEN, SLOWEST)
        self.under_way: list[Callable[[Exception | None], None]] = []

    @rule(chance=st.floats(0, 1))
    def call_begins(self, chance: float) -> None:
        self.place.chance = chance
        before, turn = self.place.breaker.state, self.place.breaker.call(unwell)
        try:
            turn.__enter__()
        except Refused as refused:
            self.refused = (before, refused.seconds)
            return
        if before is not State.CLOSED:
            assert self.place.breaker.state is State.HALF_OPEN

        def end(error: Exception | None) -> None:
            with suppress(Unwell, Said):
                turn.__exit__(type(error) if error else None, error, None)

        self.under_way.append(end)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 100), how=st.sampled_from(["yes", "no", "nothing"]))
    def call_ends(self, which: int, how: str) -> None:
        end = self.under_way.pop(which % len(self.under_way))
        end({"yes": None, "no": Said(), "nothing": Unwell()}[how])

    @rule(seconds=st.floats(0, 2 * SLOWEST))
    def time_passes(self, seconds: float) -> None:
        self.place.now += seconds

    @invariant()
    def is_only_refused_while_it_is_not_closed_and_never_for_long(self) -> None:
        state, seconds = self.refused
        assert state is not State.CLOSED
        assert 0 < seconds <= SLOWEST

    @invariant()
    def is_told_by_turns(self) -> None:
        changes = self.place.changes
        assert changes == [State.OPEN, State.CLOSED] * (len(changes) // 2) + [State.OPEN] * (len(changes) % 2)
        assert (self.place.breaker.state is State.CLOSED) == (len(changes) % 2 == 0)

    @invariant()
    def once_the_service_is_well_it_closes(self) -> None:
        """Whatever happened: a copy of the machine that waits long enough lets a call pass."""
        place = self.place
        now, state = place.now, dict(vars(place.breaker))
        place.now += PROBE_SECONDS
        told = list(place.changes)
        place.call()
        assert place.breaker.state is State.CLOSED
        place.now, place.changes[:] = now, told
        vars(place.breaker).update(state)


TestLife = Life.TestCase


def test_of_many_threads_one_tries() -> None:
    place = Place()
    place.fail()
    place.now += 1
    refused = threading.Semaphore(0)

    def ask(_: int) -> bool:
        try:
            with place.breaker.call(unwell):
                return all(refused.acquire(timeout=10) for _ in range(7))
        except Refused:
            refused.release()
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, range(8))) == [False] * 7 + [True]


class TestBreakers:
    def test_one_part_of_a_service_does_not_silence_another(self) -> None:
        told: list[tuple[str, str, State, int]] = []
        breakers = Breakers(on_change=lambda *change: told.append(change))
        for part in ("statuses", "comments"):
            for _ in range(FAILURES):
                with suppress(Unwell), breakers.of("github", part).call(unwell):
                    raise Unwell
        with breakers.of("github", "pulls").call(unwell):
            pass
        assert told == [("github", "statuses", State.OPEN, 1), ("github", "comments", State.OPEN, 2)]

    def test_all_who_ask_the_same_share_what_they_met(self) -> None:
        breakers = Breakers()
        assert breakers.of("airflow") is breakers.of("airflow")
        assert breakers.of("airflow") is not breakers.of("github")

    def test_failures_are_counted_by_service(self) -> None:
        failures: list[str] = []
        with suppress(Unwell), Breakers(failures.append).of("airflow").call(unwell):
            raise Unwell
        assert failures == ["airflow"]
