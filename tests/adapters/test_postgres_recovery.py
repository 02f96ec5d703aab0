"""What making good needs from a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.adapters.postgres import (
    Database,
    PostgresByHand,
    PostgresInbox,
    PostgresLedger,
    PostgresRecovery,
    PostgresReports,
)
from bot.events.proposal import proposal
from bot.events.recheck import recheck
from bot.models import Delivery, KnownPull, Repository, ShownPull, Status, StatusState, Verdict
from tests.examples import HEAD, NOON, REPOSITORY, branch, change, pull, run, sha, wanted
from tests.fixtures.postgres import settle

pytestmark = pytest.mark.postgres

MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(database: Database) -> PostgresRecovery:
    return PostgresRecovery(database)


@pytest.fixture
def by_hand(database: Database) -> PostgresByHand:
    return PostgresByHand(database)


@pytest.fixture
def inbox(database: Database) -> PostgresInbox:
    return PostgresInbox(database)


def ask(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


class TestAlone:
    def test_one_process_is(self, store: PostgresRecovery, other_database: Database) -> None:
        other = PostgresRecovery(other_database)
        assert [store.is_alone(), other.is_alone(), store.is_alone()] == [True, False, True]

    def test_when_it_dies_or_loses_its_connection_another_is(
        self, store: PostgresRecovery, other_database: Database
    ) -> None:
        assert store.is_alone()
        other = PostgresRecovery(other_database)
        ask(
            other_database,
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        assert other.is_alone()
        assert not store.is_alone()


class TestMarks:
    def test_there_is_none_at_first(self, store: PostgresRecovery) -> None:
        assert store.mark("x") is None

    def test_are_remembered(self, store: PostgresRecovery) -> None:
        for at in (NOON, NOON + MINUTE):
            store.set_mark("x", at)
            assert store.mark("x") == at

    def test_are_renewed_unless_they_are_too_old(self, store: PostgresRecovery) -> None:
        store.set_mark("old", NOON - MINUTE)
        store.set_mark("new", NOON)
        store.set_mark("other", NOON)
        assert store.renew(["old", "new", "none"], NOON + MINUTE, NOON) == {"new"}
        assert [store.mark(name) for name in ("old", "new", "other", "none")] == [
            NOON - MINUTE,
            NOON + MINUTE,
            NOON,
            None,
        ]


def test_what_is_in_the_inbox_is_known(store: PostgresRecovery, inbox: PostgresInbox) -> None:
    for guid in ("a", "b"):
        inbox.put(Delivery(guid, "push", b"{}", "1"))
    inbox.finish(inbox.claim(), ignored=True, reason="")  # type: ignore[arg-type]  # there is one
    assert store.known({"a", "b", "c"}) == {"a", "b"}
    assert store.known(()) == set()


class TestRepositories:
    def test_are_those_that_something_was_decided_about(
        self, store: PostgresRecovery, ledger: PostgresLedger, database: Database
    ) -> None:
        other = Repository(43, "acme/other", private=True)
        before = datetime.now(UTC) - MINUTE
        ledger.apply(wanted(run()))
        ledger.apply(wanted(of=branch(repository=other)))
        ask(database, "UPDATE heads SET seen_at = '2026-03-04 12:00Z' WHERE repository_id = 42 RETURNING 1")

        found = store.repositories()

        assert list(found) == [Repository(42, "acme/widgets"), other]
        assert found[Repository(42, "acme/widgets")] == NOON
        assert found[other] > before

    @pytest.mark.parametrize("forgotten", [["heads"], ["heads", "decisions"]], ids=" and ".join)
    def test_do_not_drop_out_with_what_is_forgotten(
        self, store: PostgresRecovery, ledger: PostgresLedger, database: Database, forgotten: list[str]
    ) -> None:
        ledger.apply(wanted(run()))
        ask(database, f"UPDATE decisions SET decided_at = '{NOON}' RETURNING 1")  # noqa: S608 - our own words
        store.set_mark("began", NOON)
        for table in forgotten:
            ask(database, f"DELETE FROM {table} RETURNING 1")  # noqa: S608 - our own words
        assert store.repositories() == {Repository(42, "acme/widgets"): NOON}

    def test_none_is_known_from_a_push_alone(self, store: PostgresRecovery, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert store.repositories() == {}


class TestPulls:
    def test_tell_what_we_heard(self, store: PostgresRecovery, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, sha(1), "alice")
        ledger.apply(wanted(run(head_sha=sha(1)), of=pull(head_sha=sha(1))))
        ledger.apply(wanted(of=pull(head_sha=sha(2), base_ref="next")))

        (known,) = store.pulls(REPOSITORY, [12, 13]).values()

        assert known == KnownPull(
            12,
            open=True,
            head_sha=sha(2),
            base_ref="next",
            heads=frozenset({sha(1), sha(2)}),
            told=frozenset({sha(1)}),
        )

    def test_tell_what_the_head_waits_for(self, store: PostgresRecovery, ledger: PostgresLedger) -> None:
        waits = Status("preflight/unit", StatusState.PENDING, "waits until ready for review")
        passed = Status("preflight/e2e", StatusState.SUCCESS, "skipped")
        verdicts = (
            Verdict(waits.context, "unit", status=waits),
            Verdict(passed.context, "e2e", status=passed),
        )
        ledger.apply(change(None, *verdicts))

        known = store.pulls(REPOSITORY, [12])[12]

        assert known.waits == {"waits until ready for review"}
        assert known.told == {HEAD}

    def test_one_that_was_only_pushed_to_counts_as_open(
        self, store: PostgresRecovery, ledger: PostgresLedger
    ) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert store.pulls(REPOSITORY, [12])[12] == KnownPull(
            12, open=True, head_sha="", base_ref="", heads=frozenset({HEAD})
        )

    def test_all_open_ones_without_branches(self, store: PostgresRecovery, ledger: PostgresLedger) -> None:
        for subject in (pull(number=1), pull(number=2, is_open=False), branch()):
            ledger.apply(wanted(of=subject))
        assert list(store.pulls(REPOSITORY, None)) == [1]


class TestByAndBy:
    def wait(self, database: Database, minutes: int = 20) -> None:
        """Nobody works for so long."""
        ago = f"interval '{minutes} minutes'"
        moved = f"due_at = due_at - {ago}, received_at = received_at - {ago}"
        ask(database, f"UPDATE deliveries SET {moved} RETURNING 1")  # noqa: S608 - our own words

    def due(self, database: Database) -> list[float]:
        query = "SELECT round(extract(epoch FROM due_at - now())) FROM deliveries ORDER BY due_at"
        return [float(str(row[0])) for row in ask(database, query)]

    def test_each_is_due_after_the_one_before(self, store: PostgresRecovery, database: Database) -> None:
        first = [recheck(REPOSITORY, n, sender="bot", because="one") for n in range(3)]
        second = [recheck(REPOSITORY, n, sender="bot", because="two") for n in range(2)]
        assert store.put_by_and_by(first, 60) == 3
        assert store.put_by_and_by(second, 60) == 2
        assert self.due(database) == [0, 60, 120, 180, 240]

    def test_the_same_are_put_once(self, store: PostgresRecovery, database: Database) -> None:
        same = [recheck(REPOSITORY, n, sender="bot", because="one") for n in range(3)]
        assert [store.put_by_and_by(same, 60) for _ in range(2)] == [3, 0]
        assert self.due(database) == [0, 60, 120]

    def test_nothing_else_is_held_up(self, store: PostgresRecovery, inbox: PostgresInbox) -> None:
        store.put_by_and_by([recheck(REPOSITORY, n, sender="bot", because="one") for n in (1, 2)], 60)
        inbox.put(Delivery("later", "push", b"{}", f"{REPOSITORY.id}#2"))
        taken = [inbox.claim(), inbox.claim(), inbox.claim()]
        assert [one and one.delivery.id for one in taken] == ["one~42~1", "later", None]

    def test_none_is_nothing(self, store: PostgresRecovery) -> None:
        assert store.put_by_and_by([], 60) == 0

    def test_after_an_outage_they_still_come_one_after_another(
        self, store: PostgresRecovery, inbox: PostgresInbox, other_database: Database, database: Database
    ) -> None:
        late = [recheck(REPOSITORY, n, sender="bot", because="audit-1") for n in range(4)]
        store.put_by_and_by(late, 6)
        self.wait(database)
        later = [recheck(REPOSITORY, n, sender="bot", because="audit-2") for n in (10, 11)]
        store.put_by_and_by(later, 6)

        first, second = inbox.claim(), inbox.claim()

        assert first is not None
        assert first.delivery.id.startswith("audit-1~")
        assert second is not None, "it has just become due"
        assert second.delivery.id == "audit-2~42~10"
        assert PostgresInbox(other_database).claim() is None
        waiting = "SELECT round(extract(epoch FROM due_at - now())), due_at = received_at FROM deliveries"
        assert ask(database, f"{waiting} WHERE state = 'queued' ORDER BY due_at") == [
            (6, True),
            (12, True),
            (18, True),
            (24, True),
        ]

    @pytest.mark.parametrize(
        ("claimed", "waits", "due"),
        [
            (
                recheck(REPOSITORY, 1, sender="bot", because="audit-1"),
                recheck(REPOSITORY, 2, sender="bot", because="audit-1"),
                6,
            ),
            (
                proposal(REPOSITORY, 1, sender="bot", because="a"),
                proposal(REPOSITORY, 2, sender="bot", because="a"),
                -600,
            ),
            (
                proposal(REPOSITORY, 1, sender="bot", because="a"),
                recheck(REPOSITORY, 2, sender="bot", because="audit-1"),
                -600,
            ),
            (
                recheck(REPOSITORY, 1, sender="bot", because="audit-1"),
                recheck(REPOSITORY, 2, sender="bot", because="a"),
                -600,
            ),
            (
                recheck(REPOSITORY, 1, sender="bot", because="a"),
                recheck(REPOSITORY, 2, sender="bot", because="audit-1"),
                -600,
            ),
            (
                Delivery("a", "push", b"{}", "1"),
                recheck(REPOSITORY, 2, sender="bot", because="audit-1"),
                -600,
            ),
        ],
        ids=["audits", "proposals", "another-kind", "of-a-push", "by-a-push", "github-s"],
    )
    def test_that_holds_nothing_else_up(
        self, inbox: PostgresInbox, database: Database, claimed: Delivery, waits: Delivery, due: int
    ) -> None:
        for one in (claimed, waits):
            inbox.put(one)
        self.wait(database, minutes=10)
        inbox.claim()
        assert self.due(database)[-1] == due

    def test_one_that_was_tried_before_keeps_its_age(self, inbox: PostgresInbox, database: Database) -> None:
        for number in (1, 2):
            inbox.put(recheck(REPOSITORY, number, sender="bot", because="audit-1"))
        ask(database, "UPDATE deliveries SET tries = 1 RETURNING 1")
        self.wait(database)
        inbox.claim()
        ages = "SELECT now() - received_at > interval '9 minutes' FROM deliveries WHERE due_at > now()"
        assert ask(database, ages) == [(True,)]

    def test_what_waits_on_purpose_is_not_old(self, store: PostgresRecovery, database: Database) -> None:
        store.put_by_and_by([recheck(REPOSITORY, n, sender="bot", because="one") for n in (1, 2)], 6000)
        ages = "SELECT extract(epoch FROM now() - received_at) > 60 FROM deliveries"
        assert ask(database, ages) == [(False,), (False,)]


class TestReplay:
    def state(self, by_hand: PostgresByHand) -> str:
        known = by_hand.delivery("a")
        assert known is not None
        return known.state

    def test_one_that_is_not_here(self, by_hand: PostgresByHand) -> None:
        assert by_hand.delivery("a") is None
        assert not by_hand.replay("a")

    @pytest.mark.parametrize("became", ["done", "ignored", "parked", "queued"])
    def test_is_queued_whatever_became_of_it(
        self, by_hand: PostgresByHand, inbox: PostgresInbox, became: str
    ) -> None:
        inbox.put(Delivery("a", "push", b"{}", "1"))
        claim = inbox.claim()
        assert claim is not None
        {
            "done": lambda: inbox.finish(claim, ignored=False, reason="so"),
            "ignored": lambda: inbox.finish(claim, ignored=True, reason="so"),
            "parked": lambda: inbox.park(claim, "so"),
            "queued": lambda: inbox.retry(claim, seconds=1000, reason="so"),
        }[became]()
        known = by_hand.delivery("a")
        assert known is not None
        assert (known.event, known.state, known.reason) == ("push", became, "so")

        assert by_hand.replay("a")

        again = inbox.claim()
        assert again is not None
        assert (again.delivery.id, again.tries) == ("a", 1)

    def test_one_that_is_being_handled_is_left_alone(
        self, by_hand: PostgresByHand, inbox: PostgresInbox
    ) -> None:
        inbox.put(Delivery("a", "push", b"{}", "1"))
        inbox.claim()
        assert not by_hand.replay("a")
        assert self.state(by_hand) == "working"

    def test_lists_what_is_parked(self, by_hand: PostgresByHand, inbox: PostgresInbox) -> None:
        for guid in "abc":
            inbox.put(Delivery(guid, "push", b"{}", guid))
        for _ in "ab":
            claim = inbox.claim()
            assert claim is not None
            inbox.park(claim, "so")
        assert [each.id for each in by_hand.parked()] == ["a", "b"]


class TestShown:
    @pytest.fixture
    def shows(self, ledger: PostgresLedger, database: Database) -> Status:
        """A pull request whose comment and status are there."""
        ledger.apply(wanted(run()))
        status = Status("preflight/unit", StatusState.SUCCESS, "passed", "https://x/1")
        PostgresReports(database).set_shown(REPOSITORY, HEAD, status)
        ask(database, "UPDATE pull_requests SET comment_id = 7, comment_digest = 'x' RETURNING 1")
        settle(database)
        return status

    def test_is_what_we_sent(self, by_hand: PostgresByHand, shows: Status) -> None:
        assert by_hand.shown(REPOSITORY, [12, 13]) == [ShownPull(12, HEAD, (shows,), 7)]

    def test_a_lost_status_is_sent_again(
        self, by_hand: PostgresByHand, shows: Status, database: Database
    ) -> None:
        by_hand.lost_status(REPOSITORY, HEAD, shows.context)
        ((shown,),) = ask(database, "SELECT description FROM shown_statuses")
        assert shown == ""
        due = "SELECT due_at <= now(), settled FROM pull_requests JOIN heads USING (repository_id, number)"
        assert ask(database, due) == [(True, False)]

    @pytest.mark.usefixtures("shows")
    def test_a_lost_comment_is_posted_again(self, by_hand: PostgresByHand, database: Database) -> None:
        by_hand.lost_comment(REPOSITORY, 12)
        assert ask(database, "SELECT comment_id, comment_digest, due_at <= now() FROM pull_requests") == [
            (None, "", True)
        ]
