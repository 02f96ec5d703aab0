"""The regular expressions of inputs: the whole text has to match, and none takes long."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.configuration.regex import Regex


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"v?\d+\.\d+\.\d+(-[a-z0-9.]+)?", "v1.20.3-rc.1", True),
        (r"v?\d+\.\d+\.\d+(-[a-z0-9.]+)?", "v1.20", False),
        ("^main$", "main", True),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("a|b", "xb", False),
        ("[0-9a-f]{7,40}", "1a2b3c4", True),
        ("[0-9a-f]{7,40}", "1a2b3c", False),
        ("main", "main\n", False),
        ("", "", True),
        (".", "\n", False),
        (".", "\ud800", False),
    ],
)
def test_the_whole_text_matches(pattern: str, text: str, *, expected: bool) -> None:
    assert Regex.parse(pattern).matches(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "(a",
        "a)",
        "a)|(b",
        "*a",
        "a{3,2}",
        "[a",
        "[b-a]",
        "(?=a)",
        "(?<=a)b",
        r"(a)\1",
        "a\\",
        r"\pL{140}N",
        "\ud800",
    ],
)
def test_what_it_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="can't be used"):
        Regex.parse(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)*b", "((a?){20})*a{20}b", ".*.*.*.*.*b"])
def test_what_makes_others_explode_ends(pattern: str) -> None:
    assert not Regex.parse(pattern).matches("a" * 200)


@given(st.text("ab()[]{}|*+?.^$\\,-123:!=<Pdw", max_size=20), st.text("ab-1", max_size=5))
def test_nothing_breaks_out_of_the_whole(pattern: str, text: str) -> None:
    with suppress(ValueError, re.error):
        if Regex.parse(pattern).matches(text):
            assert re.fullmatch(f"(?:{pattern})", text, re.ASCII), (pattern, text)
