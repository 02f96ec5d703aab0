from __future__ import annotations

import tracemalloc
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import LogMatcher
from bot.report.logs.excerpt import LINE_WIDTH, excerpt
from bot.report.logs.matchers import MATCHERS
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


ERRORS = [f"error: no {number}" for number in range(100)]


@pytest.mark.parametrize(
    ("matchers", "shown"),
    [
        pytest.param([LogMatcher("sim", "SIM-[0-9]+")], ["at SIM-7: diverged"], id="anywhere in the line"),
        pytest.param([LogMatcher("sim", "^at SIM", 1, 2)],
                     ["step 3", "at SIM-7: diverged", "x = 1", "y = 2"], id="lines around it"),
        pytest.param([LogMatcher("sim", "^SIM")], [], id="anchored elsewhere"),
        pytest.param([LogMatcher("a", "("), LogMatcher("b", "diverged")], ["at SIM-7: diverged"],
                     id="one that is no pattern is left out"),
        pytest.param([LogMatcher("a", "(?=x)"), LogMatcher("b", "(a{999}){999}")], [], id="refused by RE2"),
        pytest.param([LogMatcher("a", "y =|ABC"), LogMatcher("a", "x = 1")], ["x = 1", "y = 2"],
                     id="two of one name"),
        pytest.param([LogMatcher("maven", "x = 1")], ["x = 1"], id="the name of one of ours"),
    ],
)  # fmt: skip
def test_a_repository_has_matchers_of_its_own(matchers: list[LogMatcher], shown: list[str]) -> None:
    log = [*noise(30), "step 3", "at SIM-7: diverged", "x = 1", "y = 2", *noise(30)]
    found = [line for line in excerpt(log, matchers=matchers) if line not in {*noise(30), "⋯"}]
    assert found == shown


def test_what_the_repository_looks_for_comes_before_what_we_know() -> None:
    log = [*ERRORS, "at SIM-7: diverged", *ERRORS]
    assert "at SIM-7: diverged" not in excerpt(log, limit_lines=12)
    assert "at SIM-7: diverged" in excerpt(log, limit_lines=12, matchers=[LogMatcher("sim", "SIM")])


def test_all_the_repositorys_matchers_together_leave_room_for_ours() -> None:
    own = [LogMatcher(f"own{number}", f"^own{number} ") for number in range(5)]
    log = [f"own{number % 5} at {number}" for number in range(100)] + ["Traceback (most recent call last):"]
    shown = excerpt(log, limit_lines=20, matchers=own)
    assert "Traceback (most recent call last):" in shown
    assert {line.split()[0] for line in shown} >= {f"own{number}" for number in range(5)}


def test_a_repositorys_matcher_sees_only_the_beginning_of_a_line() -> None:
    log = ["x" * 2000 + " SIM", *noise(50)]
    assert not any(line.endswith("SIM") for line in excerpt(log, matchers=[LogMatcher("sim", "SIM")]))


@pytest.mark.timeout(30)
def test_a_repositorys_matchers_take_linear_time() -> None:
    own = [LogMatcher(f"a{number}", "(a*)*(a|aa)*b$") for number in range(20)]
    assert len(excerpt(("a" * 900 + str(number) for number in range(1000)), matchers=own)) <= 40


def test_of_progress_that_is_printed_line_by_line_the_last_is_shown() -> None:
    log = [
        "remote: Counting objects:   1% (1/100)",
        "remote: Counting objects: 100% (100/100), done.",
        "Receiving objects:  50% (50/100)",
        "cloned",
        *(f" {number}%|███       | {number}/100 [00:01<00:09]" for number in range(100)),
    ]
    assert excerpt(log) == ("Receiving objects:  50% (50/100)", "cloned", log[-1])


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
def test_a_log_of_long_lines_takes_little_memory(line: str) -> None:
    """5 MB of lines of 16 KB, each different, kept in well under 1 MB."""
    tracemalloc.start()
    excerpt(f"{line}{number}" for number in range(300))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(["x" * 100_000_000], id="one line of 100 MB"),
        pytest.param(["10% done\r" * 11_000_000], id="100 MB of a progress bar"),
        pytest.param(["error: no\n" * 20_000], id="one text of many lines"),
        pytest.param([f"line {number}" for number in range(6_000)], id="many short lines"),
        pytest.param([f"error: no {number}" for number in range(6_000)], id="all of them errors"),
    ],
)
def test_a_long_log_takes_little_memory(log: list[str]) -> None:
    """What the log itself takes is its reader's: here only what is kept of it counts."""
    tracemalloc.start()
    excerpt(iter(log), secrets=["hunter2hunter2"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_500_000


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "fragment",
    ["= 1 failed", "FAILED", "exit", "timed out", "1) ", "[==", "1%", "e: file://", "\r", "1K .",
     " \N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT} ", "a.java:1: error: ", "(a, ", "E   ",
     "thread 'a' ", " ", "\t", ".", "a.", "a.py:1 ", "\N{BLACK CIRCLE} a ", "test a ... ", "Error", "1",
     "Caused by: ", "aException", "a: ", "FAILED ::", "---- ", "Killed", "> Task ", "[1]: *** "],
)  # fmt: skip
def test_hostile_lines_take_linear_time(fragment: str) -> None:
    """What were quadratic would take minutes and meet the timeout."""
    line = (fragment * 1000)[:1000]
    assert len(excerpt(line[:-3] + f"{number:03d}" for number in range(300))) <= 40


def test_matchers_are_ordered_by_weight() -> None:
    weights = [matcher.weight for matcher in MATCHERS]
    assert weights == sorted(weights, reverse=True)
    assert len({matcher.name for matcher in MATCHERS}) == len(MATCHERS)
