from __future__ import annotations

import pytest
from hypothesis import given

from bot.prose import strip_codes
from bot.report.logs.command import shown_command, spelt_out
from tests.report.hostile import hostile_text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("pytest -q 'a b'", "pytest -q 'a b'", id="as it is"),
        pytest.param("bash -c 'a  \n\n\tb'", "bash -c 'a  \n\n\tb'", id="lines, tabs and spaces within"),
        pytest.param("\n ls \n", "ls", id="nothing around it"),
        pytest.param("rm -rf x\rls", "rm -rf x<U+000D>ls", id="a line that overwrites itself"),
        pytest.param("echo \u202egpj.exe", "echo <U+202E>gpj.exe", id="right-to-left override"),
        pytest.param("ech\u200bo \u00ad\ufeff", "ech<U+200B>o <U+00AD><U+FEFF>", id="characters of no width"),
        pytest.param("ls\u00a0-l", "ls<U+00A0>-l", id="a space that is none"),
        pytest.param("\x1b[31mred\x9b0m", "<U+001B>[31mred<U+009B>0m", id="terminal codes"),
        pytest.param("a\u2028b\x85c\0", "a<U+2028>b<U+0085>c<U+0000>", id="other line ends and NUL"),
        pytest.param("half \ud83d", "half <U+D83D>", id="half of a character"),
        pytest.param("echo naïve 漢字", "echo naïve 漢字", id="people's letters"),
        pytest.param(
            "git clone https://u:hunter22@h.example",
            "git clone https://u:[redacted]@h.example",
            id="a password",
        ),
        pytest.param(
            "curl -H 'X-Api-Key: our-own-secret'", "curl -H 'X-Api-Key: [redacted]'", id="a secret of ours"
        ),
    ],
)
def test_a_command_is_exact_but_for_what_can_not_be_shown(written: str, shown: str) -> None:
    assert shown_command(written, ["our-own-secret"]) == shown


@given(hostile_text)
def test_what_is_spelt_out_holds_nothing_unseen(text: str) -> None:
    seen = spelt_out(text)
    assert spelt_out(seen) == seen
    assert strip_codes(seen) == seen
    assert all(char in "\t\n" or char.isprintable() for char in seen)
