"""Filters of a list of runs, as an address holds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.claims import RunQuery
from bot.models import Outcome
from bot.pages.filters import STATES, read_filters

NAMES = ("repository", "pull", "pipeline", "branch", "state", "author", "after")


def test_each_narrows_the_list() -> None:
    filters = read_filters(
        {
            "repository": "acme/widgets",
            "pull": "12",
            "pipeline": "unit",
            "branch": "main",
            "state": "failure",
            "author": "alice",
            "after": "77",
        }
    )
    assert filters.query(frozenset({5}), 50) == RunQuery(
        repository="acme/widgets",
        number=12,
        pipeline="unit",
        branch="main",
        state="failure",
        author="alice",
        after=77,
        most=50,
        private=frozenset({5}),
    )
    assert filters.problem == ""


def test_none_is_all() -> None:
    assert read_filters({}).query(frozenset(), 50) == RunQuery()
    assert read_filters({}).chosen == {}


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"pull": " #12 "}, RunQuery(number=12)),
        ({"author": "@alice"}, RunQuery(author="alice")),
        ({"author": "dependabot[bot]"}, RunQuery(author="dependabot[bot]")),
        ({"repository": "  acme/widgets\n"}, RunQuery(repository="acme/widgets")),
        ({"pipeline": "a\x00b"}, RunQuery(pipeline="ab")),
        ({"after": "-1"}, RunQuery()),
        ({"after": "9" * 30}, RunQuery()),
        ({"after": "x"}, RunQuery()),
        ({"after": "٣"}, RunQuery()),
        ({"author": "x" * 5_000}, RunQuery(author="x" * 200)),
        ({"unknown": "x"}, RunQuery()),
    ],
)
def test_people_write_them_in_their_own_way(given: dict[str, str], query: RunQuery) -> None:
    filters = read_filters(given)
    assert filters.query(frozenset(), 50) == query
    assert filters.problem == ""


@pytest.mark.parametrize(
    "given", [{"pull": "twelve"}, {"pull": "-5"}, {"pull": "9" * 11}, {"state": "red"}, {"pull": "٣"}]
)
def test_what_can_match_nothing_is_said(given: dict[str, str]) -> None:
    (value,) = given.values()
    assert value in read_filters(given).problem


def test_every_outcome_and_what_is_not_finished_can_be_chosen() -> None:
    assert set(STATES) == {"unfinished", *(outcome.value for outcome in Outcome)}
    assert not any(read_filters({"state": state}).problem for state in STATES)


@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_whatever_is_written_an_address_says_it_again(given: dict[str, str]) -> None:
    filters = read_filters(given)
    again = read_filters(
        filters.chosen | ({"after": str(filters.after)} if filters.after is not None else {})
    )
    assert again == filters
    assert not any("\x00" in value for value in filters.chosen.values())
