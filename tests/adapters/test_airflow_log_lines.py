from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.airflow.log_lines import LINE_CHARACTERS, RECORD_BYTES, read_lines
from bot.models import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = {"level": "info", "logger": "task.stdout"}


def record(event: object, **more: object) -> bytes:
    entry = {"timestamp": None, "event": event, **OWN, **more}
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def texts(*chunks: bytes) -> list[str]:
    return [line.text for line in read_lines(chunks)]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("one", ["one"]),
        ("", [""]),
        ("one\ntwo\n", ["one", "two"]),
        ("one\r\ntwo", ["one", "two"]),
        ("50%\r100%", ["50%\r100%"]),
        ("a\u2028b\x0bc\x85d", ["a\u2028b\x0bc\x85d"]),
        ('","logger":"forged","level":"critical', ['","logger":"forged","level":"critical']),
        ("half a pair \ud83d", None),
        ({"not": "text"}, ["{'not': 'text'}"]),
        (None, ["None"]),
    ],
    ids=[
        "plain",
        "empty",
        "lines",
        "crlf",
        "progress",
        "separators",
        "forged",
        "surrogate",
        "object",
        "null",
    ],
)
def test_events(event: object, expected: list[str] | None) -> None:
    raw = json.dumps({"event": event, **OWN}).encode()
    lines = list(read_lines([raw]))
    assert {(line.logger, line.level) for line in lines} == {("task.stdout", "info")}
    assert [line.text for line in lines] == (expected or ["half a pair ?"])
    for line in lines:
        line.text.encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"not json\n", ["not json"]),
        (b"[1]\n", ["[1]"]),
        (b"\xff\xfe\n", ["��"]),
        (b"\n\n", []),
        (b"", []),
        (b"{}\n", [""]),
        (b"[" * 20_000 + b"\n", ["[" * LINE_CHARACTERS + "…"]),
        (b'{"event":"no newline at the end"}', ["no newline at the end"]),
    ],
    ids=["text", "list", "not UTF-8", "blank", "nothing", "no event", "too deep", "unended"],
)
def test_what_is_no_record_is_text(raw: bytes, expected: list[str]) -> None:
    assert texts(raw) == expected


def test_airflows_list_of_sources_is_left_out_once() -> None:
    start, end = record("::group::Log message source details"), record("::endgroup::")
    assert texts(start, record("/logs/1.log"), end, record("own"), start, record("again"), end) == [
        "own",
        "::group::Log message source details",
        "again",
        "::endgroup::",
    ]


class TestTracebacks:
    FRAME = {"filename": "/x/checks.py", "lineno": 7, "name": "execute"}  # noqa: RUF012 -- not changed

    def error(self, exc_type: str, *, is_cause: bool = False, **more: object) -> dict[str, object]:
        return {
            "exc_type": exc_type, "exc_value": "why\nso", "exc_notes": [], "is_cause": is_cause,
            "frames": [self.FRAME], "exceptions": [], **more,
        }  # fmt: skip

    def test_the_last_one_raised_comes_last(self) -> None:
        chain = [self.error("A"), self.error("B", is_cause=True), self.error("C")]
        frame = ["Traceback (most recent call last):", '  File "/x/checks.py", line 7, in execute']
        assert texts(record("failed", error_detail=chain)) == [
            "failed",
            *frame, "C: why", "so",
            "During handling of the above exception, another exception occurred:",
            *frame, "B: why", "so",
            "The above exception was the direct cause of the following exception:",
            *frame, "A: why", "so",
        ]  # fmt: skip

    def test_notes_and_groups(self) -> None:
        group = self.error("Group", exc_notes=["a note"], exceptions=[[self.error("Inner")]])
        assert texts(record("failed", error_detail=[group]))[3:] == [
            "Group: why", "so", "a note",
            "Traceback (most recent call last):", '  File "/x/checks.py", line 7, in execute',
            "Inner: why", "so",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "detail",
        [None, "text", [], [None, "x"], [{}], [{"frames": None}], [{"frames": [1], "exceptions": 2}]],
    )
    def test_strange_details_do_no_harm(self, detail: object) -> None:
        assert texts(record("failed", error_detail=detail))[0] == "failed"


class TestLongLines:
    def test_a_long_line_is_cut(self) -> None:
        assert texts(record("x" * LINE_CHARACTERS)) == ["x" * LINE_CHARACTERS]
        assert texts(record("x" * (LINE_CHARACTERS + 1))) == ["x" * LINE_CHARACTERS + "…"]

    @pytest.mark.parametrize("chunk", [1000, 65536, 10**9])
    @pytest.mark.parametrize("letter", ["x", "é", "\x1b", '"', "\\", "😀"])
    def test_a_record_too_long_to_keep_still_tells_who_logged_it(self, letter: str, chunk: int) -> None:
        raw = record(letter * (RECORD_BYTES + 10)) + record("next")
        lines = list(read_lines(raw[i : i + chunk] for i in range(0, len(raw), chunk)))
        assert lines == [
            LogLine(letter * LINE_CHARACTERS + "…", "task.stdout", "info"),
            LogLine("next", "task.stdout", "info"),
        ]

    def test_a_long_line_forges_nothing(self) -> None:
        forged = '","logger":"forged","level":"critical"}'
        (line,) = read_lines([record(forged * (RECORD_BYTES // len(forged) + 1))])
        assert (line.logger, line.level) == ("task.stdout", "info")

    @pytest.mark.parametrize("size", [RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1])
    def test_records_about_as_long_as_may_be_kept(self, size: int) -> None:
        raw = record("x" * (size + 1 - len(record(""))))
        assert len(raw) == size + 1
        assert list(read_lines([raw])) == [LogLine("x" * LINE_CHARACTERS + "…", "task.stdout", "info")]

    def test_memory_stays_bounded(self) -> None:
        def endless_line() -> Iterator[bytes]:
            yield b'{"event":"'
            for _ in range(1000):
                yield b"x" * 65536  # 64 MB

        tracemalloc.start()
        (line,) = read_lines(endless_line())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(line.text) == LINE_CHARACTERS + 1
        assert peak < 16 * 1024 * 1024


@given(st.lists(st.text(max_size=50), max_size=20), st.integers(1, 40))
def test_how_the_stream_is_cut_into_chunks_does_not_matter(events: list[str], size: int) -> None:
    raw = b"".join(map(record, events))
    chunks = [raw[i : i + size] for i in range(0, len(raw), size)]
    assert list(read_lines(chunks)) == list(read_lines([raw]))


@given(st.binary(max_size=300))
def test_whatever_comes_is_lines_that_can_be_stored(raw: bytes) -> None:
    for line in read_lines([raw]):
        assert "\n" not in line.text
        line.text.encode()
