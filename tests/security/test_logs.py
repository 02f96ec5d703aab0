"""What a stranger can write into our logs, and what they can read there: one line of JSON each, no secret."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.adapters.postgres import Database
from tests.report.hostile import hostile_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.adapters.postgres import Database as RealDatabase

SECRETS = ("webhook-secret", "ghp_token", "airflow-password")
NEVER = "\n\x1b\x7f\x85\x9b\u2028\u2029\u202e\u2066"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """The lines of the log."""
    root, stderr = logging.getLogger(), io.StringIO()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure("info", SECRETS)
    yield lambda: stderr.getvalue().removesuffix("\n").split("\n")
    root.manager._clear_cache()  # type: ignore[attr-defined]  # noqa: SLF001 - the level is about to be another


@pytest.mark.parametrize(
    "said",
    [
        pytest.param('x\n{"event": "forged", "level": "info"}', id="line"),
        pytest.param("x\r\n2026-01-01 forged", id="carriage-return"),
        pytest.param("\x1b[2J\x1b]0;title\x07", id="ansi"),
        pytest.param("\x9b31mred", id="c1"),
        pytest.param("a\u2028b\u2029c\x85d", id="other-line-ends"),
        pytest.param("\u202edesrever", id="direction"),
        pytest.param("\ud800", id="half-a-character"),
        pytest.param("\0", id="nul"),
        pytest.param("%s %n {0} {x!r}", id="formats"),
        pytest.param('"}, "level": "error"', id="json"),
    ],
)
def test_an_event_is_one_line_whatever_is_in_it(logged: Callable[[], list[str]], said: str) -> None:
    logging.getLogger("bot").info("branch %s", said)
    (line,) = logged()
    assert not set(line) & set(NEVER)
    assert json.loads(line)["event"] == f"branch {said}"
    assert json.loads(line)["level"] == "info"


@given(st.lists(hostile_text, max_size=3))
def test_and_however_it_is_put_together(parts: list[str]) -> None:
    line = logs._in_sight(None, "", json.dumps("".join(parts), ensure_ascii=False))  # noqa: SLF001 - the pure part of it
    assert not set(line) & set(NEVER)
    assert json.loads(line) == "".join(parts)
    line.encode()


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_of_ours_is_logged(logged: Callable[[], list[str]], secret: str) -> None:
    log = logging.getLogger("bot")
    log.info("plain %s", secret)
    log.info("quoted %r", {"token": secret})
    try:
        int(secret)
    except ValueError:
        log.exception("met an error")
    logging.getLogger("some.library").warning("Authorization: %s", secret)
    said = "\n".join(logged())
    assert secret not in said
    assert said.count("[redacted]") >= 4


def test_nor_what_could_not_be_logged(logged: Callable[[], list[str]]) -> None:
    """Python itself would show its arguments, past all redaction."""
    logging.getLogger("bot").info("%d", SECRETS[0])
    assert logged() == [""]


@pytest.mark.parametrize("library", ["urllib3.connectionpool", "github.Requester", "alembic.runtime"])
def test_libraries_do_not_chat_about_addresses(logged: Callable[[], list[str]], library: str) -> None:
    logging.getLogger(library).info("GET /repos/acme/widgets?x=y")
    assert logged() == [""]


@pytest.mark.postgres
def test_an_error_of_the_database_does_not_quote_what_was_to_be_stored(database: RealDatabase) -> None:
    """A payload, say: it would stand in the logs, and as the reason why a delivery is parked."""
    with pytest.raises(SQLAlchemyError) as found, database.begin() as connection:
        connection.execute(text("SELECT 1 / (length(:body) - length(:body))"), {"body": "a private payload"})
    assert "a private payload" not in str(found.value)


def test_nor_the_password_of_the_database() -> None:
    url = "postgresql+psycopg://bot:database-password@127.0.0.1:9/preflight"
    database = Database(url, pool_size=1)
    with pytest.raises(Exception, match="database") as found:
        database.check()
    assert "database-password" not in f"{found.value!r} {found.value.__cause__!r} {database.engine!r}"
    assert "database-password" not in repr(create_engine(url).url)
