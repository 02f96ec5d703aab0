"""Did you mean ...: one letter away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.suggest import nearest, one_letter_apart


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("test", "tests", True),
        ("test", "tst", True),
        ("test", "best", True),
        ("test", "tset", True),
        ("test", "etst", True),
        ("test", "test", False),
        ("test", "tsets", False),
        ("test", "stet", False),
        ("test", "te", False),
        ("", "a", True),
        ("", "ab", False),
        ("ab", "ba", True),
        ("ok-to-tset", "ok-to-test", True),
        ("unit-test", "unit-tests", True),
        ("py311", "py312", False),
        ("py312", "py321", False),
        ("py3", "py31", False),
        ("re-test", "retest", False),
    ],
)
def test_one_letter(left: str, right: str, *, expected: bool) -> None:
    assert one_letter_apart(left, right) is expected
    assert one_letter_apart(right, left) is expected


def test_short_words_are_near_to_nothing() -> None:
    assert nearest("a", ["ab"]) is None
    assert nearest("ab", ["abc"]) is None


def test_of_several_the_first_by_name() -> None:
    assert nearest("cat", ["rat", "bat"]) == "bat"


@given(st.text("abcd", min_size=3, max_size=8), st.data())
def test_any_one_edit_is_found(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    ways = {
        word[:at] + word[at + 1 :],
        word[:at] + "x" + word[at:],
        word[:at] + "x" + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }
    for edited in ways - {word}:
        assert one_letter_apart(word, edited)


@given(st.text(max_size=10), st.lists(st.text(max_size=10), max_size=5))
def test_never_raises(word: str, known: list[str]) -> None:
    assert nearest(word, known) in {None, *known}
