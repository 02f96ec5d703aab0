"""Pull requests as a queue of reports, on a real PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.adapters.postgres import Database, PostgresLedger, PostgresReports, PostgresRuns
from bot.claims import PendingReply, PullClaim, ShownComment, ShownStatus
from bot.errors import Overtaken
from bot.models import CommentPolicy, Phase, PullView, Reply, ReportPolicy, Run, Status, StatusState, Verdict
from tests.examples import HEAD, HOSTILE, REPOSITORY, at, branch, change, moved, pull, run, sha, wanted
from tests.fixtures.postgres import settle

pytestmark = pytest.mark.postgres

GREEN = Status("preflight/unit", StatusState.SUCCESS, "3 steps passed", "https://preflight.example/runs/1")


@pytest.fixture
def reports(database: Database) -> PostgresReports:
    return PostgresReports(database)


@pytest.fixture
def other(other_database: Database) -> PostgresReports:
    return PostgresReports(other_database)


def take(reports: PostgresReports) -> PullClaim:
    claim = reports.claim_pull()
    assert claim is not None, "there should be something to report"
    return claim


def fixed(state: StatusState, description: str) -> Verdict:
    return Verdict("preflight/unit", "unit", status=Status("preflight/unit", state, description))


def dry_run(pipeline: str, comment_id: int) -> Run:
    return replace(run(pipeline), dryrun=True, comment_id=comment_id)


class TestTheQueue:
    def test_a_decision_makes_the_report_due(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        assert reports.claim_pull() is None
        ledger.apply(change())
        assert reports.next_due() == 0
        claim = take(reports)
        assert (claim.repository.id, claim.repository.full_name, claim.number) == (42, "acme/widgets", 12)
        assert claim.failures == 0

    def test_nobody_else_gets_it(
        self, ledger: PostgresLedger, reports: PostgresReports, other: PostgresReports
    ) -> None:
        ledger.apply(change())
        take(reports)
        assert other.claim_pull() is None

    def test_once_shown_it_rests(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change())
        reports.release_pull(take(reports), seconds=None, failed=False)
        assert reports.claim_pull() is None
        assert reports.next_due() is None

    def test_it_comes_back_when_asked(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change())
        reports.release_pull(take(reports), seconds=100, failed=False)
        assert reports.claim_pull() is None
        due = reports.next_due()
        assert due is not None
        assert 50 < due <= 100

    def test_what_changed_meanwhile_is_reported_at_once(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change())
        claim = take(reports)
        ledger.apply(change())
        reports.release_pull(claim, seconds=None, failed=False)
        assert take(reports).version > claim.version

    @pytest.mark.parametrize(("seconds", "most"), [(5, 5), (600, 15), (None, 15)])
    def test_what_failed_keeps_some_distance_even_then(
        self, ledger: PostgresLedger, reports: PostgresReports, seconds: float | None, most: float
    ) -> None:
        ledger.apply(change())
        claim = take(reports)
        ledger.apply(change())
        reports.release_pull(claim, seconds=seconds, failed=True)
        assert reports.claim_pull() is None
        due = reports.next_due()
        assert due is not None
        assert due <= min(most, 15)

    def test_failures_in_a_row_are_counted(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change())
        for failures in (0, 1, 2):
            claim = take(reports)
            assert claim.failures == failures
            reports.release_pull(claim, seconds=0, failed=True)
        reports.release_pull(take(reports), seconds=0, failed=False)
        assert take(reports).failures == 0

    def test_whoever_lost_its_lease_has_no_say(
        self, database: Database, ledger: PostgresLedger, reports: PostgresReports, other: PostgresReports
    ) -> None:
        ledger.apply(change())
        late = take(reports)
        with database.begin() as connection:
            connection.execute(text("UPDATE pull_requests SET lease_until = now() - interval '1 s'"))
        take(other)
        reports.release_pull(late, seconds=0, failed=False)
        assert reports.claim_pull() is None, "the new holder keeps its lease"

    @pytest.mark.parametrize("over", [False, True], ids=["others are at it", "others have reported"])
    def test_what_it_sent_may_be_the_last_that_came_so_all_is_compared_again(
        self,
        database: Database,
        ledger: PostgresLedger,
        reports: PostgresReports,
        other: PostgresReports,
        *,
        over: bool,
    ) -> None:
        ledger.apply(change())
        late = take(reports)
        reports.set_comment(late, ShownComment(7, "digest", None, search=False))
        with database.begin() as connection:
            connection.execute(text("UPDATE pull_requests SET lease_until = now() - interval '1 s'"))
        newer = take(other)
        if over:
            other.settle_head(newer, HEAD)
            other.release_pull(newer, seconds=None, failed=False)
            assert other.claim_pull() is None
        reports.release_pull(late, seconds=None, failed=False)
        if not over:
            other.settle_head(newer, HEAD)
            other.release_pull(newer, seconds=None, failed=False)
        again = take(other)
        assert other.unsettled_heads(again) == [HEAD]
        assert other.comment(again).digest == ""
        assert other.comment(again).id == 7

    @pytest.mark.parametrize("left", [-1, 5], ids=["ran out", "is about to run out"])
    def test_whose_lease_ran_out_begins_nothing_that_others_may_do(
        self, database: Database, ledger: PostgresLedger, reports: PostgresReports, left: int
    ) -> None:
        ledger.apply(replace(change(), reply=Reply(5, "hello")))
        late = take(reports)
        (pending,) = reports.pending_replies(late)
        with database.begin() as connection:
            passes = text(
                "UPDATE pull_requests SET lease_until = now() + make_interval(secs => :left) "
                "RETURNING lease_until"
            )
            late = replace(late, lease=connection.execute(passes, {"left": left}).scalar_one())
        with pytest.raises(Overtaken):
            reports.set_comment(late, ShownComment(7, "digest", None, search=False))
        with pytest.raises(Overtaken):
            reports.set_reply(late, pending, done=True)
        assert reports.comment(late).id is None
        assert reports.pending_replies(late) == [pending]


class TestHeads:
    def test_a_settled_head_is_done(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change())
        claim = take(reports)
        assert reports.unsettled_heads(claim) == [HEAD]
        reports.settle_head(claim, HEAD)
        assert reports.unsettled_heads(claim) == []

    def test_one_that_changed_meanwhile_is_not(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change())
        claim = take(reports)
        ledger.apply(wanted(run()))
        reports.settle_head(claim, HEAD)
        assert reports.unsettled_heads(claim) == [HEAD]

    def test_the_current_one_comes_first(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change(pull(head_sha=sha(1))))
        ledger.apply(change(pull(head_sha=sha(2))))
        ledger.apply(change(pull(head_sha=sha(1))))
        assert reports.unsettled_heads(take(reports)) == [sha(1), sha(2)]

    def test_a_push_that_nobody_decided_on_has_nothing_to_show(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.record_push(REPOSITORY, 12, sha(7), "alice")
        ledger.apply(change())
        assert reports.unsettled_heads(take(reports)) == [HEAD]

    def test_one_reports_on_a_head_at_a_time(self, reports: PostgresReports, other: PostgresReports) -> None:
        order: list[str] = []

        def wait_for_it() -> None:
            with other.lock_head(REPOSITORY, HEAD):
                order.append("second")

        thread = threading.Thread(target=wait_for_it)
        with reports.lock_head(REPOSITORY, HEAD):
            thread.start()
            with other.lock_head(REPOSITORY, sha(2)):
                order.append("another head")
            order.append("first")
        thread.join(20)
        assert order == ["another head", "first", "second"]

    def test_a_lock_ends_with_an_error(self, reports: PostgresReports, other: PostgresReports) -> None:
        with pytest.raises(ZeroDivisionError), reports.lock_head(REPOSITORY, HEAD):
            raise ZeroDivisionError
        with other.lock_head(REPOSITORY, HEAD):
            pass


class TestSharedHeads:
    """Two pull requests may have one head; each says what its contexts should show."""

    def test_both_are_heard(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change(None, fixed(StatusState.SUCCESS, "one")))
        ledger.apply(change(pull(number=13), fixed(StatusState.FAILURE, "two")))
        heard = reports.verdicts(REPOSITORY, HEAD)
        said = {
            number: [one.status.description for one in says if one.status] for number, says in heard.items()
        }
        assert said == {12: ["one"], 13: ["two"]}

    def test_one_that_closed_has_no_say(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change(None, fixed(StatusState.SUCCESS, "one")))
        ledger.apply(change(pull(number=13), fixed(StatusState.FAILURE, "two")))
        ledger.apply(change(pull(number=13, is_open=False)))
        assert set(reports.verdicts(REPOSITORY, HEAD)) == {12}

    def test_nor_one_that_moved_on(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change(None, fixed(StatusState.SUCCESS, "one")))
        ledger.apply(change(pull(number=13), fixed(StatusState.FAILURE, "two")))
        ledger.apply(change(moved(pull(number=13), sha(5))))
        assert set(reports.verdicts(REPOSITORY, HEAD)) == {12}

    def test_and_that_is_shown_at_once(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        """Else the failure of one that moved on would stay on the other's commit for ever."""
        ledger.apply(change(None, fixed(StatusState.SUCCESS, "one")))
        ledger.apply(change(pull(number=13), fixed(StatusState.FAILURE, "two")))
        for _ in range(2):
            claim = take(reports)
            reports.settle_head(claim, HEAD)
            reports.release_pull(claim, seconds=None, failed=False)
        ledger.apply(change(moved(pull(number=13), sha(5))))
        assert HEAD in reports.unsettled_heads(take(reports))

    def test_where_all_are_closed_their_last_word_stays(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change(None, fixed(StatusState.FAILURE, "one")))
        ledger.apply(change(pull(is_open=False)))
        assert set(reports.verdicts(REPOSITORY, HEAD)) == {12}

    def test_own_verdicts_are_of_one_pull_request(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change(None, fixed(StatusState.SUCCESS, "one")))
        ledger.apply(change(pull(number=13), fixed(StatusState.FAILURE, "two")))
        claim = take(reports)
        own = [one.status.description for one in reports.view(claim).verdicts if one.status]
        assert own == [{12: "one", 13: "two"}[claim.number]]

    def test_another_repository_has_nothing_to_say(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        fork = replace(REPOSITORY, id=43, full_name="rita/widgets")
        ledger.apply(change(pull(repository=fork), fixed(StatusState.SUCCESS, "fork")))
        assert reports.verdicts(REPOSITORY, HEAD) == {}


class TestShown:
    def test_what_was_shown_is_remembered(self, reports: PostgresReports) -> None:
        reports.set_shown(REPOSITORY, HEAD, GREEN)
        shown = reports.shown(REPOSITORY, HEAD)
        assert {context: one.status for context, one in shown.items()} == {"preflight/unit": GREEN}
        assert isinstance(shown["preflight/unit"], ShownStatus)

    def test_the_last_word_counts(self, reports: PostgresReports) -> None:
        reports.set_shown(REPOSITORY, HEAD, replace(GREEN, state=StatusState.PENDING))
        reports.set_shown(REPOSITORY, HEAD, GREEN)
        assert reports.shown(REPOSITORY, HEAD)["preflight/unit"].status == GREEN
        assert reports.shown(REPOSITORY, sha(2)) == {}

    def test_the_comment_is_remembered(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(replace(change(pull(comments=0)), notice="a notice"))
        claim = take(reports)
        assert reports.view(claim).notice == "a notice"
        assert reports.comment(claim) == ShownComment(None, "", None, search=False)
        comment = ShownComment(
            7, "abc", at(5), search=False, failing=frozenset({"lint", "ünit"}), posted_for=HEAD, old_id=6
        )
        reports.set_comment(claim, comment)
        assert reports.comment(claim) == comment
        reports.set_comment(claim, gone := ShownComment(None, "", None, search=True))
        assert reports.comment(claim) == gone

    def test_where_others_commented_ours_may_be_there_unknown_to_us(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change(pull(comments=3)))
        assert reports.comment(take(reports)).search

    def test_a_notice_stays_until_it_is_taken_away(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(replace(change(), notice="broken"))
        ledger.apply(change())
        claim = take(reports)
        assert reports.view(claim).notice == "broken"
        ledger.apply(replace(change(), notice=""))
        assert reports.view(claim).notice == ""

    @pytest.mark.parametrize("policy", list(CommentPolicy))
    def test_so_does_when_the_comment_is_wanted(
        self, ledger: PostgresLedger, reports: PostgresReports, policy: CommentPolicy
    ) -> None:
        ledger.apply(change())
        assert reports.view(claim := take(reports)).report == ReportPolicy()
        ledger.apply(replace(change(), report=ReportPolicy(comment=policy)))
        ledger.apply(change())
        assert reports.view(claim).report == ReportPolicy(comment=policy)

    def test_the_view_is_of_the_head_that_it_has_now(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        green = fixed(StatusState.SUCCESS, "now")
        ledger.apply(change(None, fixed(StatusState.FAILURE, "before")))
        ledger.apply(change(moved(pull(), sha(2)), green))
        claim = take(reports)
        assert reports.view(claim) == PullView(claim.repository, 12, sha(2), [green])

    def test_an_overridden_context_says_so(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        word = replace(fixed(StatusState.SUCCESS, "overridden by @rita: flaky"), override=True)
        ledger.apply(change(None, word))
        assert reports.verdicts(REPOSITORY, HEAD) == {12: [word]}

    def test_a_branch_has_no_comment_to_search_for(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(change(branch()))
        claim = take(reports)
        assert claim.number == branch().number
        assert not reports.comment(claim).search


class TestReplies:
    def test_wait_until_they_are_done(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(replace(change(), reply=Reply(5002, HOSTILE)))
        ledger.apply(replace(change(), reply=Reply(5001, "hello")))
        claim = take(reports)
        first, second = reports.pending_replies(claim)
        assert first == PendingReply(
            Reply(5001, "hello"), reacted=False, attempted=False, asked_at=first.asked_at
        )
        assert second.reply.comment_id == 5002
        reports.set_reply(claim, replace(first, reacted=True), done=False)
        assert reports.pending_replies(claim)[0].reacted
        reports.set_reply(claim, first, done=True)
        assert [one.reply.comment_id for one in reports.pending_replies(claim)] == [5002]

    def test_what_was_posted_is_remembered(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(replace(change(), reply=Reply(5001, "hello")))
        claim = take(reports)
        (one,) = reports.pending_replies(claim)
        posted = replace(one, reacted=True, attempted=True, posted_id=7001, digest="abc")
        reports.set_reply(claim, posted, done=False)
        assert reports.pending_replies(claim) == [posted]

    def test_come_with_the_dry_runs_that_they_tell_of(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        asked = [dry_run("unit", 5001), dry_run("docs", 5001), dry_run("unit", 5002)]
        ledger.apply(replace(change(), reply=Reply(5001), dry_runs=tuple(asked[:2])))
        ledger.apply(replace(change(), reply=Reply(5002), dry_runs=tuple(asked[2:])))
        told = [[run.pipeline for run in reply.dry_runs] for reply in reports.pending_replies(take(reports))]
        assert told == [["unit", "docs"], ["unit"]]

    def test_wake_when_their_dry_run_changes(
        self, database: Database, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        one = replace(dry_run("unit", 5001), admitted=True)
        ledger.apply(replace(change(), reply=Reply(5001), dry_runs=(one,)))
        settle(database)
        assert reports.claim_pull() is None
        runs = PostgresRuns(database)
        (claim,) = runs.claim_runs(1)
        runs.save_run(claim, replace(claim.run, phase=Phase.ACTIVE), cancel_sent=False, seconds=1)
        (reply,) = reports.pending_replies(take(reports))
        assert [run.phase for run in reply.dry_runs] == [Phase.ACTIVE]
