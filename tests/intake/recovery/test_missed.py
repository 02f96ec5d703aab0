"""What of the delivery log is redelivered, when, and up to when nothing is missing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from bot.intake.recovery.missed import LAG, PAUSES, PROBES, Missed, candidates, missed
from bot.models import Attempt
from tests.examples import NOON

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_IDS = count(1)


def tried(guid: str, status: int, ago: timedelta, *, event: str = "push", again: bool = False) -> Attempt:
    """GitHub tried so long ago, and got that answer."""
    return Attempt(next(_IDS), guid, NOON - ago, status, event, redelivery=again)


UP = tried("up", 202, SECOND)
"""The latest attempt of all: we can be reached."""


def decide(*attempts: Attempt, known: frozenset[str] = frozenset(), **asked: tuple[timedelta, ...]) -> Missed:
    """What is to be done at noon; `asked` is how long ago we asked for others."""
    moments = {guid: tuple(NOON - ago for ago in agos) for guid, agos in asked.items()}
    return missed(attempts, candidates(attempts), known, moments, NOON)


def redelivered(found: Missed) -> list[str]:
    return [attempt.guid for attempt in found.redeliver]


def failing(times: int, last: timedelta, status: int = 502) -> list[Attempt]:
    """A delivery that failed so often, the last time so long ago."""
    agos = [last + HOUR * (times - 1 - turn) for turn in range(times)]
    return [tried("a", status, ago, again=turn > 0) for turn, ago in enumerate(agos)]


@pytest.mark.parametrize(
    ("attempts", "wanted"),
    [
        pytest.param([], [], id="nothing-was-delivered"),
        pytest.param([tried("a", 202, HOUR)], [], id="it-was-taken"),
        pytest.param([tried("a", 502, HOUR)], ["a"], id="nobody-answered"),
        pytest.param([tried("a", 503, HOUR)], ["a"], id="we-refused"),
        pytest.param([tried("a", 401, HOUR)], ["a"], id="the-secret-was-wrong"),
        pytest.param([tried("a", 301, HOUR)], ["a"], id="it-was-sent-elsewhere"),
        pytest.param([tried("a", 502, HOUR), tried("a", 202, MINUTE, again=True)], [], id="taken-later"),
        pytest.param([tried("a", 202, HOUR), tried("a", 502, MINUTE, again=True)], [], id="taken-before"),
        pytest.param([tried("a", 502, HOUR, again=True)], [], id="it-began-before-the-mark"),
        pytest.param([tried("a", 502, HOUR, event="ping")], [], id="a-ping"),
        pytest.param([tried("a", 502, HOUR, event="star")], [], id="an-event-that-means-nothing"),
        pytest.param([tried("a", 502, HOUR), tried("b", 502, 2 * HOUR)], ["b", "a"], id="the-oldest-first"),
        pytest.param([tried("a", 400, HOUR)], ["a"], id="a-proxy-may-call-it-malformed"),
        pytest.param([tried("a", 413, HOUR)], ["a"], id="a-proxy-may-call-it-too-large"),
        pytest.param(failing(3, HOUR, 400), [], id="it-is-malformed"),
        pytest.param(failing(3, HOUR, 413), [], id="it-is-too-large"),
        pytest.param([tried("a", 415, HOUR)], [], id="it-is-no-json"),
    ],
)
def test_what_failed_whenever_github_tried_is_redelivered(attempts: list[Attempt], wanted: list[str]) -> None:
    assert redelivered(decide(*attempts, UP)) == wanted


def test_what_is_in_the_inbox_is_not() -> None:
    found = decide(tried("a", 504, HOUR), UP, known=frozenset({"a"}))

    assert found == Missed(mark=NOON - LAG)


def test_its_latest_attempt_is_repeated() -> None:
    first, second = tried("a", 502, HOUR), tried("a", 502, MINUTE, again=True)

    assert decide(second, first, UP).redeliver == (second,)


@pytest.mark.parametrize(("times", "pause"), list(enumerate(PAUSES, start=1)))
def test_the_pauses_grow(times: int, pause: timedelta) -> None:
    early, late = failing(times, pause - SECOND), failing(times, pause)

    assert redelivered(decide(*late)) == ["a"]
    if pause:
        waits = decide(*early)
        assert (waits.redeliver, waits.waiting, waits.next_at) == ((), 1, NOON + SECOND)


def test_once_others_arrive_no_pause_is_long() -> None:
    after = failing(9, HOUR)

    assert decide(*after).redeliver == ()
    assert redelivered(decide(*after, UP)) == ["a"]


def test_it_is_given_up_in_the_end() -> None:
    found = decide(*failing(len(PAUSES) + 1, HOUR), UP)

    assert found == Missed(mark=NOON - LAG, given_up=("a",))


class TestAsked:
    """We asked for an attempt, which the log does not show yet."""

    def test_counts_as_an_attempt(self) -> None:
        found = decide(tried("a", 502, HOUR), UP, a=(5 * SECOND,))
        assert found.redeliver == ()
        assert found.next_at == NOON + 5 * SECOND

    def test_is_asked_again_after_a_pause(self) -> None:
        assert redelivered(decide(tried("a", 502, HOUR), UP, a=(10 * SECOND,))) == ["a"]

    def test_counts_once_when_the_log_shows_it(self) -> None:
        shown = tried("a", 502, 9 * SECOND, again=True)
        found = decide(tried("a", 502, HOUR), shown, UP, a=(10 * SECOND,))
        assert found.next_at == NOON + SECOND

    def test_is_given_up_in_the_end(self) -> None:
        found = decide(tried("a", 502, HOUR), UP, a=(MINUTE,) * len(PAUSES))
        assert found.given_up == ("a",)

    def test_comes_after_those_that_were_not(self) -> None:
        """GitHub may never manage one of them."""
        found = decide(tried("a", 502, HOUR), tried("b", 502, MINUTE), UP, a=(30 * SECOND,))
        assert redelivered(found) == ["b", "a"]

    def test_keeps_its_pauses_where_github_tries_no_more_while_others_arrive(self) -> None:
        found = decide(tried("a", 502, 2 * HOUR), UP, a=(10 * MINUTE,) * 4)
        assert found.next_at == NOON + PAUSES[4] - 10 * MINUTE

    def test_is_forgotten_once_it_is_here(self) -> None:
        found = decide(tried("a", 502, HOUR), UP, known=frozenset({"a"}), a=(MINUTE,), b=(MINUTE,))
        assert found.asked == {}


class TestDown:
    """GitHub's latest attempt failed: perhaps nobody can be reached yet."""

    def test_a_few_find_out(self) -> None:
        found = decide(*(tried(f"{n:03}", 502, HOUR - n * SECOND) for n in range(300)))
        assert redelivered(found) == [f"{n:03}" for n in range(PROBES)]
        assert found.waiting == 300 - PROBES

    def test_one_that_arrived_tells_that_it_is_over(self) -> None:
        attempts = [tried(f"{n:03}", 502, HOUR - n * SECOND) for n in range(300)]
        found = decide(*attempts, known=frozenset({"000"}), **{"000": (SECOND,)})
        assert len(found.redeliver) == 299

    def test_what_we_answered_ourselves_is_no_outage(self) -> None:
        found = decide(*(tried(f"{n:03}", 401, HOUR - n * SECOND) for n in range(30)))
        assert len(found.redeliver) == 30


class TestMark:
    @pytest.mark.parametrize(
        ("attempts", "ago"),
        [
            pytest.param([], LAG, id="nothing-was-delivered"),
            pytest.param([tried("a", 202, HOUR)], LAG, id="all-were-taken"),
            pytest.param([tried("a", 502, HOUR)], HOUR, id="one-is-missing"),
            pytest.param([tried("a", 502, SECOND)], LAG, id="one-failed-just-now"),
            pytest.param(
                [tried("a", 502, 2 * HOUR), tried("b", 502, HOUR)], 2 * HOUR, id="the-oldest-counts"
            ),
            pytest.param(failing(3, HOUR), 3 * HOUR, id="its-first-attempt-counts"),
            pytest.param([tried("a", 415, HOUR)], LAG, id="it-is-hopeless"),
            pytest.param(failing(len(PAUSES) + 1, HOUR), LAG, id="it-was-given-up"),
            pytest.param([tried("a", 502, HOUR, event="star")], LAG, id="it-means-nothing"),
        ],
    )
    def test_passes_what_is_settled_or_given_up(self, attempts: list[Attempt], ago: timedelta) -> None:
        assert decide(*attempts, UP).mark == NOON - ago
