"""Nothing stays behind, however the supervisor ends."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest

from deploy.local import record
from deploy.local.processes import Supervisor
from deploy.local.record import Record, Started
from tests.deploy.sleepers import Sleepers, kill_9, supervise, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    sleepers = Sleepers()
    yield sleepers
    sleepers.end()


def watchdogs(directory: Path) -> list[psutil.Process]:
    """The watchdogs over that directory."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "deploy.local.watchdog" in command and str(directory / "processes.json") in command:
            found.append(process)
    return found


def test_a_killed_supervisor_leaves_nothing(tmp_path: Path, sleepers: Sleepers) -> None:
    supervisor = supervise(tmp_path, sleepers)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: [*sleepers.alive(), *watchdogs(tmp_path)], wanted=[])


def test_a_killed_group_leaves_nothing(tmp_path: Path, sleepers: Sleepers) -> None:
    supervisor = supervise(tmp_path, sleepers)
    os.killpg(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    wait_for(lambda: [*sleepers.alive(), *watchdogs(tmp_path)], wanted=[])


def test_when_the_watchdog_was_killed_too_the_next_start_cleans_up(
    tmp_path: Path, sleepers: Sleepers
) -> None:
    supervisor = supervise(tmp_path, sleepers)
    kill_9(supervisor.pid, *(each.pid for each in watchdogs(tmp_path)))
    supervisor.wait()
    assert sleepers.alive() != []
    with Supervisor(tmp_path):
        assert sleepers.alive() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_signals_reach_through_the_reaper(tmp_path: Path, sleepers: Sleepers, number: signal.Signals) -> None:
    reaper = supervise(tmp_path, sleepers, below="reaper")
    reaper.send_signal(number)
    reaper.wait(60)
    assert sleepers.alive() == []
    assert watchdogs(tmp_path) == []


def test_a_killed_reaper_leaves_nothing(tmp_path: Path, sleepers: Sleepers) -> None:
    reaper = supervise(tmp_path, sleepers, below="reaper")
    reaper.kill()
    reaper.wait()
    wait_for(lambda: [*sleepers.alive(), *watchdogs(tmp_path)], wanted=[])


def test_the_reaper_ends_what_no_mark_or_record_leads_to(tmp_path: Path, sleepers: Sleepers) -> None:
    reaper = supervise(tmp_path, sleepers, below="reaper")
    (supervisor,) = psutil.Process(reaper.pid).children()
    shell = next(each for each in sleepers.alive() if each.name() == "bash")
    kill_9(shell.pid, supervisor.pid)  # orphans: the one with a clean environment is nobody's child now
    assert reaper.wait(60) == 128 + signal.SIGKILL
    assert sleepers.alive() == []


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as innocent:
        try:
            created = psutil.Process(innocent.pid).create_time() - 60
            record.sweep(Record("a mark of nobody", [Started("old", innocent.pid, created)]))
            assert innocent.poll() is None
        finally:
            innocent.kill()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"mark": "m"}', '{"mark": "m", "started": [{}]}'])
def test_a_broken_record_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "processes.json").write_text(text)
    assert record.load(tmp_path / "processes.json") is None
    with Supervisor(tmp_path):
        pass
