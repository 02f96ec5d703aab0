"""The demo as a newcomer sees it, and then as somebody who kills it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from deploy.local.environment import ROOT
from tests.deploy.sleepers import kill_9, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]
SECONDS = 300


def command(state: Path) -> list[str]:
    return [sys.executable, "-m", "deploy.local", "demo", "--state", str(state)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running demo, its output in `tmp_path/output`."""
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            command(tmp_path / "state"), cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    yield process
    process.terminate()
    process.wait(60)


def alive(state: Path) -> list[psutil.Process]:
    """All processes that have to do with that demo."""
    database = str((state / "demo" / "postgres").resolve())
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join([*process.cmdline(), *process.environ().values()])
            if str(state) in words or database in words:
                found.append(process)
    return found


def test_it_shows_both_results_and_leaves_nothing_when_it_is_killed(
    tmp_path: Path, demo: subprocess.Popen[bytes]
) -> None:
    def output() -> str:
        return (tmp_path / "output").read_text()

    wait_for(lambda: "took" in output(), wanted=True, seconds=SECONDS)
    second = subprocess.run(
        command(tmp_path / "state"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "It already runs here" in second.stderr

    wait_for(
        lambda: demo.poll() is not None or "Ctrl-C stops everything" in output(), wanted=True, seconds=SECONDS
    )
    assert "Both pull requests show what they should." in output()
    assert "AssertionError: 'Goodbye, world!' != 'Hello, world!'" in output()
    assert len(alive(tmp_path / "state")) > 10

    kill_9(demo.pid, *(child.pid for child in psutil.Process(demo.pid).children()))
    demo.wait()
    wait_for(lambda: alive(tmp_path / "state"), wanted=[])

    database = (tmp_path / "state" / "demo" / "postgres").resolve()
    assert database.exists()
    clean = [sys.executable, "-m", "deploy.local", "clean", "--state", str(tmp_path / "state")]
    subprocess.run(clean, cwd=ROOT, check=True)
    assert not database.exists()
    assert not (tmp_path / "state" / "demo").exists()
