"""`/retest [NAME...]`: what failed, errored or was cancelled, and what has no status yet."""

from __future__ import annotations

import pytest

from tests.acceptance.payloads import HEAD, Json, pull
from tests.acceptance.simulator import STRANGERS, TRUSTED, commented, stranger_pull, suggests

ENDED: dict[str, Json] = {
    "failed": {"statuses": {"unit": "failure", "lint": "success"}, "runs": {"unit": "failed"}},
    "errored": {"statuses": {"unit": "error", "lint": "success"}, "runs": {"unit": "error"}},
    "cancelled": {"statuses": {"unit": "error", "lint": "success"}, "runs": {"unit": "cancelled"}},
    "failed, by its status": {"statuses": {"unit": "failure", "lint": "success"}},
    "errored, by its status": {"statuses": {"unit": "error", "lint": "success"}},
}
DONE = {"unit": "success", "lint": "success", "docs": "success"}


class TestRetest:
    @pytest.mark.parametrize("facts", ENDED.values(), ids=ENDED)
    @pytest.mark.parametrize("by", ["alice", "rita"])
    def test_resumes_what_did_not_succeed(self, facts: Json, by: str) -> None:
        outcome = commented("/retest", by=by, **facts)

        assert outcome.decision == "run"
        assert outcome.runs == outcome.resumed == {"unit"}
        assert outcome.reacted

    def test_runs_automatic_pipelines_without_a_status_anew(self) -> None:
        outcome = commented("/retest", statuses={"unit": "success"})

        assert outcome.runs == {"lint"}
        assert outcome.resumed == set()

    def test_does_both(self) -> None:
        outcome = commented("/retest", statuses={"unit": "failure"}, runs={"unit": "failed"})

        assert outcome.runs == {"unit", "lint"}
        assert outcome.resumed == {"unit"}

    def test_leaves_what_succeeded_or_runs(self) -> None:
        outcome = commented(
            "/retest", statuses={"unit": "success", "lint": "pending"}, runs={"lint": "running"}
        )

        assert outcome.of("trigger") == []
        assert outcome.cancelled == set()

    @pytest.mark.parametrize("body", ["/retest", "/retest unit", "/retest unit lint"])
    def test_leaves_what_is_pending(self, body: str) -> None:
        """It has a status, and did not fail."""
        outcome = commented(body, statuses={"unit": "pending", "lint": "failure"})

        assert "unit" not in outcome.runs

    def test_says_so_where_there_is_nothing_to_do(self) -> None:
        outcome = commented("/retest", statuses=DONE)

        assert outcome.of("trigger") == []
        assert outcome.reacted
        assert outcome.reply

    def test_leaves_a_manual_pipeline_that_never_ran(self) -> None:
        assert "deploy" not in commented("/retest", by="ada").runs

    def test_resumes_a_manual_pipeline_that_failed_for_trusted_users(self) -> None:
        outcome = commented(
            "/retest", by="bob", statuses={**DONE, "deploy": "failure"}, runs={"deploy": "failed"}
        )

        assert outcome.resumed == {"deploy"}

    @pytest.mark.parametrize("body", ["/retest", "/retest deploy"])
    def test_does_not_resume_a_manual_pipeline_for_others(self, body: str) -> None:
        outcome = commented(
            body, by="rita", statuses={**DONE, "deploy": "failure"}, runs={"deploy": "failed"}
        )

        assert "deploy" not in outcome.runs
        assert outcome.reply

    def test_does_not_run_what_was_filtered_out(self) -> None:
        assert "docs" not in commented("/retest", statuses={"unit": "success", "lint": "success"}).runs

    def test_resumes_what_was_asked_for_by_name_and_failed(self) -> None:
        outcome = commented("/retest", statuses={**DONE, "docs": "failure"}, runs={"docs": "failed"})

        assert outcome.resumed == {"docs"}

    @pytest.mark.parametrize("by", ["ada", "mallory"])
    def test_runs_nothing_on_an_untrusted_head(self, by: str) -> None:
        outcome = commented(
            "/retest", by=by, of=stranger_pull(), statuses={"unit": "failure"}, runs={"unit": "failed"}
        )

        assert outcome.decision in {"wait", "deny"}
        assert not outcome.of("trigger")


class TestRetestNamed:
    @pytest.mark.parametrize("by", [*TRUSTED, *STRANGERS])
    def test_resumes_those(self, by: str) -> None:
        failed = {"unit": "failure", "lint": "failure"}
        outcome = commented("/retest unit", by=by, statuses=failed, runs={"unit": "failed", "lint": "failed"})

        assert outcome.runs == outcome.resumed == {"unit"}

    def test_leaves_one_that_succeeded_and_says_so(self) -> None:
        outcome = commented("/retest unit", statuses=DONE)

        assert not outcome.of("trigger")
        assert "unit" in outcome.reply

    def test_runs_one_without_a_status_anew(self) -> None:
        outcome = commented("/retest unit")

        assert outcome.runs == {"unit"}
        assert outcome.resumed == set()

    def test_answers_a_wrong_name(self) -> None:
        outcome = commented("/retest unti", statuses={"unit": "failure"}, runs={"unit": "failed"})

        assert not outcome.of("trigger")
        assert suggests(outcome.reply, "unit")


def test_test_wins_over_retest_in_one_comment() -> None:
    bodies = ("/test unit\n/retest", "/retest\n/test unit", "/retest unit\n/test")
    outcomes = [
        commented(body, statuses={"unit": "failure", "lint": "success"}, runs={"unit": "failed"})
        for body in bodies
    ]

    assert all("unit" in outcome.runs for outcome in outcomes), "and unit is run once"


def test_retest_on_an_approved_head_of_a_stranger() -> None:
    outcome = commented(
        "/retest",
        by="mallory",
        of=stranger_pull(),
        approved_shas=[HEAD],
        statuses={"unit": "failure", "lint": "success"},
        runs={"unit": "failed"},
    )

    assert outcome.resumed == {"unit"}


def test_retest_on_a_draft_does_not_start_what_waits() -> None:
    outcome = commented("/retest", of=pull(draft=True), statuses={"unit": "pending", "lint": "pending"})

    assert outcome.of("trigger") == []
