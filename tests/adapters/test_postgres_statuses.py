"""What heads show, on a real PostgreSQL: statuses and check runs, and how each pull request wants them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.postgres import Database, PostgresLedger, PostgresReports
from bot.claims import ShownCheck
from bot.models import CommentPolicy, ReportAs, ReportPolicy, Status, StatusPolicy, StatusState, Verdict
from tests.examples import HEAD, REPOSITORY, at, branch, change, moved, pull, run, sha, wanted

pytestmark = pytest.mark.postgres

GREEN = Status("preflight/unit", StatusState.SUCCESS, "3 steps passed", "https://preflight.example/runs/1")
CHECK = ShownCheck("preflight/unit", "12:abc:", None, "digest", at(5))
STEPS_AS_CHECKS = ReportPolicy(CommentPolicy.FAILURES, StatusPolicy.STEP, ReportAs.CHECKS)


@pytest.fixture
def reports(database: Database) -> PostgresReports:
    return PostgresReports(database)


class TestStatuses:
    def test_what_was_sent_is_counted_by_context_and_commit(self, reports: PostgresReports) -> None:
        for _ in range(3):
            reports.set_shown(REPOSITORY, HEAD, GREEN)
        reports.set_shown(REPOSITORY, HEAD, replace(GREEN, context="preflight/docs"))
        reports.set_shown(REPOSITORY, sha(2), GREEN)
        shown = reports.shown(REPOSITORY, HEAD)
        assert {context: one.times for context, one in shown.items()} == {
            "preflight/unit": 3,
            "preflight/docs": 1,
        }


class TestChecks:
    def test_none_are_there_at_first(self, reports: PostgresReports) -> None:
        assert reports.shown_checks(REPOSITORY, HEAD) == {}

    def test_the_last_word_counts(self, reports: PostgresReports) -> None:
        reports.set_shown_check(REPOSITORY, HEAD, CHECK)
        assert reports.shown_checks(REPOSITORY, HEAD) == {"preflight/unit": CHECK}
        done = ShownCheck(
            "preflight/unit", "12:def:7", 10**12, "other", at(9), 50, annotating=True, completed=True
        )
        reports.set_shown_check(REPOSITORY, HEAD, done)
        assert reports.shown_checks(REPOSITORY, HEAD) == {"preflight/unit": done}

    def test_are_of_one_commit_of_one_repository(self, reports: PostgresReports) -> None:
        reports.set_shown_check(REPOSITORY, HEAD, CHECK)
        assert reports.shown_checks(REPOSITORY, sha(2)) == {}
        assert reports.shown_checks(replace(REPOSITORY, id=43), HEAD) == {}


class TestPolicies:
    def test_are_each_pull_requests_own(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(replace(change(), report=STEPS_AS_CHECKS))
        ledger.apply(change(pull(number=13)))
        assert reports.policies(REPOSITORY, HEAD) == {12: STEPS_AS_CHECKS, 13: ReportPolicy()}

    def test_stay_until_the_configuration_says_otherwise(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        ledger.apply(replace(change(), report=STEPS_AS_CHECKS))
        ledger.apply(change())
        assert reports.policies(REPOSITORY, HEAD) == {12: STEPS_AS_CHECKS}
        ledger.apply(replace(change(), report=ReportPolicy()))
        assert reports.policies(REPOSITORY, HEAD) == {12: ReportPolicy()}

    def test_are_there_for_whoever_says_something(
        self, ledger: PostgresLedger, reports: PostgresReports
    ) -> None:
        """A branch, and a pull request that has moved on."""
        said = Verdict("preflight/unit", "unit", status=GREEN)
        ledger.apply(wanted(run(number=branch().number), of=branch()))
        ledger.apply(change(None, said))
        ledger.apply(change(moved(pull(), sha(2)), said))
        assert set(reports.policies(REPOSITORY, HEAD)) == {12, branch().number}
        assert reports.policies(REPOSITORY, HEAD).keys() >= reports.verdicts(REPOSITORY, HEAD).keys()
        assert set(reports.policies(REPOSITORY, sha(2))) == {12}

    def test_another_repository_has_its_own(self, ledger: PostgresLedger, reports: PostgresReports) -> None:
        ledger.apply(change(pull(repository=replace(REPOSITORY, id=43))))
        assert reports.policies(REPOSITORY, HEAD) == {}
