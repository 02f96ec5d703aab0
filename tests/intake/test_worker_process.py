"""`python -m bot worker`, as it is run: works as soon as there is work, and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresInbox
from tests.examples import delivery, pull_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.models import Delivery

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def state(database: Database, sent: Delivery) -> tuple[str, int]:
    """A delivery's state, and how often it was tried."""
    with database.begin() as connection:
        row = connection.execute(
            text("SELECT state, tries FROM deliveries WHERE id = :id"), {"id": sent.id}
        ).one()
    return row.state, row.tries


@pytest.fixture
def worker(database_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker whose GitHub and Airflow do not answer."""
    environment = {
        "PATH": os.environ["PATH"],
        "PREFLIGHT_DATABASE_URL": database_url,
        "PREFLIGHT_WEBHOOK_SECRETS": "webhook secret",
        "PREFLIGHT_GITHUB_API_URL": "http://127.0.0.1:9",
        "PREFLIGHT_GITHUB_TOKEN": "the-github-token",
        "PREFLIGHT_REPOSITORIES": "acme/*",
        "PREFLIGHT_AIRFLOW_URL": "http://127.0.0.1:9",
        "PREFLIGHT_AIRFLOW_USERNAME": "bot",
        "PREFLIGHT_AIRFLOW_PASSWORD": "airflow password",
        "PREFLIGHT_PUBLIC_URL": "http://127.0.0.1",
    }
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "bot", "worker"], env=environment, cwd=ROOT, stdout=log, stderr=log
        ) as process,
    ):
        yield process
        process.kill()


def test_takes_what_comes_and_ends_on_sigterm(
    database: Database, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    inbox = PostgresInbox(database)
    ignored = delivery("star", {"action": "created"})
    inbox.put(ignored)
    until(lambda: state(database, ignored)[0] == "ignored")
    wanted = delivery("pull_request", pull_payload("opened"))
    inbox.put(wanted)
    until(lambda: state(database, wanted)[1] >= 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(SECONDS) == 0
    assert state(database, wanted)[0] == "queued", "it waits for GitHub, held by nobody"
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "the-github-token" not in log
