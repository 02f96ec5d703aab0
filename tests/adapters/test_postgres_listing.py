"""Lists of runs, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.adapters.postgres import Database, PostgresLedger, PostgresRunList, PostgresRuns
from bot.claims import RunQuery
from bot.models import Branch, Outcome, Phase, Repository, Step, StepState
from tests.examples import HOSTILE, REPOSITORY, branch, change, pull, run, wanted
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from bot.models import Run

pytestmark = pytest.mark.postgres

SECRET = Repository(77, "acme/Secret", private=True, clone_url="https://github.example/acme/Secret.git")
MAIN = branch("main")
GROUP = branch("gh-readonly-queue/main/pr-12", merge_group=True)


@pytest.fixture
def listed(database: Database) -> PostgresRunList:
    return PostgresRunList(database)


def by(author: str, one: Run) -> Run:
    return replace(one, conf={**one.conf, "preflight": {"untrusted": {"author": author}}})


def on(of: Branch, pipeline: str = "unit", *, repository: Repository = REPOSITORY) -> Run:
    return replace(
        run(pipeline, number=of.number, base_ref=of.base_ref, repository=repository), branch=of.name
    )


class Days:
    """Stores runs, one after the other."""

    def __init__(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        self.ledger = ledger
        self.runs = runs

    def add(self, one: Run, of: Branch | None = None, outcome: Outcome | None = None) -> str:
        change = admitted(one, of=of or pull(number=max(one.number, 1), repository=one.repository))
        if one.dryrun:
            change = replace(change, verdicts=(), dry_runs=(replace(one, admitted=True),))
        self.ledger.apply(change)
        if outcome is not None:
            (claim,) = (claim for claim in self.runs.claim_runs(100) if claim.run.id == one.id)
            over = replace(claim.run, phase=Phase.FINISHED, outcome=outcome)
            self.runs.save_run(claim, over, cancel_sent=False, seconds=None)
        return one.id


@pytest.fixture
def days(ledger: PostgresLedger, runs: PostgresRuns) -> Days:
    return Days(ledger, runs)


def ids(listed: PostgresRunList, query: RunQuery) -> list[str]:
    return [one.run.id for one in listed.runs(query)]


class TestAll:
    def test_are_there_newest_first(self, listed: PostgresRunList, days: Days) -> None:
        added = [days.add(run(number=number)) for number in (1, 2, 3)]
        found = listed.runs(RunQuery())
        assert [one.run.id for one in found] == added[::-1]
        assert [one.seq for one in found] == sorted((one.seq for one in found), reverse=True)

    def test_are_none_at_first(self, listed: PostgresRunList) -> None:
        assert listed.runs(RunQuery()) == []

    def test_come_in_pages_that_say_whether_there_are_more(self, listed: PostgresRunList, days: Days) -> None:
        added = [days.add(run()) for _ in range(5)][::-1]
        first = listed.runs(RunQuery(most=2))
        assert [one.run.id for one in first] == added[:3]
        second = listed.runs(RunQuery(most=2, after=first[1].seq))
        assert [one.run.id for one in second] == added[2:5]
        assert ids(listed, RunQuery(most=2, after=second[1].seq)) == added[4:]

    def test_a_page_stays_the_same_while_runs_are_added(self, listed: PostgresRunList, days: Days) -> None:
        added = [days.add(run()) for _ in range(3)][::-1]
        first = listed.runs(RunQuery(most=1))
        days.add(run())
        assert ids(listed, RunQuery(after=first[0].seq)) == added[1:]

    def test_have_all_but_what_is_large(
        self, listed: PostgresRunList, runs: PostgresRuns, ledger: PostgresLedger
    ) -> None:
        one = replace(by("Alice", run()), inputs={"size": 3})
        ledger.apply(admitted(one))
        (claim,) = runs.claim_runs(1)
        steps = (Step("t", -1, "t", StepState.FAILED, excerpt=("a line",)),)
        runs.save_run(claim, replace(claim.run, steps=steps, note="queued"), cancel_sent=False, seconds=9)
        (found,) = listed.runs(RunQuery())
        author = {"preflight": {"untrusted": {"author": "Alice"}}}
        assert found.run == replace(one, attempt=1, admitted=True, note="queued", conf=author)


class TestFilters:
    @pytest.fixture
    def added(self, days: Days) -> dict[str, str]:
        other = replace(REPOSITORY, id=43, full_name="Acme/App")
        return {
            "plain": days.add(run()),
            "number": days.add(run(number=13)),
            "repository": days.add(run(repository=other)),
            "pipeline": days.add(run("docs")),
            "branch": days.add(on(MAIN), MAIN),
            "author": days.add(by("Bob", run())),
            "error": days.add(run(), outcome=Outcome.ERROR),
            "failure": days.add(run("docs"), outcome=Outcome.FAILURE),
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (RunQuery(repository="acme/app"), ["repository"]),
            (RunQuery(repository="ACME/APP"), ["repository"]),
            (RunQuery(repository="acme/ap"), []),
            (RunQuery(number=13), ["number"]),
            (RunQuery(repository="acme/widgets", number=13), ["number"]),
            (RunQuery(repository="acme/app", number=13), []),
            (RunQuery(pipeline="docs"), ["failure", "pipeline"]),
            (RunQuery(pipeline="Docs"), []),
            (RunQuery(branch="main"), ["branch"]),
            (RunQuery(branch="widget"), []),
            (RunQuery(author="bob"), ["author"]),
            (RunQuery(author="BOB"), ["author"]),
            (RunQuery(state="error"), ["error"]),
            (RunQuery(state="failure"), ["failure"]),
            (RunQuery(state="success"), []),
            (RunQuery(state="sideways"), []),
            (
                RunQuery(state="unfinished"),
                ["author", "branch", "pipeline", "repository", "number", "plain"],
            ),
            (RunQuery(pipeline="docs", state="unfinished"), ["pipeline"]),
            (
                RunQuery(repository="acme/widgets", pipeline="docs", state="failure", author="Alice"),
                ["failure"],
            ),
            (RunQuery(repository=HOSTILE, pipeline=HOSTILE, branch=HOSTILE, author=HOSTILE), []),
        ],
    )
    def test_show_what_they_say(
        self, listed: PostgresRunList, added: dict[str, str], query: RunQuery, expected: list[str]
    ) -> None:
        names = {run_id: name for name, run_id in added.items()}
        assert [names[run_id] for run_id in ids(listed, query)] == expected

    def test_without_a_pull_requests_author_it_is_who_pushed(
        self, listed: PostgresRunList, days: Days
    ) -> None:
        pushed = days.add(replace(by("", on(MAIN)), actor="Mallory"), MAIN)
        assert ids(listed, RunQuery(author="mallory")) == [pushed]


class TestPrivate:
    def test_are_shown_to_those_who_may_read_them(self, listed: PostgresRunList, days: Days) -> None:
        public, secret = days.add(run()), days.add(run(repository=SECRET))
        last = days.add(run())
        assert ids(listed, RunQuery()) == [last, public]
        assert ids(listed, RunQuery(private=frozenset({SECRET.id, 5}))) == [last, secret, public]
        assert ids(listed, RunQuery(private=frozenset({5}))) == [last, public]

    @pytest.mark.parametrize(
        "query", [RunQuery(repository="acme/secret"), RunQuery(number=12), RunQuery(author="alice")]
    )
    def test_whatever_is_asked_for(self, listed: PostgresRunList, days: Days, query: RunQuery) -> None:
        secret = days.add(run(repository=SECRET))
        assert ids(listed, query) == []
        assert ids(listed, replace(query, private=frozenset({SECRET.id}))) == [secret]

    def test_an_id_in_the_list_opens_no_more_than_its_repository(
        self, listed: PostgresRunList, days: Days
    ) -> None:
        other = replace(SECRET, id=78, full_name="acme/other")
        days.add(run(repository=SECRET))
        days.add(run(repository=other))
        assert len(ids(listed, RunQuery(private=frozenset({other.id})))) == 1

    def test_pages_are_of_all_together(self, listed: PostgresRunList, days: Days) -> None:
        added = [days.add(run(repository=(SECRET, REPOSITORY)[number % 2])) for number in range(6)][::-1]
        seen = RunQuery(most=2, private=frozenset({SECRET.id}))
        first = listed.runs(seen)
        assert [one.run.id for one in first] == added[:3]
        assert ids(listed, replace(seen, after=first[1].seq)) == added[2:5]

    def test_repositories_are_told_those_with_the_newest_runs_first(
        self, listed: PostgresRunList, days: Days
    ) -> None:
        assert listed.private_repositories() == []
        secrets = [replace(SECRET, id=number, full_name=f"acme/secret-{number}") for number in (71, 79, 75)]
        for one in (secrets[1], *secrets):
            days.add(run(repository=one))
        days.add(run())
        assert listed.private_repositories() == secrets[::-1]

    def test_at_most_200_of_them(self, listed: PostgresRunList, ledger: PostgresLedger) -> None:
        for number in range(1, 206):
            repository = replace(SECRET, id=number, full_name=f"acme/{number}")
            ledger.apply(wanted(run(repository=repository), of=pull(repository=repository)))
        found = [one.id for one in listed.private_repositories()]
        assert found == list(range(205, 5, -1))


class TestWhoMayReadChanges:
    """Old runs are as private as their repository is now."""

    def test_it_becomes_private(self, listed: PostgresRunList, days: Days, ledger: PostgresLedger) -> None:
        days.add(run())
        ledger.rename(replace(REPOSITORY, private=True))
        assert ids(listed, RunQuery()) == []
        assert [one.id for one in listed.private_repositories()] == [REPOSITORY.id]

    def test_it_becomes_public(self, listed: PostgresRunList, days: Days, ledger: PostgresLedger) -> None:
        days.add(run(repository=SECRET))
        ledger.rename(replace(SECRET, private=False))
        assert len(ids(listed, RunQuery())) == 1

    @pytest.mark.parametrize("private", [True, False])
    def test_a_decision_about_another_pull_request_tells_it(
        self, listed: PostgresRunList, days: Days, ledger: PostgresLedger, *, private: bool
    ) -> None:
        """Nobody may have told us of the change itself."""
        days.add(run(repository=replace(REPOSITORY, private=not private)))
        ledger.apply(change(pull(number=99, repository=replace(REPOSITORY, private=private))))
        assert len(ids(listed, RunQuery())) == (0 if private else 1)

    def test_an_old_push_does_not_open_what_was_closed(self, listed: PostgresRunList, days: Days) -> None:
        days.add(run(repository=SECRET))
        then = replace(SECRET, private=False)
        days.add(on(MAIN, repository=then), branch(repository=then))
        assert ids(listed, RunQuery()) == []
        assert len(ids(listed, RunQuery(private=frozenset({SECRET.id})))) == 2


class TestLatest:
    def test_is_the_newest_that_ended_on_the_branch(self, listed: PostgresRunList, days: Days) -> None:
        days.add(on(MAIN), MAIN, Outcome.SUCCESS)
        newest = days.add(on(MAIN), MAIN, Outcome.FAILURE)
        days.add(on(MAIN), MAIN)
        found = listed.latest("acme/widgets", "unit", "main")
        assert found is not None
        assert (found.id, found.outcome) == (newest, Outcome.FAILURE)

    @pytest.mark.parametrize(
        "asked",
        [("acme/widget", "unit", "main"), ("acme/widgets", "docs", "main"), ("acme/widgets", "unit", "Main")],
    )
    def test_of_that_repository_pipeline_and_branch(
        self, listed: PostgresRunList, days: Days, asked: tuple[str, str, str]
    ) -> None:
        days.add(on(MAIN), MAIN, Outcome.SUCCESS)
        assert listed.latest(*asked) is None
        assert listed.latest("Acme/WIDGETS", "unit", "main") is not None

    def test_else_of_what_was_merged_into_it(self, listed: PostgresRunList, days: Days) -> None:
        merged = days.add(on(GROUP), GROUP, Outcome.FAILURE)
        found = listed.latest("acme/widgets", "unit", "main")
        assert found is not None
        assert found.id == merged
        pushed = days.add(on(MAIN), MAIN, Outcome.SUCCESS)
        days.add(on(GROUP), GROUP, Outcome.FAILURE)
        found = listed.latest("acme/widgets", "unit", "main")
        assert found is not None
        assert found.id == pushed

    def test_pull_requests_say_nothing_about_the_branch(self, listed: PostgresRunList, days: Days) -> None:
        days.add(run(), outcome=Outcome.FAILURE)
        assert listed.latest("acme/widgets", "unit", "main") is None

    @pytest.mark.parametrize(
        ("other", "outcome"),
        [
            pytest.param(on(MAIN), Outcome.CANCELLED, id="stopped"),
            pytest.param(replace(on(MAIN), inputs={"size": 3}), Outcome.FAILURE, id="inputs"),
            pytest.param(replace(on(MAIN), dryrun=True), Outcome.FAILURE, id="dry run"),
        ],
    )
    def test_nor_does_what_is_no_full_run(
        self, listed: PostgresRunList, days: Days, other: Run, outcome: Outcome
    ) -> None:
        days.add(replace(other, id=run().id), MAIN, outcome)
        assert listed.latest("acme/widgets", "unit", "main") is None
