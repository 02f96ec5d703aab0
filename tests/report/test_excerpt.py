from __future__ import annotations

import tracemalloc
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.excerpt import LINE_WIDTH, excerpt, tail
from bot.report.matchers import MATCHERS
from tests.report.hostile import hostile_text
from tests.report.snapshots import HERE, assert_is_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGS = sorted((HERE / "logs").glob("*.log"))


@pytest.mark.parametrize("log", LOGS, ids=[log.stem for log in LOGS])
def test_the_lines_that_matter_in_the_log_of(log: Path) -> None:
    """Each `logs/*.log` has its excerpt beside it: to add a tool, add a log and a row to MATCHERS."""
    shown = excerpt(log.read_text().splitlines())
    assert_is_snapshot(f"logs/{log.stem}.excerpt", "\n".join(shown) + "\n")


def noise(count: int) -> Iterator[str]:
    return (f"compiling module {number}" for number in range(count))


def test_the_failure_is_found_wherever_it_is() -> None:
    log = [*noise(500), "src/app.py:3: error: no such thing", *noise(500)]
    assert excerpt(log)[:4] == (
        "src/app.py:3: error: no such thing",
        "compiling module 0",
        "compiling module 1",
        "⋯",
    )


def test_without_anything_that_stands_out_the_last_20_lines_are_shown() -> None:
    assert excerpt(noise(100)) == tuple(f"compiling module {number}" for number in range(80, 100))


def test_an_empty_log_has_an_empty_excerpt() -> None:
    assert excerpt([]) == ()
    assert excerpt(["", "   ", "\x1b[0m"]) == ()


def test_of_many_compiler_errors_the_first_are_shown() -> None:
    shown = excerpt([f"a.c:{number}:1: error: no" for number in range(1000)], limit_lines=10)
    assert shown[:5] == tuple(f"a.c:{number}:1: error: no" for number in range(5))


def test_of_a_long_traceback_the_end_is_shown() -> None:
    frames = chain.from_iterable((f'  File "a.py", line {n}, in f', f"    f({n})") for n in range(500))
    shown = excerpt(
        ["Traceback (most recent call last):", *frames, "RecursionError: too deep"], limit_lines=8
    )
    assert shown[-1] == "RecursionError: too deep"
    assert len(shown) <= 8


def test_of_several_tracebacks_the_last_is_shown() -> None:
    one = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "ValueError: {}"]
    log = [line.format(number) for number in range(50) for line in (*one, "carrying on")]
    assert excerpt(log, limit_lines=6)[-3:] == (*one[:2], "ValueError: 49")


def test_the_same_complaint_is_shown_once() -> None:
    shown = excerpt(["error: disk full"] * 1000 + ["done"])
    assert shown == ("error: disk full", "⋯", "done")


def test_no_matcher_takes_all_the_room() -> None:
    log = [f"FAILED tests/test_a.py::test_{number}" for number in range(100)] + ["make: *** [test] Error 1"]
    shown = excerpt(log, limit_lines=10)
    assert "make: *** [test] Error 1" in shown


def test_a_progress_bar_and_colours_are_shown_as_a_terminal_would() -> None:
    log = ["10%\r60%\r100%\r", "::group::noise", "\x1b[31merror:\x1b[0m no\x07 space"]
    assert excerpt(log) == ("100%", "error: no space")


def test_an_over_long_line_is_cut_in_the_middle() -> None:
    (line,) = excerpt(["error: " + "x" * 16_000 + " the end"])
    assert line.startswith("error: xxx")
    assert line.endswith("x the end")
    assert len(line) <= LINE_WIDTH


def test_secrets_never_get_in() -> None:
    token = "ghp_" + "a1B2" * 9
    log = [f"error: {token}", "error: hunter2 is wrong", "x" * 380 + token + "y" * 380]
    shown = "\n".join(excerpt(log, secrets=["hunter2"]))
    assert "a1B2" not in shown
    assert "error: [redacted] is wrong" in shown


def test_a_private_key_is_no_context_of_an_error() -> None:
    begin, end = ("-----" + word + " PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    assert excerpt(["error: bad key", begin, "A" * 64, end, "stop"]) == (
        "error: bad key",
        "[redacted]",
        "stop",
    )


@given(
    st.lists(
        st.one_of(hostile_text, st.sampled_from(["error: x", "E   x", "--- FAIL: x", "plain"])), max_size=60
    ),
    st.integers(0, 12),
    st.integers(0, 500),
)
def test_an_excerpt_fits(lines: list[str], limit_lines: int, limit_bytes: int) -> None:
    shown = excerpt(lines, limit_lines, limit_bytes)
    assert len(shown) <= limit_lines
    assert sum(len(line.encode()) + 1 for line in shown) <= limit_bytes
    assert not any("\n" in line or "\r" in line for line in shown)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x" * 16_000, id="plain"),
        pytest.param("error: " + "x" * 16_000, id="each an error"),
        pytest.param("Traceback (most recent call last): " + "x" * 16_000, id="each a traceback"),
    ],
)
def test_a_long_log_takes_little_memory(line: str) -> None:
    """5 MB of lines of 16 KB, each different, kept in well under 1 MB."""
    tracemalloc.start()
    excerpt(f"{line}{number}" for number in range(300))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "fragment",
    ["= 1 failed", "E   ", "thread 'a' ", " ", "\t", ".", "a.", "a.py:1 ", "\N{BLACK CIRCLE} a ",
     "test a ... ", "Error", "1",
     "Caused by: ", "aException", "a: ", "FAILED ::", "---- ", "Killed", "> Task ", "[1]: *** "],
)  # fmt: skip
def test_hostile_lines_take_linear_time(fragment: str) -> None:
    """What were quadratic would take minutes and meet the timeout."""
    assert len(excerpt(repeat((fragment * 400)[:1000], 1000))) <= 40


def test_matchers_are_ordered_by_weight() -> None:
    weights = [matcher.weight for matcher in MATCHERS]
    assert weights == sorted(weights, reverse=True)
    assert len({matcher.name for matcher in MATCHERS}) == len(MATCHERS)


def test_the_tail_of_a_log_is_redacted_and_clean() -> None:
    log = [*noise(10), "", "\x1b[31mred\x1b[0m xoxb-" + "1234567890-abcdef", "50%\r100%"]
    assert tail(log, 4) == ("compiling module 9", "", "red [redacted]", "100%")
    assert tail(log, 100)[0] == "compiling module 0"
