"""Logs as pages read them from Airflow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import AirflowRefused, AirflowUnavailable, DagRunNotFound
from bot.models import LogLine, StepState
from bot.pages import logs as reader
from bot.pages.logs import DOWN, GONE, LONG, LogReader
from tests.pages.showing import SECRET, TOKEN, Airflow, active, ended, failed, step

if TYPE_CHECKING:
    from bot.models import Run, Step
    from bot.pages.logs import Log


def read(airflow: Airflow, one: Step | None = None, run: Run | None = None) -> Log:
    one = one or step("lint")
    return LogReader(airflow, [SECRET]).read(run or ended(one), [one])[one.key]


def test_a_log_is_what_the_step_printed_and_the_whole_of_it() -> None:
    airflow = Airflow([LogLine("Task started", "airflow.task"), "checking", "done"])
    log = read(airflow)
    assert log.lines().texts == ("checking", "done")
    assert log.lines(remarks=True).texts == ("Task started", "checking", "done")
    assert log.missing == ""


def test_where_the_step_printed_nothing_airflow_s_remarks_are_all_there_is() -> None:
    log = read(Airflow([LogLine("Process was killed: -9", "airflow.task")]))
    assert log.lines().texts == ("Process was killed: -9",)


def test_lines_are_clean_and_without_secrets() -> None:
    lines: list[str | LogLine] = [
        f"token {TOKEN}",
        f"password {SECRET}",
        "\x1b[31mred\x1b[0m",
        "10%\r100%",
        "a\u202eb",
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA" * 4,
        "-----END RSA PRIVATE KEY-----",
        "after",
    ]
    texts = read(Airflow(lines)).lines().texts
    assert TOKEN not in "\n".join(texts)
    assert SECRET not in "\n".join(texts)
    assert "MIIEpAIBAAKCAQEA" not in "\n".join(texts)
    assert texts[2:5] == ("red", "100%", "ab")
    assert texts[-1] == "after"


def test_of_a_long_log_the_last_lines_are_kept_with_their_numbers() -> None:
    airflow = Airflow([f"line {number}" for number in range(1, 25_001)])
    lines = read(airflow).lines()
    assert (lines.first, lines.last) == (5_001, 25_000)
    assert lines.texts[0] == "line 5001"


def test_wide_lines_take_no_more_memory_than_others() -> None:
    lines = read(Airflow([f"{number} " + "x" * 10_000 for number in range(2_000)])).lines()
    assert max(map(len, lines.texts)) <= 2_000
    assert sum(map(len, lines.texts)) <= 2_000_000
    assert lines.texts[-1].startswith("1999 ")
    assert lines.last == 2_000


def test_a_log_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READ_LINES", 10)
    log = read(Airflow([f"line {number}" for number in range(11)]))
    assert log.missing == LONG
    assert log.lines().texts[-1] == "line 9"
    assert read(Airflow(["x"] * 10)).missing == ""


def test_a_log_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READ_SECONDS", -1.0)
    assert read(Airflow(["x", "y"])).missing == LONG


@pytest.mark.parametrize(
    ("error", "said"),
    [(AirflowUnavailable("down"), DOWN), (AirflowRefused("no"), GONE), (DagRunNotFound("gone"), GONE)],
    ids=["down", "refused", "gone"],
)
def test_without_airflow_there_is_what_the_worker_kept(error: Exception, said: str) -> None:
    log = read(Airflow(error=error), failed())
    assert log.lines().texts == ("E501 Line too long",)
    assert log.missing == said
    assert not log.numbered


@pytest.mark.parametrize(
    "one",
    [step("t", StepState.WAITING, try_number=0), step("t", StepState.BLOCKED), step("t", try_number=0)],
    ids=["waiting", "blocked", "never tried"],
)
def test_a_step_that_never_began_is_not_asked_for(one: Step) -> None:
    airflow = Airflow(["x"])
    assert read(airflow, one).missing == ""
    assert airflow.reads == 0


def test_nor_is_one_of_a_run_that_is_not_in_airflow() -> None:
    airflow = Airflow(["x"])
    read(airflow, run=ended(dag_run_id=None))
    assert airflow.reads == 0


class TestRemembering:
    def test_a_finished_step_s_log_is_read_once(self) -> None:
        airflow = Airflow(["x"])
        logs, one = LogReader(airflow, []), step("lint")
        for _ in range(3):
            logs.read(ended(one), [one])
        assert airflow.reads == 1

    def test_a_further_try_has_a_log_of_its_own(self) -> None:
        airflow = Airflow(["x"])
        logs, one = LogReader(airflow, []), step("lint")
        logs.read(ended(one), [one])
        again = replace(one, try_number=2)
        logs.read(ended(again), [again])
        assert airflow.reads == 2

    def test_a_running_step_s_log_is_shared_for_a_moment_and_read_again_at_its_end(self) -> None:
        airflow = Airflow(["x"])
        logs, running = LogReader(airflow, []), step("lint", StepState.RUNNING)
        for _ in range(3):
            logs.read(active(running), [running])
        assert airflow.reads == 1
        airflow.lines.append("the end")
        done = replace(running, state=StepState.FAILED)
        assert logs.read(ended(done), [done])[done.key].lines().texts == ("x", "the end")

    @pytest.mark.parametrize(
        ("log", "took", "seconds"),
        [
            (reader.Log(whole=reader.Lines(1, ("x",)), final=True), 1.0, float("inf")),
            (reader.Log(final=True), 1.0, 10.0),
            (reader.Log(), 0.1, 2.0),
            (reader.Log(), 3.0, 12.0),
            (reader.Log(numbered=False, missing=DOWN), 3.0, 5.0),
        ],
        ids=["finished", "finished and empty", "running", "running and slow to read", "not read"],
    )
    def test_how_long_it_is_good_for(self, log: reader.Log, took: float, seconds: float) -> None:
        assert reader._lasts(log, took) == seconds  # noqa: SLF001 - waiting for it would take that long
