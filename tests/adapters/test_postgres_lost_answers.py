"""The connection breaks before or after a write took place: done again, it is there once."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import (
    Database,
    PostgresArchive,
    PostgresBudget,
    PostgresInbox,
    PostgresLedger,
    PostgresReader,
    PostgresReports,
    PostgresRuns,
    PostgresTickets,
)
from bot.adapters.postgres.leases import release_dead
from bot.claims import ShownCheck, Turn, Window
from bot.errors import StoreUnavailable
from bot.models import Delivery, Outcome, Phase, Reply, Status, StatusState, TicketUse
from tests.examples import HEAD, NOON, REPOSITORY, at, run, wanted
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

pytestmark = pytest.mark.postgres


class Breaking(Database):
    """A database whose connection breaks at the next write: before it, or after it but before the answer."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=4)
        self.breaks = ""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._breaking(), super().begin() as connection:
            yield connection

    @contextmanager
    def once(self) -> Iterator[Connection]:
        with self._breaking(), super().once() as connection:
            yield connection

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        breaks, self.breaks = self.breaks, ""
        if breaks == "before":
            raise StoreUnavailable("the database does not answer")
        yield
        if breaks == "after":
            raise StoreUnavailable("the database went away")


class Place:
    """What a worker writes with; whatever a test needs has been there before."""

    def __init__(self, database: Breaking) -> None:
        self.database = database
        self.inbox, self.ledger = PostgresInbox(database), PostgresLedger(database)
        self.runs, self.reports = PostgresRuns(database), PostgresReports(database)
        self.archive, self.tickets = PostgresArchive(database), PostgresTickets(database)
        self.run = run()

    def free_what_is_held(self) -> None:
        """What the listener does a moment after a claim's answer was lost."""
        with self.database.begin() as connection:
            release_dead(connection)

    def has(self, query: str) -> list[object]:
        with self.database.begin() as connection:
            return list(connection.execute(text(query)).scalars())


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    database = Breaking(database_url)
    yield Place(database)
    database.close()


@dataclass(frozen=True)
class Write:
    """`prepare` returns what writes; `query` then finds what is `there`, however often it was written."""

    prepare: Callable[[Place], Callable[[], object]]
    query: str
    there: list[object]


def decided(place: Place) -> Callable[[], object]:
    change = replace(admitted(place.run), reply=Reply(5001, "hello"), after=0)

    def decide_again() -> object:
        # As the handler does it: the delivery is tried again, and looks at what is there.
        if PostgresReader(place.database).run(place.run.id) is not None:
            return None
        return place.ledger.apply(change)

    return decide_again


def claimed_delivery(place: Place) -> Callable[[], object]:
    place.inbox.put(Delivery("d", "push", b"{}", "lane"))

    def claim() -> object:
        place.free_what_is_held()
        return place.inbox.claim()

    return claim


def finished_delivery(place: Place) -> Callable[[], object]:
    place.inbox.put(Delivery("d", "push", b"{}", "lane"))
    claim = place.inbox.claim()
    assert claim is not None
    return lambda: place.inbox.finish(claim, ignored=False, reason="")


def retried_delivery(place: Place) -> Callable[[], object]:
    place.inbox.put(Delivery("d", "push", b"{}", "lane"))
    claim = place.inbox.claim()
    assert claim is not None
    return lambda: place.inbox.retry(claim, seconds=5, reason="502")


def claimed_run(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))

    def claim() -> object:
        place.free_what_is_held()
        return place.runs.claim_runs(10)

    return claim


def intended(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))
    (claim,) = place.runs.claim_runs(1)
    return lambda: place.runs.intend(claim, "preflight~a")


def saved(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))
    (claim,) = place.runs.claim_runs(1)
    over = replace(
        claim.run,
        phase=Phase.FINISHED,
        outcome=Outcome.SUCCESS,
        dag_run_id="preflight~a",
        started_at=at(1),
        finished_at=at(2),
    )
    return lambda: place.runs.save_run(claim, over, cancel_sent=False, seconds=None)


def admitted_run(place: Place) -> Callable[[], object]:
    place.ledger.apply(wanted(place.run))
    return lambda: place.runs.admit(lambda queue, _: [Turn(one.id, admitted=True) for one in queue])


def archived(place: Place) -> Callable[[], object]:
    saved(place)()
    claim = place.archive.claim_archive()
    assert claim is not None
    return lambda: place.archive.archived(claim, seconds=None)


def claimed_archive(place: Place) -> Callable[[], object]:
    saved(place)()

    def claim() -> object:
        place.free_what_is_held()
        return place.archive.claim_archive()

    return claim


def claimed_pull(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))

    def claim() -> object:
        place.free_what_is_held()
        return place.reports.claim_pull()

    return claim


def released_pull(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))
    claim = place.reports.claim_pull()
    assert claim is not None
    return lambda: place.reports.release_pull(claim, seconds=None, failed=False)


def settled(place: Place) -> Callable[[], object]:
    place.ledger.apply(admitted(place.run))
    claim = place.reports.claim_pull()
    assert claim is not None
    return lambda: place.reports.settle_head(claim, HEAD)


def shown_status(place: Place) -> Callable[[], object]:
    status = Status("preflight/unit", StatusState.SUCCESS, "passed")
    return lambda: place.reports.set_shown(REPOSITORY, HEAD, status)


def shown_check(place: Place) -> Callable[[], object]:
    check = ShownCheck("preflight/unit", "12:a", 7, "digest", NOON)
    return lambda: place.reports.set_shown_check(REPOSITORY, HEAD, check)


def used_ticket(place: Place) -> Callable[[], object]:
    """Who lost the answer has no token either; the next try of the step gets one of its own."""

    def use() -> object:
        with place.tickets.spend(TicketUse(place.run.id, "clone", 1)) as fresh:
            return fresh

    return use


def spent(place: Place) -> Callable[[], object]:
    """What was sent to GitHub may be counted twice: that costs room, and room comes back."""
    window = Window("points", 60.0, 100.0)
    return lambda: PostgresBudget(place.database).take("acme", {"points": 5.0}, [window])


def pushed(place: Place) -> Callable[[], object]:
    return lambda: place.ledger.record_push(REPOSITORY, 12, HEAD, "alice")


BOTH = "SELECT count(*) FROM decisions UNION ALL SELECT count(*) FROM runs"
WRITES = {
    "a decision": Write(decided, BOTH, [1, 1]),
    "a push": Write(pushed, "SELECT pusher FROM heads", ["alice"]),
    "a claim of a delivery": Write(claimed_delivery, "SELECT state FROM deliveries", ["working"]),
    "a delivery's end": Write(finished_delivery, "SELECT state FROM deliveries", ["done"]),
    "a delivery's next try": Write(retried_delivery, "SELECT state FROM deliveries", ["queued"]),
    "a claim of a run": Write(claimed_run, "SELECT phase FROM runs", ["wanted"]),
    "a run's turn": Write(admitted_run, "SELECT admitted FROM runs", [True]),
    "a run's name in Airflow": Write(intended, "SELECT dag_run_id FROM runs", ["preflight~a"]),
    "what a run is now": Write(saved, "SELECT outcome FROM runs", ["success"]),
    "a claim for the archive": Write(claimed_archive, "SELECT lease_owner IS NOT NULL FROM runs", [True]),
    "that a run is archived": Write(archived, "SELECT archive_due_at FROM runs", [None]),
    "a claim of a report": Write(claimed_pull, "SELECT lease_owner IS NOT NULL FROM pull_requests", [True]),
    "a report's end": Write(released_pull, "SELECT lease_owner FROM pull_requests", [None]),
    "that a head is settled": Write(settled, "SELECT settled FROM heads", [True]),
    "what a context shows": Write(shown_status, "SELECT state FROM shown_statuses", ["success"]),
    "what a check run shows": Write(shown_check, "SELECT check_id FROM shown_checks", [7]),
    "a ticket's use": Write(used_ticket, "SELECT task_id FROM ticket_uses", ["clone"]),
    "what is spent at GitHub": Write(spent, "SELECT DISTINCT cost FROM github_spending", [5.0]),
}


@pytest.mark.parametrize("breaks", ["before", "after"])
@pytest.mark.parametrize("name", WRITES)
def test_done_again_it_is_there_once(place: Place, name: str, breaks: str) -> None:
    write = WRITES[name]
    again = write.prepare(place)
    place.database.breaks = breaks
    with pytest.raises(StoreUnavailable):
        again()
    again()
    assert place.has(write.query) == write.there
