from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given

from bot.report.logs.clean import LONGEST, clean_line, cleaned
from tests.report.hostile import hostile_text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        pytest.param("plain text", "plain text", id="nothing to do"),
        pytest.param("\x1b[1;31merror\x1b[0m: no", "error: no", id="colours"),
        pytest.param("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click", id="hyperlink"),
        pytest.param("\x1b]0;title\x07text", "text", id="window title"),
        pytest.param("\x1b]0;never ends", "0;never ends", id="unterminated title hides nothing"),
        pytest.param("\x9b31mred\x9b0m", "red", id="8-bit codes"),
        pytest.param("a\x1b(Bb\x1bcc", "abc", id="two-character escapes"),
        pytest.param("10%\r50%\r100% done", "100% done", id="progress bar keeps its last state"),
        pytest.param("100% done\r", "100% done", id="carriage return at the end"),
        pytest.param("done\r   \r", "done", id="a blank state shows nothing"),
        pytest.param("nul\x00 bell\x07 back\x08space\x7f", "nul bell backspace", id="control characters"),
        pytest.param("admin\u202egpj.exe", "admingpj.exe", id="right-to-left override"),
        pytest.param("a\u2066b\u2069c\u200bd\ufeffe", "abcde", id="isolates and zero width"),
        pytest.param("tag\U000e0041s", "tags", id="invisible tags"),
        pytest.param("a\u2028b\x85c\x0bd", "a b c d", id="other line ends are spaces"),
        pytest.param("half \ud83d", "half \ufffd", id="lone surrogate"),
        pytest.param("tab\tstays  ", "tab\tstays", id="tabs stay, trailing space goes"),
        pytest.param("naïve 漢字 ⚠️ 👩‍💻", "naïve 漢字 ⚠️ 👩‍💻", id="people's letters and emoji stay"),
    ],
)
def test_a_line_is_shown_as_a_terminal_would(written: str, seen: str) -> None:
    assert clean_line(written) == seen


@given(hostile_text)
def test_a_clean_line_holds_nothing_unseen(text: str) -> None:
    line = clean_line(text)
    assert clean_line(line) == line
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line if char != "\t")
    assert not any(
        unicodedata.bidirectional(char) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI"} for char in line
    )


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        pytest.param(["a", "b"], ["a", "b"], id="one line each"),
        pytest.param(["a\nb\r\nc\n"], ["a", "b", "c"], id="several in one"),
        pytest.param(["", "\n"], ["", ""], id="empty ones"),
        pytest.param(["10%\r20%\r"], ["20%"], id="a progress bar"),
        pytest.param(["key=\x1b[31mhunter2\x1b[0m"], ["key=[redacted]"], id="a secret in colours"),
        pytest.param(["hun\nter2"], ["hun", "ter2"], id="lines are told apart"),
    ],
)
def test_a_log_is_cleaned_line_by_line(texts: list[str], lines: list[str]) -> None:
    assert list(cleaned(texts, ["hunter2"])) == lines


def test_of_a_huge_line_both_ends_are_shown() -> None:
    (line,) = cleaned(["begin " + "x" * 1_000_000 + " end"])
    assert line.startswith("begin xxx")
    assert line.endswith("xxx end")
    assert len(line) <= LONGEST + 10
