"""What was decided, on a real PostgreSQL: whole or not at all, and once per comment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresReader, PostgresReports, PostgresRuns
from bot.models import (
    CONFIG_CONTEXT,
    PROPOSED_CONTEXT,
    Branch,
    CancelKind,
    Cancellation,
    Change,
    Outcome,
    Phase,
    PullRequest,
    Reply,
    Repository,
    Run,
    Status,
    StatusState,
    Verdict,
)
from tests.examples import HEAD, HOSTILE, REPOSITORY, at, branch, change, moved, pull, run, sha, wanted
from tests.fixtures.postgres import admitted

pytestmark = pytest.mark.postgres


def remembered(ledger: PostgresLedger, number: int = 12, head: str = HEAD) -> tuple[Run, ...]:
    return ledger.history(REPOSITORY, number, head).runs


def finish(runs: PostgresRuns, outcome: Outcome = Outcome.SUCCESS) -> list[Run]:
    """End every run that is due."""
    ended = []
    for claim in runs.claim_runs(100):
        over = replace(claim.run, phase=Phase.FINISHED, outcome=outcome, finished_at=at(60))
        runs.save_run(claim, over, cancel_sent=False, seconds=None)
        ended.append(over)
    return ended


def count(database: Database, table: str) -> int:
    with database.begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - a test's own


def fixed(context: str, state: StatusState, description: str) -> Verdict:
    """What a context shows where nothing runs."""
    return Verdict(context, context.removeprefix("preflight/"), status=Status(context, state, description))


def cancellation(
    *which: Run, kind: CancelKind = CancelKind.PUSH, reason: str = "superseded by 1234567"
) -> Change:
    stop = Cancellation(tuple(one.id for one in which), kind, reason)
    return replace(change(), cancellations=(stop,))


class TestPushers:
    def test_the_first_word_counts(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "mallory")
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "mallory"}

    def test_is_remembered_for_a_head_that_was_reported_on_before(self, ledger: PostgresLedger) -> None:
        ledger.apply(change())
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {}
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "alice"}

    def test_reporting_on_a_head_does_not_forget_its_pusher(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        ledger.apply(change())
        assert ledger.history(REPOSITORY, 12, HEAD).pushers == {HEAD: "alice"}

    def test_is_of_one_pull_request(self, ledger: PostgresLedger) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, "alice")
        assert ledger.history(REPOSITORY, 13, HEAD).pushers == {}

    @pytest.mark.parametrize("login", [HOSTILE, ""], ids=["hostile", "empty"])
    def test_takes_any_text(self, ledger: PostgresLedger, login: str) -> None:
        ledger.record_push(REPOSITORY, 12, HEAD, login)


class TestApply:
    def test_a_run_comes_back_as_it_was_decided(self, ledger: PostgresLedger) -> None:
        one = run(params={"steps": {"lint": "ruff check ."}})
        assert ledger.apply(wanted(one))
        assert remembered(ledger) == (replace(one, attempt=1),)

    def test_attempts_count_up_per_pipeline_and_head(self, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run("unit"), run("docs")))
        ledger.apply(wanted(run("unit")))
        ledger.apply(wanted(run("unit", head_sha=sha(2)), of=pull(head_sha=sha(2))))
        ledger.apply(wanted(run("unit", number=13), of=pull(number=13)))
        assert sorted((one.pipeline, one.head_sha, one.attempt) for one in remembered(ledger)) == [
            ("docs", HEAD, 1),
            ("unit", sha(2), 1),
            ("unit", HEAD, 1),
            ("unit", HEAD, 2),
        ]
        assert [one.attempt for one in remembered(ledger, 13)] == [1]

    def test_attempts_count_up_past_a_run_at_another_base(self, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run()))
        ledger.apply(wanted(run(base_ref="release"), of=pull(base_ref="release")))
        assert [one.attempt for one in remembered(ledger)] == [1, 2]

    def test_is_stored_whole_or_not_at_all(self, database: Database, ledger: PostgresLedger) -> None:
        one = run()
        with pytest.raises(Exception, match="duplicate"):
            ledger.apply(replace(wanted(one, replace(one, pipeline="docs")), reply=Reply(5001, "hello")))
        for table in ("runs", "verdicts", "replies", "decisions", "pull_requests", "heads"):
            assert count(database, table) == 0, table

    def test_a_comments_commands_run_once_whatever_delivery_brings_it(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        first = replace(wanted(run()), reply=Reply(5001, "started"), delivery_id="d-1")
        again = replace(wanted(run()), reply=Reply(5001, "started"), delivery_id="d-2")
        assert ledger.apply(first)
        assert not ledger.apply(again)
        assert len(remembered(ledger)) == 1
        assert count(database, "decisions") == 1

    def test_of_many_deliveries_of_one_comment_at_once_one_counts(self, ledger: PostgresLedger) -> None:
        with ThreadPoolExecutor(4) as pool:
            changes = [replace(wanted(run()), reply=Reply(5001)) for _ in range(12)]
            assert sum(pool.map(ledger.apply, changes)) == 1
        assert len(remembered(ledger)) == 1

    def test_another_comment_counts_for_itself(self, ledger: PostgresLedger) -> None:
        assert ledger.apply(replace(change(), reply=Reply(5001)))
        assert ledger.apply(replace(change(), reply=Reply(5002)))

    def test_the_newest_verdict_of_a_context_counts(self, database: Database, ledger: PostgresLedger) -> None:
        waiting = Status("preflight/unit", StatusState.PENDING, "waiting: a maintainer must approve")
        ledger.apply(change(None, Verdict("preflight/unit", "unit", status=waiting)))
        one = run()
        ledger.apply(wanted(one))
        (verdict,) = PostgresReports(database).verdicts(REPOSITORY, HEAD)[12]
        assert verdict.run == replace(one, attempt=1)
        assert verdict.status is None

    def test_a_renamed_repository_stays_the_same_one(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        ledger.apply(wanted(run()))
        renamed = replace(REPOSITORY, full_name="acme/gadgets")
        ledger.apply(change(pull(repository=renamed)))
        assert count(database, "pull_requests") == 1
        claim = PostgresReports(database).claim_pull()
        assert claim is not None
        assert claim.repository.full_name == "acme/gadgets"


class TestCancel:
    def test_only_what_is_unfinished(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(admitted(run("unit")))
        (done,) = finish(runs)
        ledger.apply(wanted(run("docs")))
        ledger.apply(cancellation(*remembered(ledger)))
        asked = {one.pipeline: one.cancel for one in remembered(ledger)}
        assert asked == {done.pipeline: None, "docs": "superseded by 1234567"}

    def test_the_first_reason_counts(self, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(wanted(one))
        ledger.apply(cancellation(one, kind=CancelKind.COMMAND, reason="by rita"))
        ledger.apply(cancellation(one))
        (found,) = remembered(ledger)
        assert (found.cancel, found.cancel_kind) == ("by rita", CancelKind.COMMAND)

    def test_makes_the_run_due_at_once(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        ledger.apply(admitted(run()))
        (claim,) = runs.claim_runs(1)
        runs.save_run(claim, replace(claim.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=100)
        assert runs.claim_runs(1) == []
        ledger.apply(cancellation(claim.run))
        assert [found.run.cancel for found in runs.claim_runs(1)] == ["superseded by 1234567"]

    def test_also_one_that_waits_for_its_turn(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        one = run()
        ledger.apply(wanted(one))
        assert runs.claim_runs(1) == []
        ledger.apply(cancellation(one))
        assert [found.run.cancel for found in runs.claim_runs(1)] == ["superseded by 1234567"]

    def test_has_the_head_of_the_stopped_run_reported_on(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        old = run(head_sha=sha(1))
        ledger.apply(wanted(old, of=pull(head_sha=sha(1))))
        ledger.apply(replace(cancellation(old), subject=moved(pull(head_sha=sha(1)), HEAD)))
        reports = PostgresReports(database)
        claim = reports.claim_pull()
        assert claim is not None
        assert reports.unsettled_heads(claim) == [HEAD, sha(1)]


class TestHistory:
    def test_runs_come_oldest_first(self, ledger: PostgresLedger) -> None:
        for seconds in (30, 10, 20):
            ledger.apply(wanted(run(created_at=at(seconds))))
        assert [one.created_at for one in remembered(ledger)] == [at(10), at(20), at(30)]

    def test_an_unfinished_run_is_never_forgotten(self, ledger: PostgresLedger, runs: PostgresRuns) -> None:
        """Not even behind hundreds of newer ones: it may have to be stopped."""
        oldest = run("oldest")
        ledger.apply(admitted(oldest))
        runs.claim_runs(1)
        ledger.apply(admitted(*(run(f"p{number}", created_at=at(number + 1)) for number in range(210))))
        finish(runs)
        finish(runs)
        finish(runs)
        assert oldest.id in {one.id for one in remembered(ledger)}

    def test_knows_what_contexts_say_about_this_head(self, ledger: PostgresLedger) -> None:
        one = run("unit")
        skipped = fixed("preflight/docs", StatusState.SUCCESS, "skipped: no matching files")
        ledger.apply(wanted(one))
        ledger.apply(change(None, skipped))
        ledger.apply(change(pull(number=13), fixed("preflight/e2e", StatusState.ERROR, "another's")))
        assert ledger.history(REPOSITORY, 12, HEAD).verdicts == {
            "preflight/docs": skipped,
            "preflight/unit": Verdict("preflight/unit", "unit", run=replace(one, attempt=1)),
        }
        assert ledger.history(REPOSITORY, 12, sha(9)).verdicts == {}

    @pytest.mark.parametrize("subject", [pull(), branch("queue/1")], ids=["pull-request", "branch"])
    def test_knows_whether_we_heard_that_it_is_closed(
        self, ledger: PostgresLedger, subject: PullRequest | Branch
    ) -> None:
        assert not ledger.history(REPOSITORY, subject.number, HEAD).closed
        ledger.apply(change(subject))
        assert not ledger.history(REPOSITORY, subject.number, HEAD).closed
        ledger.apply(change(replace(subject, open=False)))
        assert ledger.history(REPOSITORY, subject.number, HEAD).closed


class TestBrokenPulls:
    BROKEN = fixed(CONFIG_CONTEXT, StatusState.ERROR, "preflight.yaml can't be used: see the comment")

    def numbers(self, ledger: PostgresLedger, base: str | None, of: Repository = REPOSITORY) -> list[int]:
        return [number for _, number in ledger.broken_pulls(of, base)]

    @pytest.mark.parametrize(
        ("base", "expected"), [("main", [12]), ("release", [13]), ("other", []), (None, [12, 13])]
    )
    def test_are_those_into_the_branch(
        self, ledger: PostgresLedger, base: str | None, expected: list[int]
    ) -> None:
        ledger.apply(change(pull(number=13, base_ref="release"), self.BROKEN))
        ledger.apply(change(pull(number=12), self.BROKEN))
        assert self.numbers(ledger, base) == expected

    def test_come_with_their_repository(self, ledger: PostgresLedger) -> None:
        ledger.apply(change(pull(), self.BROKEN))
        ((found, _),) = ledger.broken_pulls(REPOSITORY, "main")
        assert (found.id, found.full_name) == (REPOSITORY.id, REPOSITORY.full_name)

    def test_of_all_repositories_of_the_owner(self, ledger: PostgresLedger) -> None:
        shared = Repository(1, "ACME/.github")
        foreign = Repository(44, "acme-corp/widgets")
        for of in (REPOSITORY, Repository(43, "acme/gadgets"), foreign):
            ledger.apply(change(pull(repository=of), self.BROKEN))
        assert [found.full_name for found, _ in ledger.broken_pulls(shared, None)] == [
            "acme/widgets",
            "acme/gadgets",
        ]

    @pytest.mark.parametrize(
        "then",
        [
            pytest.param(change(None, fixed(CONFIG_CONTEXT, StatusState.SUCCESS, "fine again")), id="mended"),
            pytest.param(change(pull(is_open=False)), id="closed"),
            pytest.param(change(moved(pull(), sha(2))), id="moved-on"),
        ],
    )
    def test_not_what_no_longer_shows_it(self, ledger: PostgresLedger, then: Change) -> None:
        ledger.apply(change(None, self.BROKEN))
        ledger.apply(then)
        assert self.numbers(ledger, "main") == []

    def test_neither_branches_nor_a_proposed_version(self, ledger: PostgresLedger) -> None:
        ledger.apply(change(branch("main"), self.BROKEN))
        ledger.apply(change(None, fixed(PROPOSED_CONTEXT, StatusState.FAILURE, "line 3")))
        assert self.numbers(ledger, None) == []

    def test_one_that_the_version_before_wrote_may_be_into_any(
        self, database: Database, ledger: PostgresLedger
    ) -> None:
        ledger.apply(change(None, self.BROKEN))
        with database.begin() as connection:
            connection.execute(text("UPDATE pull_requests SET base_ref = ''"))
        assert self.numbers(ledger, "release") == [12]


class TestRename:
    NEW = replace(REPOSITORY, full_name="umbrella/gadgets")

    def test_changes_runs_and_pull_requests(self, database: Database, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run()))
        ledger.rename(self.NEW)
        (found,) = remembered(ledger)
        assert found.repository.full_name == "umbrella/gadgets"
        assert found.repository.clone_url == "https://github.example/umbrella/gadgets.git"
        claim = PostgresReports(database).claim_pull()
        assert claim is not None
        assert claim.repository.full_name == "umbrella/gadgets"

    def test_leaves_other_repositories_alone(self, ledger: PostgresLedger) -> None:
        other = Repository(43, "acme/widgets", clone_url="https://github.example/acme/widgets.git")
        ledger.apply(wanted(run(repository=other), of=pull(repository=other)))
        ledger.rename(self.NEW)
        assert ledger.history(other, 12, HEAD).runs[0].repository == other

    def test_touches_only_rows_whose_name_differs(self, database: Database, ledger: PostgresLedger) -> None:
        ledger.apply(wanted(run()))
        ledger.rename(self.NEW)
        places = "SELECT ctid::text FROM runs UNION ALL SELECT ctid::text FROM pull_requests"
        with database.begin() as connection:
            before = connection.execute(text(places)).all()
        ledger.rename(self.NEW)
        with database.begin() as connection:
            assert connection.execute(text(places)).all() == before

    def test_a_url_of_another_shape_is_left_as_it_is(self, ledger: PostgresLedger) -> None:
        odd = replace(REPOSITORY, clone_url="git@mirror.example:widgets")
        ledger.apply(wanted(run(repository=odd), of=pull(repository=odd)))
        ledger.rename(self.NEW)
        assert remembered(ledger)[0].repository.clone_url == "git@mirror.example:widgets"


class TestHostileText:
    """GitHub and Airflow may hand us anything; none of it may stop a delivery."""

    @pytest.mark.parametrize(
        "hostile",
        [
            pytest.param(replace(change(), reason=HOSTILE), id="reason"),
            pytest.param(replace(change(), actor=HOSTILE), id="actor"),
            pytest.param(replace(change(), notice=HOSTILE), id="notice"),
            pytest.param(replace(change(), reply=Reply(5001, HOSTILE)), id="reply"),
            pytest.param(change(pull(title=HOSTILE, head_ref=HOSTILE, labels=(HOSTILE,))), id="pull-request"),
            pytest.param(
                change(None, Verdict("c", "p", status=Status("c", StatusState.ERROR, HOSTILE))), id="status"
            ),
            pytest.param(wanted(run(params={"x": HOSTILE, HOSTILE: [HOSTILE]})), id="params"),
            pytest.param(wanted(replace(run(), actor=HOSTILE)), id="run-actor"),
        ],
    )
    def test_is_stored_without_what_can_not_be_stored(self, ledger: PostgresLedger, hostile: Change) -> None:
        assert ledger.apply(hostile)

    def test_a_reason_to_cancel(self, ledger: PostgresLedger) -> None:
        one = run()
        ledger.apply(wanted(one))
        assert ledger.apply(cancellation(one, reason=HOSTILE))


def test_a_run_of_a_killed_worker_can_still_be_read(database: Database, ledger: PostgresLedger) -> None:
    """What `release_dead` leaves is still a row that everybody can read."""
    one = run()
    ledger.apply(admitted(one))
    url = database.engine.url.render_as_string(hide_password=False)
    PostgresRuns(Database(url, pool_size=1)).claim_runs(1)
    with database.begin() as connection:
        from bot.adapters.postgres.leases import release_dead  # noqa: PLC0415 - only this test looks inside

        assert release_dead(connection) == 1
    assert [found.id for found in remembered(ledger)] == [one.id]
    assert PostgresReader(database).run(one.id) is not None
    assert PostgresReports(database).verdicts(REPOSITORY, HEAD)[12]


class TestOpenPullsAt:
    def test_are_those_that_have_the_head_now(self, ledger: PostgresLedger) -> None:
        for number in (14, 12, 13):
            ledger.apply(change(pull(number=number)))
        ledger.apply(change(pull(number=13, is_open=False)))
        ledger.apply(change(pull(number=15, head_sha=sha(2))))
        ledger.apply(change(moved(pull(number=14), sha(3))))
        ledger.apply(change(branch()))
        ledger.apply(change(pull(number=16, repository=replace(REPOSITORY, id=43))))
        assert ledger.open_pulls_at(REPOSITORY, HEAD) == [12]
        assert ledger.open_pulls_at(REPOSITORY, sha(9)) == []
