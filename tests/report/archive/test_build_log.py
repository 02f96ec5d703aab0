"""How much of a log is kept, and what that costs."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import LogLine, Step, StepState
from bot.report.archive import build_log as module
from bot.report.archive.build_log import bounded, build_log
from tests.report.archiving import World, finished, step


def numbered(count: int) -> list[bytes]:
    return [f"line {number:06d}\n".encode() for number in range(count)]


def test_a_log_that_fits_is_kept_whole() -> None:
    assert b"".join(bounded(numbered(100), 1200)) == b"".join(numbered(100))


def test_of_a_long_log_both_ends_are_kept_and_the_rest_is_counted() -> None:
    kept = b"".join(bounded(numbered(1_000_000), 1_200_000))
    assert kept.startswith(b"line 000000\nline 000001\n")
    assert kept.endswith(b"line 999998\nline 999999\n")
    (told,) = [line for line in kept.decode().splitlines() if line.startswith("⋯")]
    lines = kept.count(b"\n") - 1
    assert told.startswith(f"⋯ {1_000_000 - lines:,} lines (")
    assert told.endswith(" MiB) were left out ⋯")
    assert len(kept) <= 1_200_000 + 100


@given(st.lists(st.integers(0, 5_000), max_size=60), st.integers(0, 100_000))
def test_no_line_is_lost_without_a_word(widths: list[int], most: int) -> None:
    lines = [f"{number}:{'x' * width}\n".encode() for number, width in enumerate(widths)]
    kept = b"".join(bounded(lines, most)).decode().splitlines(keepends=True)
    told = [line for line in kept if line.startswith("⋯")]
    dropped = int(told[0].split()[1]) if told else 0
    assert len(kept) - len(told) + dropped == len(lines)
    assert [line for line in kept if not line.startswith("⋯")] == [
        line.decode() for line in (lines if not told else kept_of(lines, kept))
    ]


def kept_of(lines: list[bytes], kept: list[str]) -> list[bytes]:
    """The lines at both ends, as many as were kept before and after what was left out."""
    cut = next(index for index, line in enumerate(kept) if line.startswith("⋯"))
    return [*lines[:cut], *lines[len(lines) - (len(kept) - cut - 1) :]]


def test_short_lines_cost_no_more_memory_than_long_ones() -> None:
    tracemalloc.start()
    for _ in bounded((b"x\n" for _ in range(60_000)), 40_000):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120_000


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "RUN_BYTES", 300_000)
    monkeypatch.setattr(module, "STEP_BYTES", 120_000)
    return World()


def test_one_steps_long_log_leaves_the_others_their_room(world: World) -> None:
    long = [f"line {number:06d}" for number in range(30_000)]
    for name in ("lint", "test", "deploy"):
        world.printed(name, *long)
    world.archive(finished(steps=(step("lint"), step("test"), step("deploy"))))
    sections = world.log().split("\n===")[1:]
    assert len(sections) == 3
    assert all(section.rstrip("\n").endswith("line 029999") for section in sections)
    assert all(len(section) > 90_000 for section in sections)
    assert len(world.log()) < 310_000


def test_what_short_logs_leave_goes_to_those_after_them(world: World) -> None:
    world.printed("lint", "short")
    world.printed("test", *(f"line {number:06d}" for number in range(9_000)))
    steps = [step("lint")] * 9
    world.archive(finished(steps=(*steps, step("test"))))
    assert "left out" not in world.log()


def test_a_log_that_never_ends_is_broken_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_LINES", 10)
    world.printed("lint", *(f"line {number}" for number in range(11)))
    world.archive(finished())
    assert world.log().splitlines()[-2:] == ["line 9", "[what follows was left out: the log is too long]"]


def test_a_run_that_never_was_in_airflow_has_its_word_only(world: World) -> None:
    waiting = Step("lint", -1, "lint", StepState.WAITING)
    run = finished(dag_run_id=None, steps=(waiting,), reason="no such DAG")
    assert b"".join(build_log(run, world.archiver._source(run))).decode().splitlines() == [  # noqa: SLF001 - no I/O
        f"unit of acme/widgets#12 at {run.head_sha}: success: no such DAG",
        "",
        "=== lint · waiting ===",
    ]


def test_a_secret_over_several_lines_is_hidden_across_them(world: World) -> None:
    begin, end = ("-----" + word + " PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))
    world.printed("lint", "a", LogLine(begin, "airflow.task.operators.x"), "A" * 64, end, "b")
    world.archive(finished())
    assert world.log().splitlines()[3:] == ["a", "[redacted]", "b"]
