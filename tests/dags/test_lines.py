import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.lines import BoundedLines, Lines


def lines_of(*chunks: bytes, limit: int = 8000) -> list[str]:
    lines = Lines(limit)
    return [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.end())


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([b"one\ntwo\n"], ["one", "two"], id="lines"),
        pytest.param([b"one\n\ntwo"], ["one", "", "two"], id="empty line, no newline at the end"),
        pytest.param([b"on", b"e\nt", b"wo"], ["one", "two"], id="chunks"),
        pytest.param([b"one\r\ntwo\r\n"], ["one", "two"], id="Windows"),
        pytest.param([b"10%\r50%\r100%\n"], ["100%"], id="a progress bar shows its last state"),
        pytest.param([b"10%\r", b"50%\r", b"100%\r"], ["100%"], id="a progress bar without a newline"),
        pytest.param([b"\xff\xfe\n"], ["\ufffd\ufffd"], id="bad UTF-8"),
        pytest.param([b"\xe2\x82", b"\xac\n"], ["\u20ac"], id="a character in two chunks"),
        pytest.param([b"\xe2\x82"], ["\ufffd"], id="half a character at the end"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_output_becomes_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert lines_of(*chunks) == expected


def test_a_long_line_is_split_as_it_comes() -> None:
    lines = Lines(limit=10)
    assert list(lines.feed(b"x" * 25)) == ["x" * 10, "x" * 10]
    assert list(lines.feed(b"y\n")) == ["xxxxxy"]


def test_an_endless_progress_bar_takes_no_memory() -> None:
    lines = Lines(limit=100)
    assert [line for number in range(1000) for line in lines.feed(f"{number}%\r".encode())] == []
    assert list(lines.end()) == ["999%"]


@given(st.lists(st.binary(max_size=40)), st.integers(1, 20))
def test_no_line_is_longer_than_the_limit(chunks: list[bytes], limit: int) -> None:
    lines = lines_of(*chunks, limit=limit)
    assert all(len(line) <= limit and "\n" not in line for line in lines)


@given(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), st.integers(1, 7))
def test_chunks_do_not_change_what_a_line_says(text: str, size: int) -> None:
    data = text.encode()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    assert "".join(lines_of(*chunks)) == text


REMARK = "[more than 10 bytes of output: the rest is left out, but for its end]"


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([b"one\ntwo\n"], ["one", "two"], id="within"),
        pytest.param([b"123456789\n"], ["123456789"], id="exactly"),
        pytest.param([b"123456789\n", b"a\nb\n"], ["123456789", REMARK, "a", "b"], id="all of the rest fits"),
        pytest.param(
            [b"one\ntwo\nthree\nfour\n"], ["one", "two", "th", REMARK, "ree", "four"], id="cut in a line"
        ),
        pytest.param(
            [b"123456789\n", *[b"more\n"] * 1000, b"the last\n"],
            ["123456789", REMARK, "more", "the last"],
            id="only the end of the rest, from a whole line on",
        ),
    ],
)
def test_output_beyond_its_bound(chunks: list[bytes], expected: list[str]) -> None:
    lines = BoundedLines(10, tail=16)
    assert [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.end()) == expected


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30), st.integers(1, 30))
def test_no_more_is_kept_than_asked(chunks: list[bytes], most: int, tail: int) -> None:
    lines = BoundedLines(most, tail)
    heard = [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.end())
    assert sum(len(line) for line in heard if not line.startswith("[more than")) <= most + tail
