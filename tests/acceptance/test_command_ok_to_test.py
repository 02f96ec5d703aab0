"""`/ok-to-test SHA`: a trusted user approves an untrusted head."""

from __future__ import annotations

import pytest

from tests.acceptance.payloads import HEAD, OLD_HEAD, issue_comment, pull_request
from tests.acceptance.simulator import (
    CONFIGURATION,
    STRANGERS,
    TRUSTED,
    asks_for_approval,
    commented,
    facts_about,
    happened,
    simulate,
    stranger_pull,
)

BY_PULL_REQUEST = f"approve: pull_request\n{CONFIGURATION}"
BY_HEAD = f"approve: head\n{CONFIGURATION}"


class TestOkToTest:
    @pytest.mark.parametrize("by", TRUSTED)
    @pytest.mark.parametrize("digits", [12, 13, 39, 40])
    def test_approves_and_runs(self, by: str, digits: int) -> None:
        outcome = commented(f"/ok-to-test {HEAD[:digits]}", by=by, of=stranger_pull())

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}
        assert outcome.reacted

    @pytest.mark.parametrize("by", STRANGERS)
    def test_is_refused_to_others_the_author_too(self, by: str) -> None:
        outcome = commented(f"/ok-to-test {HEAD}", by=by, of=stranger_pull())

        assert outcome.decision == "deny"
        assert not outcome.of("trigger")
        assert "write" in outcome.reply

    @pytest.mark.parametrize(
        "said",
        [
            pytest.param("", id="without a SHA"),
            pytest.param(HEAD[:11], id="eleven digits"),
            pytest.param(HEAD[:7], id="seven digits"),
            pytest.param(OLD_HEAD, id="a head that has moved"),
            pytest.param(OLD_HEAD[:12], id="twelve digits of a head that has moved"),
            pytest.param(f"{HEAD}0", id="one digit too many"),
            pytest.param(HEAD[1:], id="without its first digit"),
            pytest.param(f"{HEAD[:12]}zz", id="other letters"),
            pytest.param("topic", id="the branch"),
            pytest.param("HEAD", id="HEAD"),
            pytest.param("%", id="a wildcard"),
            pytest.param("a" * 12, id="some other"),
        ],
    )
    def test_for_another_head_runs_nothing_and_prints_the_line(self, said: str) -> None:
        outcome = commented(f"/ok-to-test {said}", by="ada", of=stranger_pull())

        assert outcome.decision != "run"
        assert not outcome.of("trigger")
        assert asks_for_approval(outcome.reply)
        assert outcome.reacted

    def test_for_a_head_that_moved_after_the_comment_prints_the_new_one(self) -> None:
        now = stranger_pull(head=HEAD)
        payload = issue_comment(f"/ok-to-test {OLD_HEAD}", by="ada", of=stranger_pull(head=OLD_HEAD))
        outcome = simulate("issue_comment", payload, facts=facts_about(now))

        assert not outcome.of("trigger")
        assert asks_for_approval(outcome.reply, HEAD)

    def test_runs_no_manual_pipeline_and_none_that_does_not_apply(self) -> None:
        outcome = commented(f"/ok-to-test {HEAD}", by="ada", of=stranger_pull())

        assert outcome.runs.isdisjoint({"deploy", "docs"})

    @pytest.mark.parametrize("test", ["/test", "/test unit", "/test docs", "/retest", "/test all docs"])
    @pytest.mark.parametrize("order", ["{approval}\n{test}", "{test}\n{approval}"])
    def test_and_test_in_one_comment_are_both_obeyed(self, test: str, order: str) -> None:
        body = order.format(approval=f"/ok-to-test {HEAD}", test=test)
        outcome = commented(body, by="ada", of=stranger_pull())

        assert outcome.runs == {"unit", "lint"} | ({"docs"} if "docs" in test else set())

    @pytest.mark.parametrize("state", ["", "pending", "failure", "error"])
    def test_turns_no_manual_pipeline_green(self, state: str) -> None:
        """Where it is required, somebody must run it: whatever was asked for before did not."""
        shown = {"deploy": state} if state else {}
        approved = commented(f"/ok-to-test {HEAD}", by="ada", of=stranger_pull(), statuses=shown)
        ready = happened(pull_request("ready_for_review"), statuses=shown)
        reopened = happened(pull_request("reopened", stranger_pull()), statuses=shown)

        for outcome in (approved, ready, reopened):
            assert outcome.statuses.get("deploy", ("", ""))[0] != "success"

    def test_of_a_stranger_does_not_help_a_test_beside_it(self) -> None:
        outcome = commented(f"/ok-to-test {HEAD}\n/test unit", by="mallory", of=stranger_pull())

        assert not outcome.of("trigger")

    @pytest.mark.parametrize("by", STRANGERS)
    def test_in_a_quote_is_no_approval(self, by: str) -> None:
        assert commented(f"> /ok-to-test {HEAD}", by=by, of=stranger_pull()).nothing


class TestAnApproval:
    @pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
    @pytest.mark.parametrize("configuration", [CONFIGURATION, BY_HEAD, BY_PULL_REQUEST])
    def test_lets_that_head_run(self, action: str, configuration: str) -> None:
        outcome = happened(
            pull_request(action, stranger_pull()), approved_shas=[HEAD], configuration=configuration
        )

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}

    @pytest.mark.parametrize("configuration", [CONFIGURATION, BY_HEAD])
    def test_is_gone_with_the_next_push(self, configuration: str) -> None:
        outcome = happened(
            pull_request("synchronize", stranger_pull()),
            approved_shas=[OLD_HEAD],
            configuration=configuration,
        )

        assert outcome.decision == "wait"
        assert not outcome.of("trigger")

    def test_stays_where_the_repository_says_so(self) -> None:
        outcome = happened(
            pull_request("synchronize", stranger_pull()),
            approved_shas=[OLD_HEAD],
            configuration=BY_PULL_REQUEST,
        )

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}

    def test_of_nothing_is_none_where_the_repository_says_so(self) -> None:
        outcome = happened(pull_request("synchronize", stranger_pull()), configuration=BY_PULL_REQUEST)

        assert outcome.decision == "wait"
        assert not outcome.of("trigger")
