"""A supervisor's children, while it lives."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.local import environment
from deploy.local.errors import AlreadyRunningError, StackError
from deploy.local.processes import Child, Stop, Supervisor
from tests.deploy.sleepers import SIZE, Sleepers, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "stack") as supervisor:
        yield supervisor


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    sleepers = Sleepers()
    yield sleepers
    sleepers.end()


def start(supervisor: Supervisor, script: str, stop: Stop | None = None) -> Child:
    return supervisor.start("it", ["bash", "-c", script], env=environment.base(), cwd=Path("/"), stop=stop)


def test_output_goes_to_a_log(supervisor: Supervisor) -> None:
    child = start(supervisor, "echo out; echo err >&2")
    assert child.wait(seconds=10) == 0
    assert child.log.read_text() == "out\nerr\n"


def test_nothing_of_our_environment_but_what_it_was_given_gets_through(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    child = start(supervisor, "env")
    child.wait(seconds=10)
    names = {line.split("=", 1)[0] for line in child.log.read_text().splitlines()}
    assert not names & {"PYTHONDONTWRITEBYTECODE", "AIRFLOW_HOME"}
    assert "PATH" in names


def test_waiting_ends_when_the_condition_holds(supervisor: Supervisor, tmp_path: Path) -> None:
    child = start(supervisor, f"touch {tmp_path}/here; sleep 600")
    child.wait_until((tmp_path / "here").exists, "it was there", seconds=30)
    assert child.running


def test_waiting_for_one_that_ended_shows_its_last_words(supervisor: Supervisor) -> None:
    child = start(supervisor, "echo I give up; exit 3")
    with pytest.raises(StackError, match=r"it ended with exit code 3 before it listened[\s\S]*I give up"):
        child.wait_until(lambda: False, "it listened", seconds=30)


def test_waiting_too_long_says_so(supervisor: Supervisor) -> None:
    child = start(supervisor, "sleep 600")
    with pytest.raises(StackError, match="0 s passed before it listened"):
        child.wait_until(lambda: False, "it listened", seconds=0)


@pytest.mark.parametrize("end", [Supervisor.stop, Supervisor.kill], ids=["stop", "kill"])
def test_with_a_child_its_whole_family_ends(supervisor: Supervisor, sleepers: Sleepers, end: object) -> None:
    child = start(supervisor, sleepers.command)
    wait_for(lambda: len(sleepers.alive()), wanted=SIZE)
    assert callable(end)
    end(supervisor, child)
    assert sleepers.alive() == []
    assert supervisor.ended() == []


def test_one_that_ignores_the_first_signal_is_asked_again(supervisor: Supervisor, tmp_path: Path) -> None:
    second = f'trap "touch {tmp_path}/tidy; exit 0" TERM'
    script = f"trap '{second}' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done"
    child = start(supervisor, script)
    wait_for((tmp_path / "up").exists, wanted=True)
    supervisor.stop(child)
    assert (tmp_path / "tidy").exists()
    assert child.exit_code == 0


def test_one_that_ignores_all_signals_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    script = f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done"
    child = start(supervisor, script, Stop(seconds=0.2))
    wait_for((tmp_path / "up").exists, wanted=True)
    supervisor.stop(child)
    assert child.exit_code == -signal.SIGKILL


def test_what_others_need_is_stopped_after_them(supervisor: Supervisor, tmp_path: Path) -> None:
    write = "trap 'echo {0} >> {1}/order; exit' TERM; touch {1}/{0}; while :; do sleep 0.05; done"
    start(supervisor, write.format("database", tmp_path), Stop(after_others=True))
    start(supervisor, write.format("server", tmp_path))
    wait_for(lambda: (tmp_path / "database").exists() and (tmp_path / "server").exists(), wanted=True)
    supervisor.stop_all()
    assert (tmp_path / "order").read_text().split() == ["server", "database"]


def test_one_that_ended_by_itself_is_told(supervisor: Supervisor) -> None:
    child = start(supervisor, "exit 7")
    wait_for(lambda: child.running, wanted=False)
    assert supervisor.ended() == [child]
    assert child.exit_code == 7


def test_the_same_directory_is_supervised_by_one_at_a_time(supervisor: Supervisor) -> None:
    with pytest.raises(AlreadyRunningError, match="already runs"):
        Supervisor(supervisor.directory)


def test_nothing_is_started_any_more_when_all_is_being_stopped(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        pass
    with pytest.raises(StackError, match="being stopped"):
        start(supervisor, "sleep 600")


def test_a_stop_leaves_no_record_and_no_watchdog(tmp_path: Path, sleepers: Sleepers) -> None:
    with Supervisor(tmp_path) as supervisor:
        start(supervisor, sleepers.command)
        wait_for(lambda: len(sleepers.alive()), wanted=SIZE)
    assert sleepers.alive() == []
    assert not (tmp_path / "processes.json").exists()
    assert (tmp_path / "watchdog.log").read_text() == ""
