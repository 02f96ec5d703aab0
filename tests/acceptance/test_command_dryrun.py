"""`/dryrun [NAME...]` and `/test ... --dryrun`: what would run, and no status for it."""

from __future__ import annotations

import pytest

from tests.acceptance.simulator import STRANGERS, TRUSTED, commented, stranger_pull, suggests

COMMANDS = {
    "/dryrun": {"unit", "lint"},
    "/DryRun": {"unit", "lint"},
    "/test --dryrun": {"unit", "lint"},
    "/test all --dryrun": {"unit", "lint"},
    "/dryrun unit": {"unit"},
    "/test unit --dryrun": {"unit"},
    "/dryrun docs unit": {"docs", "unit"},
    "/test docs unit --dryrun": {"docs", "unit"},
    "/dryrun unit\n/test lint --dryrun": {"unit", "lint"},
}


class TestADryRun:
    @pytest.mark.parametrize(("body", "pipelines"), COMMANDS.items(), ids=list(COMMANDS))
    def test_runs_dry_what_test_would_run(self, body: str, pipelines: set[str]) -> None:
        outcome = commented(body)

        assert outcome.decision == "run"
        assert outcome.dry_runs == pipelines
        assert outcome.runs == set()
        assert outcome.reacted
        assert all(command["dryrun"] is True for command in outcome.output["commands"])

    @pytest.mark.parametrize("body", COMMANDS)
    def test_writes_no_status(self, body: str) -> None:
        assert commented(body, statuses={"unit": "failure"}, runs={"unit": "failed"}).statuses == {}

    def test_cancels_nothing(self) -> None:
        assert commented("/dryrun", runs={"unit": "running"}).cancelled == set()

    def test_stands_beside_a_real_run(self) -> None:
        outcome = commented("/test unit\n/dryrun unit lint")

        assert outcome.runs == {"unit"}
        assert outcome.dry_runs >= {"lint"}

    @pytest.mark.parametrize("by", [*TRUSTED, *STRANGERS])
    def test_is_for_anyone_where_the_head_is_trusted(self, by: str) -> None:
        assert commented("/dryrun unit", by=by).dry_runs == {"unit"}

    @pytest.mark.parametrize("by", STRANGERS)
    @pytest.mark.parametrize("body", ["/dryrun deploy", "/test deploy --dryrun"])
    def test_of_a_manual_pipeline_is_for_trusted_users(self, by: str, body: str) -> None:
        outcome = commented(body, by=by)

        assert outcome.decision == "deny"
        assert not outcome.of("trigger")

    @pytest.mark.parametrize("by", ["ada", "mallory"])
    @pytest.mark.parametrize("body", ["/dryrun", "/dryrun unit", "/test unit --dryrun"])
    def test_runs_nothing_on_an_untrusted_head(self, by: str, body: str) -> None:
        outcome = commented(body, by=by, of=stranger_pull())

        assert outcome.decision in {"wait", "deny"}
        assert not outcome.of("trigger")

    def test_of_an_unknown_pipeline_is_answered(self) -> None:
        outcome = commented("/dryrun unti")

        assert not outcome.of("trigger")
        assert suggests(outcome.reply, "unit")

    def test_misspelled_runs_nothing_for_real(self) -> None:
        outcome = commented("/test unit --dry-run")

        assert outcome.runs == set()
        assert outcome.reply
