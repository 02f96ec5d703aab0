"""The parts of the store, each on the test's own database; and a repository on a stand-in GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.adapters.github import GitHubClient, PersonalToken
from bot.adapters.postgres import Database, PostgresLedger, PostgresRuns
from tests.adapters.github_there import NUMBERS, Clock, There
from tests.github_standin import Standin, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database)


@pytest.fixture
def runs(database: Database) -> PostgresRuns:
    return PostgresRuns(database)


@pytest.fixture
def other_database(database_url: str) -> Iterator[Database]:
    """Another process's view of the same database."""
    database = Database(database_url, pool_size=4)
    yield database
    database.close()


@pytest.fixture
def other(other_database: Database) -> PostgresRuns:
    return PostgresRuns(other_database)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running(tmp_path_factory.mktemp("github")) as standin:
        standin.put_member("acme", "preflight-bot")
        standin.put_member("acme", "acme-admin", role="admin")
        yield standin
        assert standin.violations() == []


@pytest.fixture
def there(standin: Standin) -> Iterator[There]:
    standin.limits(core=None, points=None, content_minute=None, content_hour=None)
    repository = standin.repository(
        f"acme/app-{next(NUMBERS)}",
        files={"src/app.py": "print(1)\n", "docs/old.md": "old text, long enough to be seen as renamed\n"},
        permissions={"alice": "write", "preflight-bot": "write"},
    )
    pull = repository.open_pull("alice", branch="fix", files={"src/app.py": "print(2)\n"})
    clock = Clock()
    github = GitHubClient(standin.api_url, PersonalToken(standin.user("preflight-bot").token), clock=clock)
    yield There(standin, repository, pull, github, clock)
    github.close()
    standin.clear_faults()
