"""A real PostgreSQL: it starts, stops, is killed, and comes back."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from deploy.local import lineage
from deploy.local.postgres import DURABLE, Postgres, embedded_postgres
from deploy.local.processes import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "supervisor") as supervisor:
        yield supervisor


@pytest.fixture
def postgres(tmp_path: Path, supervisor: Supervisor) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path / "home", supervisor)
    postgres.start()
    yield postgres
    postgres.remove()


def servers(home: Path) -> list[psutil.Process]:
    """All processes that work on the data below `home`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(home.resolve()) in (process.info["cmdline"] or []) or str(home.resolve() / "data") in (
            process.info["cmdline"] or []
        ):
            found += [process, *process.children(recursive=True)]
    return [process for process in found if not lineage.is_gone(process)]


def write(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (value int)"))
        connection.execute(text("INSERT INTO kept VALUES (42)"))
    engine.dispose()


def read(url: str) -> object:
    engine = create_engine(url)
    with engine.begin() as connection:
        value = connection.execute(text("SELECT value FROM kept")).scalar_one()
    engine.dispose()
    return value


@pytest.mark.parametrize("end", [Postgres.stop, Postgres.kill], ids=["stopped", "killed"])
def test_what_was_written_is_there_after_it_was(tmp_path: Path, postgres: Postgres, end: object) -> None:
    url = postgres.create_database("one")
    write(url)
    for _ in range(2):
        assert callable(end)
        end(postgres)
        assert servers(tmp_path / "home") == []
        postgres.start()
        assert read(url) == 42


def test_a_database_is_made_anew_or_as_a_copy(postgres: Postgres) -> None:
    write(postgres.create_database("original"))
    assert read(postgres.create_database("copy", template="original")) == 42
    write(postgres.create_database("original"))  # would fail if the table were still there
    assert postgres.has_database("copy")
    postgres.drop_database("copy")
    assert not postgres.has_database("copy")


def test_it_starts_where_a_pid_that_is_somebody_elses_now_was_left(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.kill()
    with subprocess.Popen(["sleep", "600"]) as innocent:
        (tmp_path / "home" / "data" / "postmaster.pid").write_text(f"{innocent.pid}\n")
        postgres.start()
        assert innocent.poll() is None
        innocent.kill()
    postgres.create_database("works")


def test_one_that_nobody_supervises_any_more_is_ended(tmp_path: Path, postgres: Postgres) -> None:
    with Supervisor(tmp_path / "another") as another:
        successor = Postgres(tmp_path / "home", another)
        before = servers(tmp_path / "home")
        successor.start()
        assert not {process.pid for process in before} & {
            process.pid for process in servers(tmp_path / "home")
        }
        successor.create_database("works")


def test_one_whose_first_start_was_interrupted_starts(tmp_path: Path, postgres: Postgres) -> None:
    postgres.stop()
    data = tmp_path / "home" / "data"
    data.rename(data.with_suffix(".partial"))
    (data.with_suffix(".partial") / "base").rename(tmp_path / "gone")
    postgres.start()
    postgres.create_database("works")


def test_a_path_that_is_too_long_for_a_socket_is_not_too_long(tmp_path: Path, supervisor: Supervisor) -> None:
    postgres = Postgres(tmp_path / ("long" * 30) / "home", supervisor)
    postgres.start()
    url = postgres.create_database("one")
    write(url)
    postgres.stop()
    postgres.start()
    assert read(url) == 42
    postgres.remove()


def test_nobody_else_may_use_its_socket(postgres: Postgres) -> None:
    socket = Path(postgres.url("x").partition("host=")[2])
    assert socket.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("password", ["", "guessed"])
def test_nor_does_it_let_anybody_in_without_its_password(postgres: Postgres, password: str) -> None:
    """Its own user neither: steps of pipelines may run as that one."""
    url = make_url(postgres.create_database("one")).set(password=password)
    engine = create_engine(url)
    with pytest.raises(OperationalError, match="password"):
        engine.connect()
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "fsync"), [({}, "on"), ({"fsync": "off"}, "off")], ids=["durable", "fast"]
)
def test_its_settings_can_be_chosen(tmp_path: Path, settings: dict[str, str], fsync: str) -> None:
    with embedded_postgres(tmp_path / "it", {**DURABLE, **settings}) as postgres:
        engine = create_engine(postgres.url("postgres"))
        with engine.connect() as connection:
            assert connection.execute(text("SHOW fsync")).scalar_one() == fsync
        engine.dispose()


def test_nothing_is_left_of_an_embedded_one(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / secrets.token_hex(4)) as postgres:
        socket = Path(postgres.url("x").partition("host=")[2])
        data = socket.parent / "data"
        (postmaster,) = [each for each in servers(socket.parent) if each.cmdline()[0].endswith("/postgres")]
        assert postmaster.uids().real != 0
    assert not socket.exists()
    assert not data.exists()
    assert servers(socket.parent) == []


def test_a_server_that_ends_by_itself_is_told(postgres: Postgres, supervisor: Supervisor) -> None:
    (child,) = supervisor._children  # noqa: SLF001
    os.kill(child.pid, signal.SIGTERM)
    child.wait(seconds=30)
    assert supervisor.ended() == [child]
