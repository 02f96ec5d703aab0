"""Reading `.env`."""

from __future__ import annotations

import pytest

from deploy.local import dotenv
from deploy.local.errors import StackError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NAME=value", "value"),
        ("  NAME = value  ", "value"),
        ("export NAME=value", "value"),
        ("NAME=several words", "several words"),
        ("NAME=value # a comment", "value"),
        ("NAME='value # no comment'", "value # no comment"),
        ('NAME="it\'s"  # a comment', "it's"),
        ("NAME=a=b", "a=b"),
        ("NAME=$HOME/{x}", "$HOME/{x}"),
        ("# NAME=other\n\nNAME=value\n", "value"),
        ("NAME=first\nNAME=second", "second"),
    ],
    ids=repr,
)
def test_a_value(text: str, value: str) -> None:
    assert dotenv.parse(text) == {"NAME": value}


@pytest.mark.parametrize(
    "text", ["", "\n", "# NAME=value", "NAME=", "NAME=''", "NAME=   # nothing yet"], ids=repr
)
def test_no_value(text: str) -> None:
    assert dotenv.parse(text) == {}


@pytest.mark.parametrize("line", ["secret", "NAME: secret", "1NAME=secret", "NAME='secret", 'NAME="sec"ret"'])
def test_what_cannot_be_read_is_named_by_its_number_only(line: str) -> None:
    with pytest.raises(StackError, match="line 2") as caught:
        dotenv.parse(f"GOOD=1\n{line}")
    assert "secret" not in str(caught.value)
