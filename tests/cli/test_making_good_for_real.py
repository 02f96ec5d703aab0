"""The commands with everything wired, on PostgreSQL and the stand-in GitHub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import PostgresInbox, PostgresLedger, PostgresReports
from bot.cli import main
from bot.models import Delivery, Repository, Status, StatusState
from tests.examples import pull, run, wanted
from tests.github_standin import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.adapters.postgres import Database
    from tests.github_standin import Pull, Standin
    from tests.github_standin import Repository as StandinRepository

pytestmark = pytest.mark.postgres

PUBLIC_URL = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Standin]:
    with running(tmp_path) as standin:
        yield standin
        assert standin.violations() == []


@pytest.fixture
def repository(github: Standin, database_url: str, monkeypatch: pytest.MonkeyPatch) -> StandinRepository:
    """A repository whose webhook nobody answers, and the environment of a bot that serves it."""
    environment = {
        "PREFLIGHT_DATABASE_URL": database_url,
        "PREFLIGHT_WEBHOOK_SECRETS": "a secret for webhooks",
        "PREFLIGHT_GITHUB_API_URL": github.api_url,
        "PREFLIGHT_GITHUB_TOKEN": github.user("preflight-bot").token,
        "PREFLIGHT_REPOSITORIES": "acme/app",
        "PREFLIGHT_AIRFLOW_URL": "http://127.0.0.1:9",
        "PREFLIGHT_AIRFLOW_USERNAME": "preflight",
        "PREFLIGHT_AIRFLOW_PASSWORD": "a password",
        "PREFLIGHT_NUDGE_SECRET": "a secret for nudges",
        "PREFLIGHT_PUBLIC_URL": PUBLIC_URL,
    }
    for name in [name for name in os.environ if name.startswith("PREFLIGHT_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    there = github.repository("acme/app", permissions={"preflight-bot": "admin", "alice": "write"})
    there.hook(f"{PUBLIC_URL}/webhook", "a secret for webhooks")
    return there


@pytest.fixture
def opened(repository: StandinRepository) -> Pull:
    return repository.open_pull("alice", branch="fix", files={"x": ""})


def ask(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def know(database: Database, repository: StandinRepository, opened: Pull) -> None:
    """We heard of the pull request, and it shows a status and a comment of ours."""
    known = Repository(repository.id, repository.full_name)
    of = pull(number=opened.number, head_sha=opened.head_sha, repository=known)
    one = run(number=opened.number, head_sha=opened.head_sha, repository=known)
    PostgresLedger(database).apply(wanted(one, of=of))
    status = Status("preflight/unit", StatusState.SUCCESS, "2 steps passed")
    PostgresReports(database).set_shown(known, opened.head_sha, status)
    ask(database, "UPDATE pull_requests SET comment_id = 77, due_at = NULL RETURNING 1")


@pytest.mark.usefixtures("opened")
def test_redeliver_asks_github(github: Standin, capsys: pytest.CaptureFixture[str]) -> None:
    github.settle()
    mark = github.mark()
    assert main(["redeliver", "--since", "1h", "--dryrun"]) == 0
    assert github.requests(mark, method="POST") == []
    assert main(["redeliver", "--since", "1h"]) == 0

    said = capsys.readouterr().out
    assert "(pull_request, answered with 502 0 min ago): GitHub delivers it again" in said
    missed = {each.guid for each in github.deliveries() if each.event != "ping"}
    assert {each.guid for each in github.settle() if each.redelivery} == missed


def test_replay_looks_here_and_there(
    github: Standin, opened: Pull, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = PostgresInbox(database)
    inbox.put(Delivery("here", "push", b"{}", "1"))
    claim = inbox.claim()
    assert claim is not None
    inbox.park(claim, "it can't be read")
    assert opened.number
    there = next(each.guid for each in github.settle() if each.event == "pull_request")

    assert main(["replay", "here", there, "nowhere"]) == 1

    assert capsys.readouterr().out.splitlines()[:3] == [
        "here (push, parked: it can't be read): queued again",
        f"{there} (pull_request, answered with 502 0 min ago): GitHub delivers it again",
        "nowhere: neither in the inbox nor in GitHub's log of the last 3 days",
    ]
    assert ask(database, "SELECT state FROM deliveries WHERE id = 'here'") == [("queued",)]


def test_sync_shows_and_mends(
    repository: StandinRepository, opened: Pull, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    know(database, repository, opened)
    repository.open_pull("alice", branch="other", files={"y": ""})

    assert main(["sync", "acme/app", "--dryrun"]) == 0
    assert ask(database, "SELECT due_at IS NULL FROM pull_requests") == [(True,)]
    assert main(["sync", "ACME/app", "--run"]) == 0

    said = capsys.readouterr().out
    for part in (
        "#1      its comment is gone",
        "#1      preflight/unit is not there",
        "#2      we never heard of this head",
    ):
        assert said.count(part) == 2
    assert ask(database, "SELECT comment_id, due_at <= now() FROM pull_requests") == [(None, True)]
    assert ask(database, "SELECT event, state FROM deliveries") == [("recheck", "queued")]
    opened.close("alice")
    assert main(["sync", "acme/app"]) == 0
    assert "#1      closed, and we think it open" in capsys.readouterr().out


def test_sync_of_what_is_not_there(repository: StandinRepository, capsys: pytest.CaptureFixture[str]) -> None:
    assert repository.full_name == "acme/app"
    assert main(["sync", "acme/other"]) == 1
    assert "GitHub has nothing at" in capsys.readouterr().err
