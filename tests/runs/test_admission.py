"""Whose turn it is: first in, first out; never more than a limit; freed places are used."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.claims import Need, QueuedRun, Turn
from bot.models import Limit
from bot.runs.admission import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ONE = Limit("pipeline:42:e2e", 1)
THREE = Limit("repository:42", 3)
MISSING, PENDING, PASSED, FAILED = Need


def waiting(
    run_id: str, *limits: Limit, needs: Mapping[str, Need] | None = None, note: str = ""
) -> QueuedRun:
    return QueuedRun(run_id, limits, needs or {}, note)


def admitted(run_id: str) -> Turn:
    return Turn(run_id, admitted=True)


def waits(run_id: str, note: str) -> Turn:
    return Turn(run_id, admitted=False, note=note)


def test_a_run_without_limits_and_needs_starts() -> None:
    assert judge([waiting("a")], {"installation": 99}) == [admitted("a")]


def test_nobody_waits() -> None:
    assert judge([], {"installation": 1}) == []


class TestALimit:
    def test_lets_as_many_in_as_it_has_places(self) -> None:
        assert judge([waiting(name, THREE) for name in "abc"], {THREE.key: 1}) == [
            admitted("a"),
            admitted("b"),
            waits("c", "queued: 1 ahead"),
        ]

    def test_says_how_many_must_end_before(self) -> None:
        assert judge([waiting(name, ONE) for name in "abc"], {ONE.key: 1}) == [
            waits("a", "queued: 1 ahead"),
            waits("b", "queued: 2 ahead"),
            waits("c", "queued: 3 ahead"),
        ]

    def test_of_several_the_fullest_is_told(self) -> None:
        turns = judge([waiting("a", ONE, THREE)], {ONE.key: 1, THREE.key: 5})
        assert turns == [waits("a", "queued: 3 ahead")]

    def test_that_is_full_leaves_the_places_of_others_to_those_behind(self) -> None:
        turns = judge([waiting("a", ONE, THREE), waiting("b", THREE)], {ONE.key: 1, THREE.key: 1})
        assert turns == [waits("a", "queued: 1 ahead"), admitted("b")]

    def test_that_was_lowered_lets_nobody_in_until_there_is_room(self) -> None:
        assert judge([waiting("a", ONE)], {ONE.key: 4}) == [waits("a", "queued: 4 ahead")]


class TestNeeds:
    @pytest.mark.parametrize("need", [MISSING, PENDING])
    def test_are_waited_for(self, need: Need) -> None:
        assert judge([waiting("a", needs={"unit": need})], {}) == [waits("a", "waits for unit")]

    def test_are_all_told(self) -> None:
        needs = {"unit": PENDING, "lint": PASSED, "docs": MISSING, "e2e": PENDING}
        assert judge([waiting("a", needs=needs)], {}) == [waits("a", "waits for unit, docs and e2e")]

    def test_that_passed_let_it_start(self) -> None:
        assert judge([waiting("a", ONE, needs={"unit": PASSED})], {}) == [admitted("a")]

    def test_that_passed_do_not_jump_the_queue(self) -> None:
        turns = judge([waiting("a", ONE, needs={"unit": PASSED})], {ONE.key: 1})
        assert turns == [waits("a", "queued: 1 ahead")]

    @pytest.mark.parametrize(
        ("needs", "refusal"),
        [
            ({"unit": FAILED}, "not run: it needs unit, which failed"),
            ({"unit": FAILED, "lint": PENDING}, "not run: it needs unit, which failed"),
            ({"unit": FAILED, "lint": FAILED}, "not run: it needs unit and lint, which failed"),
        ],
        ids=["one", "whatever the others do", "two"],
    )
    def test_that_failed_refuse_it(self, needs: Mapping[str, Need], refusal: str) -> None:
        assert judge([waiting("a", needs=needs)], {}) == [Turn("a", admitted=False, refusal=refusal)]

    def test_keep_no_place_from_what_they_wait_for(self) -> None:
        """Or a limit of one would never let anything run again."""
        turns = judge([waiting("e2e", THREE, ONE, needs={"unit": PENDING}), waiting("unit", THREE, ONE)], {})
        assert turns == [waits("e2e", "waits for unit"), admitted("unit")]


@pytest.mark.parametrize(
    "queue",
    [
        [waiting("a", ONE, note="queued: 1 ahead"), waiting("b", ONE, note="queued: 2 ahead")],
        [waiting("a", needs={"unit": MISSING}, note="waits for unit")],
    ],
    ids=["queued", "needs"],
)
def test_what_is_told_already_is_not_told_again(queue: Sequence[QueuedRun]) -> None:
    assert judge(queue, {ONE.key: 1}) == []


LIMITS = st.sampled_from(
    [
        (
            Limit("installation", 2),
            Limit(f"repository:{repository}", most),
            Limit(f"pipeline:{repository}:{pipeline}", at_once),
        )
        for repository, most in ((1, 1), (2, 2))
        for pipeline, at_once in ((1, 1), (2, 2), (3, 1))
    ]
)
"""As they are configured: a pipeline's lies within its repository's, that in the installation's."""

NEEDS = st.dictionaries(st.sampled_from(["unit", "lint"]), st.sampled_from(Need), max_size=2)
QUEUES = st.lists(st.tuples(LIMITS, NEEDS), max_size=12).map(
    lambda drawn: [
        waiting(f"run-{number:02}", *limits, needs=needs) for number, (limits, needs) in enumerate(drawn)
    ]
)
COUNTS = st.dictionaries(
    st.sampled_from(["installation", "repository:1", "repository:2", "pipeline:1:1", "pipeline:2:3"]),
    st.integers(0, 3),
)


def places(queue: Sequence[QueuedRun], counts: Mapping[str, int], turns: Sequence[Turn]) -> Counter[str]:
    """The places that are taken once the turns were carried out."""
    let_in = {turn.run_id for turn in turns if turn.admitted}
    return Counter(counts) + Counter(limit.key for run in queue if run.id in let_in for limit in run.limits)


@given(QUEUES, COUNTS)
def test_there_are_never_more_than_the_limit(queue: Sequence[QueuedRun], counts: Mapping[str, int]) -> None:
    taken = places(queue, counts, judge(queue, counts))
    for run in queue:
        for limit in run.limits:
            assert taken[limit.key] <= max(limit.most, counts.get(limit.key, 0))


@given(QUEUES, COUNTS)
def test_no_place_stays_free_that_somebody_waits_for(
    queue: Sequence[QueuedRun], counts: Mapping[str, int]
) -> None:
    turns = {turn.run_id: turn for turn in judge(queue, counts)}
    taken = places(queue, counts, list(turns.values()))
    for run in queue:
        if turns[run.id].note.startswith("queued"):
            assert any(taken[limit.key] >= limit.most for limit in run.limits)


@given(QUEUES, COUNTS)
def test_of_two_that_differ_in_nothing_else_the_older_one_is_first(
    queue: Sequence[QueuedRun], counts: Mapping[str, int]
) -> None:
    turns = {turn.run_id: turn for turn in judge(queue, counts)}
    for older in queue:
        for newer in queue:
            alike = {*older.limits} == {*newer.limits} and older.needs == newer.needs
            if alike and older.id < newer.id and turns[newer.id].admitted:
                assert turns[older.id].admitted


@given(QUEUES, COUNTS, st.permutations(range(3)))
def test_the_order_of_a_runs_limits_does_not_matter(
    queue: Sequence[QueuedRun], counts: Mapping[str, int], order: Sequence[int]
) -> None:
    shuffled = [replace(run, limits=tuple(run.limits[index] for index in order)) for run in queue]
    assert judge(shuffled, counts) == judge(queue, counts)


@given(QUEUES, COUNTS)
def test_a_second_look_changes_nothing(queue: Sequence[QueuedRun], counts: Mapping[str, int]) -> None:
    turns = {turn.run_id: turn for turn in judge(queue, counts)}
    left = [
        replace(run, note=turns[run.id].note)
        for run in queue
        if not turns[run.id].admitted and not turns[run.id].refusal
    ]
    assert judge(left, places(queue, counts, list(turns.values()))) == []


@given(QUEUES, st.lists(LIMITS, min_size=30, max_size=30))
def test_nobody_starves_however_many_come_after(
    queue: Sequence[QueuedRun], later: Sequence[tuple[Limit, ...]]
) -> None:
    """Whenever a run ends, a new one comes."""
    line = [replace(run, needs={}) for run in queue]
    running: list[QueuedRun] = []
    for number, limits in enumerate(later):
        taken = Counter(limit.key for run in running for limit in run.limits)
        let_in = {turn.run_id for turn in judge(line, taken) if turn.admitted}
        running += [run for run in line if run.id in let_in]
        line = [run for run in line if run.id not in let_in]
        line.append(waiting(f"run-{100 + number}", *limits))
        del running[:1]
    first = {run.id for run in queue}
    assert not [run for run in line if run.id in first]
