"""What earlier runs tell about a run, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresPast, PostgresRuns
from bot.adapters.postgres.usual import Usual
from bot.claims import Turn
from bot.models import (
    NO_PAST,
    FlakyTest,
    Outcome,
    Phase,
    Step,
    StepResult,
    StepState,
    TestFailure,
    TestResults,
)
from tests.adapters.postgres_turns import resume
from tests.examples import HOSTILE, at, branch, moved, pull, run, sha
from tests.fixtures.postgres import admitted

if TYPE_CHECKING:
    from bot.models import Run, Subject

pytestmark = pytest.mark.postgres

MAIN = branch("main")
GROUP = branch("gh-readonly-queue/main/pr-12", merge_group=True)


@pytest.fixture
def past(database: Database) -> PostgresPast:
    return PostgresPast(database)


class Day:
    """Runs, one after the other."""

    def __init__(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        self.ledger = ledger
        self.runs = runs

    def start(self, one: Run, of: Subject | None = None) -> Run:
        of = of or pull(number=one.number, head_sha=one.head_sha)
        change = admitted(one, of=of)
        if one.dryrun:
            change = replace(change, verdicts=(), dry_runs=(replace(one, admitted=True),))
        self.ledger.apply(change)
        return one

    def look(self, *steps: Step, **fields: object) -> Run:
        """Whatever is due is now like this."""
        (claim,) = self.runs.claim_runs(1)
        now = replace(claim.run, phase=Phase.ACTIVE, steps=steps)
        now = replace(now, dag_run_id=f"preflight~{now.id}", **fields)  # type: ignore[arg-type]  # the test's
        self.runs.save_run(claim, now, cancel_sent=False, seconds=None if now.finished else 0)
        return now

    def end(self, *steps: Step, outcome: Outcome = Outcome.SUCCESS, seconds: float = 60) -> Run:
        return self.look(
            *steps,
            phase=Phase.FINISHED,
            outcome=outcome,
            started_at=at(0),
            finished_at=at(seconds),
        )

    def took(self, seconds: float, one: Run | None = None, of: Subject | None = None) -> Run:
        self.start(one or run(), of)
        return self.end(seconds=seconds)

    def tried(self, tests: TestResults, one: Run | None = None, *, try_number: int = 1) -> Run:
        """A run with one step that left these results."""
        self.start(one or run())
        return self.end(step(tests, try_number=try_number))


@pytest.fixture
def day(ledger: PostgresLedger, runs: PostgresRuns) -> Day:
    return Day(ledger, runs)


def step(
    tests: TestResults,
    *,
    name: str = "pytest",
    try_number: int = 1,
    state: StepState | None = None,
) -> Step:
    state = state or (StepState.FAILED if tests.failed else StepState.SUCCEEDED)
    return Step(name, -1, name, state, try_number, result=StepResult(0, tests=tests))


def failing(*names: str, flaky: tuple[str, ...] = ()) -> TestResults:
    return TestResults(9, len(names), failures=tuple(TestFailure(name) for name in names), flaky=flaky)


PASSING = failing()


def names(past: PostgresPast, one: Run) -> list[str]:
    return [test.name for test in past.past([one])[one.id].flaky]


class TestUsual:
    def test_is_none_without_history(self, past: PostgresPast, day: Day) -> None:
        one = day.start(run())
        assert past.usual([one]) == {}

    @pytest.mark.parametrize(
        ("took", "median"), [([10], 10), ([10, 30], 20), ([10, 500, 30], 30), ([1000, *[7] * 20], 7)]
    )
    def test_is_the_median_of_the_last_20(
        self, past: PostgresPast, day: Day, took: list[float], median: float
    ) -> None:
        for seconds in took:
            day.took(seconds)
        one = run()
        assert past.usual([one]) == {one.id: median}

    def test_is_asked_for_many_at_once(self, past: PostgresPast, day: Day) -> None:
        day.took(10, run("unit"))
        day.took(20, run("docs"))
        unit, docs, new = run("unit"), run("docs"), run("new")
        assert past.usual([unit, docs, new, unit]) == {unit.id: 10, docs.id: 20}

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(run("docs"), id="pipeline"),
            pytest.param(run(base_ref="release"), id="base"),
            pytest.param(replace(run(), dryrun=True), id="dry run"),
            pytest.param(replace(run(), inputs={"size": 3}), id="inputs"),
        ],
    )
    def test_knows_only_what_is_alike(self, past: PostgresPast, day: Day, other: Run) -> None:
        day.took(10, other)
        assert past.usual([run()]) == {}
        day.took(20)
        if other.dryrun or other.inputs:
            assert past.usual([other]) == {}

    def test_tells_pull_requests_pushes_and_merge_groups_apart(self, past: PostgresPast, day: Day) -> None:
        on = {"pull": run(), "push": _on(MAIN), "group": _on(GROUP)}
        day.took(10, on["pull"])
        day.took(20, on["push"], MAIN)
        day.took(30, on["group"], GROUP)
        assert past.usual(list(on.values())) == {on["pull"].id: 10, on["push"].id: 20, on["group"].id: 30}

    def test_does_not_count_failures_nor_what_was_resumed(
        self, past: PostgresPast, day: Day, ledger: PostgresLedger
    ) -> None:
        one = day.start(run())
        day.end(outcome=Outcome.FAILURE)
        resume(ledger, one)
        day.runs.admit(lambda queue, _: [_let(waiting.id) for waiting in queue])
        day.end(outcome=Outcome.SUCCESS)
        assert past.usual([one]) == {}

    def test_is_remembered_for_a_minute(self, database: Database, day: Day) -> None:
        now = 0.0
        usual = Usual(database, clock=lambda: now)
        one = run()
        assert usual.of([one]) == {}
        day.took(10)
        now = 59
        assert usual.of([one]) == {}
        now = 61
        assert usual.of([one]) == {one.id: 10}


class TestWhatWasUsual:
    def test_is_the_median_of_the_20_before_without_the_run_itself(
        self, past: PostgresPast, day: Day
    ) -> None:
        for seconds in (1000, *[30] * 10, *[50] * 10):
            day.took(seconds)
        one = day.took(9000)
        assert past.past([one])[one.id].usual == 40

    def test_stays_whatever_comes_later(self, past: PostgresPast, day: Day) -> None:
        """Else every comment that says it would be edited whenever some other run ends."""
        first = day.took(60)
        one = day.took(60)
        for _ in range(5):
            day.took(600)
        assert past.past([first])[first.id].usual is None
        assert past.past([one])[one.id].usual == 60

    def test_does_not_change_when_a_run_ends_that_began_before(self, past: PostgresPast, day: Day) -> None:
        day.took(60)
        day.start(slow := run())
        (claim,) = day.runs.claim_runs(1)
        one = day.took(60)
        times = {"phase": Phase.FINISHED, "outcome": Outcome.SUCCESS, "dag_run_id": "preflight~slow"}
        ended = replace(claim.run, **times, started_at=at(0), finished_at=at(900))  # type: ignore[arg-type]
        day.runs.save_run(claim, ended, cancel_sent=False, seconds=None)
        assert past.past([one])[one.id].usual == 60
        assert past.past([slow])[slow.id].usual == 60

    def test_is_unknown_for_what_is_not_alike(self, past: PostgresPast, day: Day) -> None:
        day.took(60)
        for other in (run("docs"), replace(run(), dryrun=True), replace(run(), inputs={"size": 3})):
            one = day.took(60, other)
            assert past.past([one])[one.id].usual is None

    def test_is_asked_for_many_at_once(self, past: PostgresPast, day: Day) -> None:
        unit, docs = (day.took(seconds, run(name)) for name, seconds in (("unit", 10), ("docs", 20)))
        later = [day.took(30, run(name)) for name in ("unit", "docs")]
        found = past.past([unit, docs, *later])
        assert [found[one.id].usual for one in (unit, docs, *later)] == [None, None, 10, 20]


class TestBefore:
    def test_is_the_newest_that_ended_by_itself(self, past: PostgresPast, day: Day) -> None:
        day.took(1)
        before = day.took(2, run(head_sha=sha(2)), moved(pull(), sha(2)))
        day.start(run())
        day.end(outcome=Outcome.CANCELLED)
        one = day.start(run())
        found = past.past([one])[one.id].before
        assert found is not None
        assert found.id == before.id
        assert found.steps == before.steps

    @pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.FAILURE, Outcome.TIMED_OUT])
    def test_failed_or_not(self, past: PostgresPast, day: Day, outcome: Outcome) -> None:
        day.start(run())
        before = day.end(outcome=outcome)
        one = day.start(run())
        found = past.past([one])[one.id].before
        assert found is not None
        assert (found.id, found.outcome) == (before.id, outcome)

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(run("docs"), id="pipeline"),
            pytest.param(run(number=13), id="pull request"),
            pytest.param(replace(run(), inputs={"size": 3}), id="inputs"),
            pytest.param(replace(run(), dryrun=True), id="dry run"),
        ],
    )
    def test_is_of_the_same_context(self, past: PostgresPast, day: Day, other: Run) -> None:
        day.took(1, other)
        one = day.start(run())
        assert past.past([one])[one.id].before is None

    def test_has_the_same_inputs_in_whatever_order(self, past: PostgresPast, day: Day) -> None:
        before = day.took(1, replace(run(), inputs={"size": 3, "zone": "a"}))
        one = day.start(replace(run(), inputs={"zone": "a", "size": 3}))
        found = past.past([one])[one.id].before
        assert found is not None
        assert found.id == before.id

    def test_is_asked_for_many_at_once(self, past: PostgresPast, day: Day) -> None:
        first = day.took(1)
        second = day.took(2)
        other = day.took(3, run("docs"))
        before = {
            run_id: one.before and one.before.id for run_id, one in past.past([first, second, other]).items()
        }
        assert before == {first.id: None, second.id: first.id, other.id: None}

    def test_every_run_has_a_past(self, past: PostgresPast, day: Day) -> None:
        one = day.start(run())
        assert past.past([one, other := run()]) == {one.id: NO_PAST, other.id: NO_PAST}
        assert past.past([]) == {}


class TestFlaky:
    def test_failed_and_then_passed_at_the_same_commit(self, past: PostgresPast, day: Day) -> None:
        first = day.tried(failing("a", "b"))
        assert names(past, first) == []
        second = day.tried(failing("b"))
        assert past.past([second])[second.id].flaky == (FlakyTest("pytest", "a", 1, 2),)

    def test_both_runs_say_so(self, past: PostgresPast, day: Day) -> None:
        first, second = day.tried(failing("a")), day.tried(PASSING)
        assert names(past, first) == names(past, second) == ["a"]

    def test_passed_and_then_failed_is_no_proof_yet(self, past: PostgresPast, day: Day) -> None:
        first, second = day.tried(PASSING), day.tried(failing("a"))
        assert names(past, first) == names(past, second) == []

    def test_a_retry_within_the_run_is_a_proof(self, past: PostgresPast, day: Day) -> None:
        """The second try takes the first one's place in the run; its tests are remembered."""
        one = day.start(run())
        day.look(step(failing("a"), try_number=1))
        day.look(replace(step(PASSING), result=None, state=StepState.RUNNING, try_number=2))
        day.end(step(PASSING, try_number=2))
        assert names(past, one) == ["a"]

    def test_so_is_a_resumed_run(self, past: PostgresPast, day: Day, ledger: PostgresLedger) -> None:
        one = day.start(run())
        day.end(step(failing("a")), outcome=Outcome.FAILURE)
        resume(ledger, one)
        day.runs.admit(lambda queue, _: [_let(waiting.id) for waiting in queue])
        day.look(step(failing("a")))
        assert names(past, one) == []
        day.end(step(PASSING, try_number=2))
        assert names(past, one) == ["a"]

    def test_so_is_what_the_tests_runner_says_itself(self, past: PostgresPast, day: Day) -> None:
        one = day.tried(failing("b", flaky=("a",)))
        assert past.past([one])[one.id].flaky == (FlakyTest("pytest", "a", 1, 1),)

    def test_a_test_that_recovered_has_passed(self, past: PostgresPast, day: Day) -> None:
        day.tried(failing("a"))
        assert names(past, day.tried(failing(flaky=("a",)))) == ["a"]

    def test_what_came_between_does_not_matter(self, past: PostgresPast, day: Day) -> None:
        day.tried(failing("a"))
        day.tried(TestResults(200, 150, failures=(TestFailure("a"),)))
        day.tried(failing("a"))
        assert names(past, day.tried(PASSING)) == ["a"]
        assert names(past, day.tried(failing("a"))) == ["a"]

    @pytest.mark.parametrize(
        "unsure",
        [
            pytest.param(TestResults(200, 150), id="too many failures to name"),
            pytest.param(TestResults(9, notes=("junit.xml is not well-formed",)), id="unreadable"),
            pytest.param(TestResults(), id="no test ran"),
        ],
    )
    def test_what_may_not_have_passed_is_no_proof(
        self, past: PostgresPast, day: Day, unsure: TestResults
    ) -> None:
        day.tried(failing("a"))
        assert names(past, day.tried(unsure)) == []

    def test_nor_is_a_step_that_was_stopped(self, past: PostgresPast, day: Day) -> None:
        day.tried(failing("a"))
        day.start(run())
        assert names(past, day.end(step(PASSING, state=StepState.CANCELLED))) == []

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(run(head_sha=sha(2)), id="commit"),
            pytest.param(run("docs"), id="pipeline"),
            pytest.param(replace(run(), inputs={"size": 3}), id="inputs"),
            pytest.param(replace(run(), dryrun=True), id="dry run"),
        ],
    )
    def test_neither_is_something_else(self, past: PostgresPast, day: Day, other: Run) -> None:
        first = day.tried(failing("a"))
        second = day.tried(PASSING, other)
        assert names(past, first) == names(past, second) == []

    def test_nor_another_step(self, past: PostgresPast, day: Day) -> None:
        day.start(run())
        one = day.end(step(failing("a"), name="one"), step(PASSING, name="two"))
        assert names(past, one) == []

    def test_dry_runs_prove_nothing(self, past: PostgresPast, day: Day) -> None:
        one = day.tried(failing(flaky=("a",)), replace(run(), dryrun=True))
        assert names(past, one) == []

    @pytest.mark.parametrize(("tests", "proven"), [(2, []), (8, []), (9, ["b"]), (20, ["b"])])
    def test_a_try_of_fewer_tests_may_not_have_come_to_it(
        self, past: PostgresPast, day: Day, tests: int, proven: list[str]
    ) -> None:
        """`pytest -x`, or a suite whose later files a timeout cut off."""
        day.tried(failing("b"))
        one = day.tried(replace(failing("a"), total=tests))
        assert names(past, one) == proven

    def test_how_often_it_had_failed_by_then_stays(self, past: PostgresPast, day: Day) -> None:
        day.tried(failing("a"))
        one = day.tried(PASSING)
        for number in range(5):
            day.tried(failing("a"), run(number=40 + number, head_sha=sha(700 + number)))
        assert past.past([one])[one.id].flaky == (FlakyTest("pytest", "a", 1, 2),)

    def test_says_how_often_it_failed_in_the_last_50_tries_at_any_commit(
        self, past: PostgresPast, day: Day
    ) -> None:
        for number in range(60):
            tests = failing("a") if number % 3 == 0 else PASSING
            day.tried(tests, run(head_sha=sha(number + 1), number=number + 100))
        day.tried(failing("a"))
        one = day.tried(PASSING)
        assert past.past([one])[one.id].flaky == (FlakyTest("pytest", "a", 17, 50),)

    def test_is_asked_for_many_at_once(self, past: PostgresPast, day: Day) -> None:
        day.tried(failing("a"))
        unit = day.tried(PASSING)
        day.tried(failing("b"), run("docs"))
        docs = day.tried(PASSING, run("docs"))
        found = past.past([unit, docs, unit])
        assert {run_id: [test.name for test in one.flaky] for run_id, one in found.items()} == {
            unit.id: ["a"],
            docs.id: ["b"],
        }


class TestRecording:
    def test_a_try_is_recorded_once_however_often_it_is_seen(
        self, past: PostgresPast, day: Day, database: Database
    ) -> None:
        one = day.start(run())
        for _ in range(3):
            day.look(step(failing("a", flaky=("b",))))
        day.end(step(failing("a", flaky=("b",))))
        assert _count(database, "test_suites") == 1
        assert _count(database, "test_failures") == 2
        assert past.past([one])[one.id].flaky == (FlakyTest("pytest", "b", 1, 1),)

    def test_whoever_lost_its_lease_records_nothing(
        self, day: Day, database: Database, runs: PostgresRuns
    ) -> None:
        day.start(run())
        (claim,) = runs.claim_runs(1)
        late = replace(claim, lease=claim.lease + timedelta(seconds=1))
        runs.save_run(late, replace(claim.run, steps=(step(failing("a")),)), cancel_sent=False, seconds=1)
        assert _count(database, "test_suites") == 0

    def test_at_most_100_failures_are_kept_of_a_try(self, day: Day, database: Database) -> None:
        day.tried(failing(*(f"test {number}" for number in range(150))))
        assert _count(database, "test_failures") == 100

    def test_at_most_200_tries_are_kept_of_a_step(self, day: Day, database: Database) -> None:
        day.start(run())
        for number in range(205):
            day.look(step(failing("a"), try_number=number), step(PASSING, name="two", try_number=number))
        assert _count(database, "test_suites") == 400
        assert _count(database, "test_failures") == 200

    @pytest.mark.parametrize("name", [HOSTILE, "x" * 100_000, ""], ids=["hostile", "long", "empty"])
    def test_takes_any_name(self, day: Day, past: PostgresPast, name: str) -> None:
        one = day.start(run())
        (claim,) = day.runs.claim_runs(1)
        named = replace(claim.run, steps=(step(failing(name), name=name[:250]),))
        day.runs.save_run(claim, named, cancel_sent=False, seconds=0)
        day.end(step(PASSING, name=name[:250], try_number=2))
        assert len(names(past, one)) == 1


def _on(of: Subject) -> Run:
    name = "" if of.number > 0 else getattr(of, "name", "")
    return replace(run(number=of.number), branch=name)


def _let(run_id: str) -> Turn:
    return Turn(run_id, admitted=True)


def _count(database: Database, table: str) -> int:
    with database.once() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a test's own
