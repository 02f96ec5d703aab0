"""A database that is frozen, slow, full or read-only: whoever asks it hears so in time; then all goes on."""

from __future__ import annotations

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from bot.adapters.postgres import Database, Listener, PostgresInbox, PostgresRuns, bounded, listener
from bot.claims import Receipt
from bot.errors import StoreUnavailable
from bot.intake import webhook
from bot.intake.signature import sign
from bot.models import Delivery
from deploy.local.postgres import FAST, embedded_postgres
from tests.examples import comment_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from deploy.local.postgres import Postgres

pytestmark = pytest.mark.postgres

PATIENCE = 1.5
SECONDS = 60.0
CONNECTIONS = 30
SECRET = "the secret"
LOCK = text("SELECT pg_advisory_xact_lock(7)")
WAITS = text(
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' "
    "AND query_start < clock_timestamp() - make_interval(secs => :seconds))"
)
BODY = json.dumps(comment_payload("/test")).encode()


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One to which anything may be done."""
    few = {**FAST, "max_connections": str(CONNECTIONS), "superuser_reserved_connections": "1"}
    few["authentication_timeout"] = "3s"  # who gave up in the middle of connecting keeps a place for so long
    with embedded_postgres(tmp_path_factory.mktemp("own"), few) as postgres:
        yield postgres


@pytest.fixture
def url(own_postgres: Postgres) -> str:
    url = own_postgres.create_database("preflight")
    fresh = Database(url, pool_size=1)
    fresh.migrate()
    fresh.close()
    return url


@pytest.fixture
def impatient(url: str) -> Iterator[Database]:
    """A process that waits for a moment only."""
    database = Database(url, pool_size=10, patience=PATIENCE)
    yield database
    database.close()


@pytest.fixture
def inbox(impatient: Database) -> PostgresInbox:
    return PostgresInbox(impatient)


def plain(postgres: Postgres) -> str:
    """The server's address as psycopg itself takes it."""
    return postgres.url("postgres").replace("+psycopg", "")


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """All of its processes stand still: the kernel takes connections and bytes, and nobody reads them."""
    with psycopg.connect(plain(postgres)) as connection:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        server = psutil.Process(pid).parent()
    assert server is not None
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.send_signal(signal.SIGCONT)


def delivery(delivery_id: str = "d") -> Delivery:
    return Delivery(delivery_id, "pull_request", b"{}", "lane")


def until(condition: Callable[[], object]) -> None:
    looks = 0
    while not condition():
        looks += 1
        assert looks < 3_000, "it did not happen in time"
        threading.Event().wait(0.02)


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except StoreUnavailable:
        return False
    return True


class TestFrozen:
    """Without limits of our own each of these would wait for ever."""

    def test_who_asks_hears_of_it_and_who_comes_then_at_once(
        self, own_postgres: Postgres, inbox: PostgresInbox
    ) -> None:
        inbox.put(delivery("before"))
        with frozen(own_postgres):
            with pytest.raises(StoreUnavailable, match="silent"):
                inbox.claim()
            with pytest.raises(StoreUnavailable, match="has just been silent"):
                inbox.claim()
        until(lambda: succeeds(inbox.next_due))

    def test_what_was_taken_without_our_hearing_of_it_comes_free(
        self,
        own_postgres: Postgres,
        inbox: PostgresInbox,
        impatient: Database,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The server carries out what it was sent once it goes on, though nobody waits for it any more."""
        monkeypatch.setattr(listener, "RELEASE_SECONDS", 0.2)
        inbox.put(delivery())
        stop = threading.Event()
        listening = threading.Thread(target=Listener(impatient, lambda _: None).run, args=(stop.wait,))
        listening.start()
        with frozen(own_postgres), pytest.raises(StoreUnavailable, match="silent"):
            inbox.claim()
        claims = []

        def is_taken() -> bool:
            with suppress(StoreUnavailable):
                claims.append(inbox.claim())
            return any(claims)

        until(is_taken)
        stop.set()
        listening.join(SECONDS)

    def test_so_does_who_has_to_connect_first(self, own_postgres: Postgres, inbox: PostgresInbox) -> None:
        with frozen(own_postgres), pytest.raises(StoreUnavailable):
            inbox.claim()
        until(lambda: succeeds(inbox.claim))

    def test_so_does_a_transaction(self, own_postgres: Postgres, impatient: Database) -> None:
        with (
            pytest.raises(StoreUnavailable, match="silent"),
            impatient.begin() as connection,
            frozen(own_postgres),
        ):
            connection.execute(text("SELECT 1"))

    def test_webhooks_are_refused_all_of_them_and_taken_later(
        self, own_postgres: Postgres, inbox: PostgresInbox
    ) -> None:
        """With 503, so that GitHub's log says that they were missed."""
        app = Flask("web")
        app.register_blueprint(webhook.blueprint(inbox, [SECRET]))

        def post(number: int) -> int:
            headers = {
                "Content-Type": "application/json",
                "X-GitHub-Event": "issue_comment",
                "X-GitHub-Delivery": f"d-{number}",
                "X-Hub-Signature-256": sign(BODY, SECRET),
            }
            return app.test_client().post("/webhook", data=BODY, headers=headers).status_code

        with frozen(own_postgres), ThreadPoolExecutor(8) as pool:
            assert list(pool.map(post, range(40))) == [503] * 40
        until(lambda: post(0) == 202)
        until(lambda: all(post(number) == 202 for number in range(40)))


class TestSlow:
    def test_a_statement_that_takes_too_long_is_ended_by_the_server(self, impatient: Database) -> None:
        with impatient.begin() as connection:
            before = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with pytest.raises(StoreUnavailable, match="statement timeout"), impatient.begin() as connection:
            connection.execute(text("SELECT pg_sleep(600)"))
        with impatient.begin() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == before

    def test_who_waits_for_a_lock_gives_up(self, inbox: PostgresInbox, url: str) -> None:
        other = Database(url, pool_size=1)
        with other.begin() as connection:
            connection.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                inbox.claim()
        other.close()
        assert inbox.put(delivery()) is Receipt.STORED

    def test_who_is_frozen_in_a_transaction_does_not_hold_up_the_others_for_ever(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounded, "IDLE_SECONDS", 0.2)
        frozen_one, other = Database(url, pool_size=1), Database(url, pool_size=1, patience=SECONDS)

        def take_the_lock_and_wait_for_another() -> None:
            with frozen_one.begin() as mine:
                mine.execute(LOCK)
                with other.begin() as theirs:
                    theirs.execute(LOCK)  # once the time of the frozen one is over
                mine.execute(LOCK)

        with pytest.raises(StoreUnavailable):
            take_the_lock_and_wait_for_another()
        for database in (frozen_one, other):
            database.close()

    def test_a_migration_takes_as_long_as_it_takes(self, url: str, impatient: Database) -> None:
        other = Database(url, pool_size=2)
        with ThreadPoolExecutor(1) as pool:
            with other.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(1886545254)"))
                migration: Future[None] = pool.submit(impatient.migrate)

                def has_waited() -> bool:
                    with other.once() as looking:
                        return bool(looking.execute(WAITS, {"seconds": 2 * PATIENCE}).scalar())

                until(has_waited)
            migration.result(SECONDS)
        other.close()


class TestReadOnly:
    def test_it_is_said_and_the_next_connection_may_find_another_server(
        self, own_postgres: Postgres, inbox: PostgresInbox, impatient: Database
    ) -> None:
        with impatient.once() as connection:
            connection.execute(text("ALTER DATABASE preflight SET default_transaction_read_only = on"))
        impatient.engine.dispose()
        with pytest.raises(StoreUnavailable, match="read-only"):
            inbox.put(delivery())
        with psycopg.connect(plain(own_postgres), autocommit=True) as mending:
            mending.execute("ALTER DATABASE preflight SET default_transaction_read_only = off")
        assert inbox.put(delivery()) is Receipt.STORED


class TestFull:
    def test_without_a_free_connection_it_waits_for_one(
        self, own_postgres: Postgres, inbox: PostgresInbox
    ) -> None:
        with ExitStack() as taken:

            def take_all() -> None:
                for _ in range(CONNECTIONS + 1):
                    taken.enter_context(psycopg.connect(plain(own_postgres)))

            with pytest.raises(psycopg.OperationalError):
                take_all()
            with pytest.raises(StoreUnavailable, match=r"too many clients|reserved"):
                inbox.put(delivery())
        until(lambda: succeeds(lambda: inbox.put(delivery())))
        assert inbox.claim() is not None

    def test_a_pool_that_is_in_use_is_not_waited_for_for_long(self, url: str) -> None:
        database = Database(url, pool_size=1, patience=PATIENCE)
        with ExitStack() as used:
            for _ in range(5):  # as many as the pool has at most
                used.enter_context(database.begin())
            with pytest.raises(StoreUnavailable, match="no database connection came free"):
                PostgresRuns(database).next_due()
        assert PostgresRuns(database).next_due() is None
        database.close()
