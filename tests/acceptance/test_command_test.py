"""`/test`, `/test all`, `/test NAME...`."""

from __future__ import annotations

import pytest

from tests.acceptance.payloads import pull
from tests.acceptance.simulator import STRANGERS, TRUSTED, commented, stranger_pull, suggests

EVERYONE = (*TRUSTED, *STRANGERS)


class TestTest:
    @pytest.mark.parametrize("body", ["/test", "/test all", "/test\n/test all"])
    @pytest.mark.parametrize("by", EVERYONE)
    def test_runs_every_automatic_pipeline_whoever_says_it(self, body: str, by: str) -> None:
        outcome = commented(body, by=by)

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}
        assert outcome.reacted

    def test_runs_those_that_apply_to_this_pull_request(self) -> None:
        outcome = commented("/test", changed_files=["docs/index.md", "README.md"])

        assert outcome.runs == {"unit", "lint", "docs"}

    def test_runs_what_had_succeeded_again(self) -> None:
        outcome = commented("/test", statuses={"unit": "success", "lint": "failure"})

        assert outcome.runs == {"unit", "lint"}
        assert not outcome.resumed, "only /retest resumes"

    def test_is_new_where_something_failed(self) -> None:
        outcome = commented("/test unit", statuses={"unit": "failure"}, runs={"unit": "failed"})

        assert outcome.runs == {"unit"}
        assert not outcome.resumed

    def test_runs_a_draft_s_pipelines_when_they_are_named(self) -> None:
        assert commented("/test unit", of=pull(draft=True)).runs == {"unit"}

    @pytest.mark.parametrize("by", EVERYONE)
    def test_runs_nothing_on_an_untrusted_head_whoever_says_it(self, by: str) -> None:
        outcome = commented("/test", by=by, of=stranger_pull())

        assert outcome.decision in {"wait", "deny"}
        assert not outcome.of("trigger")

    def test_runs_an_approved_head(self) -> None:
        theirs = stranger_pull()
        outcome = commented("/test", by="mallory", of=theirs, approved_shas=[theirs["head"]["sha"]])

        assert outcome.runs == {"unit", "lint"}


class TestTestNamed:
    @pytest.mark.parametrize("by", EVERYONE)
    def test_runs_exactly_those_even_if_filtered_out(self, by: str) -> None:
        outcome = commented("/test docs", by=by)

        assert outcome.decision == "run"
        assert outcome.runs == {"docs"}
        assert not outcome.statuses.get("docs", ("", ""))[1].startswith("skipped")

    def test_takes_several(self) -> None:
        assert commented("/test docs unit docs").runs == {"docs", "unit"}

    @pytest.mark.parametrize(
        "body", ["/test all docs", "/test docs all", "/test\n/test docs", "/test docs\n/test"]
    )
    def test_runs_them_beside_the_automatic_ones(self, body: str) -> None:
        outcome = commented(body)

        assert outcome.runs == {"unit", "lint", "docs"}
        assert "docs" not in outcome.statuses

    @pytest.mark.parametrize(
        ("state", "run"), [("pending", "running"), ("failure", "failed"), ("error", "cancelled")]
    )
    @pytest.mark.parametrize("body", ["/test", "/test unit", "/retest lint", "/help"])
    def test_is_not_made_green_by_a_command_for_others(self, body: str, state: str, run: str) -> None:
        """Docs was filtered out and asked for by name; that it would be skipped is no longer its word."""
        outcome = commented(body, by="mallory", statuses={"docs": state}, runs={"docs": run})

        assert "docs" not in outcome.statuses

    @pytest.mark.parametrize("by", TRUSTED)
    def test_runs_a_manual_pipeline_for_trusted_users(self, by: str) -> None:
        assert commented("/test deploy", by=by).runs == {"deploy"}

    @pytest.mark.parametrize("by", STRANGERS)
    def test_refuses_a_manual_pipeline_to_others_and_says_who_could(self, by: str) -> None:
        outcome = commented("/test deploy", by=by)

        assert outcome.decision == "deny"
        assert not outcome.of("trigger")
        assert "deploy" in outcome.reply
        assert "write" in outcome.reply
        assert outcome.reacted

    @pytest.mark.parametrize(
        "body", ["/test unit deploy", "/test unit\n/test deploy", "/test deploy\n/test unit"]
    )
    def test_a_refusal_does_not_smuggle_the_manual_one_in(self, body: str) -> None:
        outcome = commented(body, by="rita")

        assert "deploy" not in outcome.runs
        assert "deploy" in outcome.reply

    def test_a_manual_pipeline_is_nobody_s_by_test_all(self) -> None:
        assert "deploy" not in commented("/test all", by="ada").runs

    def test_an_author_who_is_no_trusted_user_gets_no_manual_pipeline(self) -> None:
        theirs = stranger_pull()
        outcome = commented("/test deploy", by="mallory", of=theirs, approved_shas=[theirs["head"]["sha"]])

        assert outcome.decision == "deny"
        assert not outcome.of("trigger")


class TestAnUnknownName:
    @pytest.mark.parametrize(
        ("said", "meant"),
        [
            ("unti", "unit"),
            ("uni", "unit"),
            ("units", "unit"),
            ("unat", "unit"),
            ("dcos", "docs"),
            ("deploi", "deploy"),
        ],
    )
    def test_is_answered_with_the_nearest(self, said: str, meant: str) -> None:
        outcome = commented(f"/test {said}")

        assert not outcome.of("trigger")
        assert suggests(outcome.reply, meant)
        assert outcome.reacted

    @pytest.mark.parametrize("said", ["nothing", "untii", "xnitx", "UNITED"])
    def test_that_is_near_to_none_is_answered_without_a_guess(self, said: str) -> None:
        outcome = commented(f"/test {said}")

        assert not outcome.of("trigger")
        assert said in outcome.reply
        assert "did you mean" not in outcome.reply.lower()

    def test_leaves_the_other_commands_of_the_comment(self) -> None:
        outcome = commented("/test unit\n/test dcos")

        assert outcome.runs == {"unit"}
        assert suggests(outcome.reply, "docs")

    def test_is_not_suggested_to_somebody_by_a_command_that_would_then_run(self) -> None:
        assert commented("/test unti", by="mallory").decision in {"error", "deny", "ignore"}
