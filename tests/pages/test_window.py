"""Parts of a log, and what somebody looks for in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pages.logs import Lines
from bot.pages.window import SIZE, search, searched, window


def lines(count: int, first: int = 1) -> Lines:
    return Lines(first, tuple(f"line {number}" for number in range(first, first + count)))


@pytest.mark.parametrize(
    ("of", "start", "first", "last", "older", "newer"),
    [
        (lines(10), None, 1, 10, None, None),
        (lines(10), 4, 4, 10, 1, None),
        (lines(10), 99, 10, 10, 1, None),
        (lines(3_500), None, 2_501, 3_500, 1_501, None),
        (lines(3_500), 1, 1, 1_000, None, 1_001),
        (lines(3_500), 501, 501, 1_500, 1, 1_501),
        (lines(3_500, first=101), None, 2_601, 3_600, 1_601, None),
        (lines(3_500, first=101), 1, 101, 1_100, None, 1_101),
    ],
)
def test_a_window_lies_where_it_was_asked_for(  # noqa: PLR0917 - a table of cases
    of: Lines, start: int | None, first: int, last: int, older: int | None, newer: int | None
) -> None:
    found = window(of, start)
    assert (found.lines[0].number, found.lines[-1].number) == (first, last)
    assert (found.older, found.newer) == (older, newer)
    assert found.lines[0].parts == (f"line {first}",)


@given(st.integers(0, 6_000), st.integers(1, 500), st.none() | st.integers(0, 10**9))
def test_windows_are_bounded_and_lead_through_the_whole_log(
    count: int, first: int, start: int | None
) -> None:
    of = lines(count, first)
    found = window(of, start)
    assert len(found.lines) <= SIZE
    assert bool(found.lines) == bool(count)
    seen = {line.number for line in found.lines}
    while found.older is not None:
        found = window(of, found.older)
        seen |= {line.number for line in found.lines}
    while found.newer is not None:
        found = window(of, found.newer)
        seen |= {line.number for line in found.lines}
    assert seen == set(range(first, first + count))


def test_a_search_finds_lines_with_some_around_them() -> None:
    hits = search(
        Lines(101, ("a", "b", "c", "Error: x", "d", "e", "f", "g", "an error, an ERROR", "h")), "error"
    )
    assert [[line.number for line in group] for group in hits.groups] == [
        [102, 103, 104, 105, 106, 107, 108, 109, 110]
    ]
    assert [line.number for group in hits.groups for line in group if line.match] == [104, 109]
    assert hits.groups[0][7].parts == ["an ", "error", ", an ", "ERROR", ""]
    assert (hits.shown, hits.total) == (2, 2)


def test_far_ones_are_groups_of_their_own() -> None:
    texts = ["x"] * 20
    texts[3] = texts[15] = "here"
    groups = search(Lines(1, tuple(texts)), "here").groups
    assert [(group[0].number, group[-1].number) for group in groups] == [(2, 6), (14, 18)]


def test_of_too_many_only_the_first_are_shown() -> None:
    hits = search(Lines(1, ("hit",) * 1_000), "hit")
    assert (hits.shown, hits.total) == (200, 1_000)
    assert sum(map(len, hits.groups)) == 202


@pytest.mark.parametrize("wanted", ["a.c", "(", "[", "\\", ".*", "a+"])
def test_what_is_looked_for_is_text_and_no_pattern(wanted: str) -> None:
    assert search(Lines(1, ("abc", "aac")), wanted).total == 0
    assert search(Lines(1, (f"x{wanted}y",)), wanted).total == 1


@given(st.lists(st.text(max_size=30), max_size=60), st.text(min_size=1, max_size=3))
def test_a_search_loses_nothing_of_a_line(texts: list[str], wanted: str) -> None:
    hits = search(Lines(1, tuple(texts)), wanted)
    for group in hits.groups:
        for line in group:
            assert "".join(line.parts) == texts[line.number - 1]
    assert hits.total >= sum(wanted in text for text in texts)


@pytest.mark.parametrize(
    ("given", "wanted"), [("  a ", "  a "), ("a\x00\u202eb", "ab"), ("\r\n", ""), ("x" * 999, "x" * 200)]
)
def test_what_is_looked_for_could_stand_in_a_log(given: str, wanted: str) -> None:
    assert searched(given) == wanted
