"""What is cut from a long description is never a part of a name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.statuses.description import NAME_LIMIT, short_name, shorten

LONG = "integration tests of the whole thing"
WORDS = st.text(alphabet="abcXYZ019-_.@/", min_size=1, max_size=NAME_LIMIT)


@pytest.mark.parametrize(
    ("text", "limit", "names", "short"),
    [
        pytest.param("3 steps passed", 140, [], "3 steps passed", id="short enough"),
        pytest.param("one two three four five six", 20, [], "one two … six", id="between words"),
        pytest.param(f"a {LONG} b", 30, [LONG], "a … b", id="a name with spaces goes as a whole"),
        pytest.param(
            f"by @{'m' * 39} because of this and that", 60, [], "by … of this and that", id="so do people"
        ),
        pytest.param("x" * 50, 20, [], "x" * 11 + "…" + "x" * 6, id="no name is that long"),
        pytest.param("anything", 3, [], "…", id="no room"),
        pytest.param("anything", 0, [], "", id="none at all"),
    ],
)  # fmt: skip
def test_cases(text: str, limit: int, names: list[str], short: str) -> None:
    assert shorten(text, limit, names) == short


def test_a_name_that_is_too_long_is_cut_in_its_own_middle() -> None:
    name = "test " + "x" * 200 + " end"
    said = shorten(f"{name} failed: exit 1", 140, [name])
    assert said == f"{short_name(name)} failed: exit 1"
    assert len(short_name(name)) <= NAME_LIMIT


@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(0, 200))
def test_words_are_whole_or_gone(words: list[str], limit: int) -> None:
    text = " ".join(words)
    short = shorten(text, limit)
    assert len(short) <= limit
    assert set(short.replace("…", " ").split()) <= set(words)
    if len(text) <= limit:
        assert short == text


@given(
    st.lists(st.sampled_from(["alpha beta", "gamma delta epsilon", "zeta eta theta iota"]), max_size=12),
    st.integers(20, 140),
)
def test_names_of_several_words_are_whole_or_gone(names: list[str], limit: int) -> None:
    short = shorten("; ".join(f"{name} failed" for name in names), limit, names)
    assert len(short) <= limit
    rest = re.sub("alpha beta|gamma delta epsilon|zeta eta theta iota|failed|[;… ]", "", short)
    assert rest == ""
