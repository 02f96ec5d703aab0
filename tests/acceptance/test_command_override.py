"""`/override NAME REASON`: those who maintain turn a context to success."""

from __future__ import annotations

import pytest

from tests.acceptance.payloads import pull
from tests.acceptance.simulator import commented, stranger_pull, suggests

MAY = ("ada", "maria")
MAY_NOT = ("alice", "bob", "tina", "rita", "mallory")


class TestOverride:
    @pytest.mark.parametrize("by", MAY)
    def test_turns_the_context_to_success(self, by: str) -> None:
        outcome = commented(
            "/override unit the runner is broken",
            by=by,
            statuses={"unit": "failure"},
            runs={"unit": "failed"},
        )

        assert outcome.statuses == {"unit": ("success", f"overridden by @{by}: the runner is broken")}
        assert not outcome.of("trigger")
        assert outcome.reacted

    @pytest.mark.parametrize("by", MAY_NOT)
    def test_is_refused_to_others_who_hear_who_could(self, by: str) -> None:
        outcome = commented("/override unit because", by=by, statuses={"unit": "failure"})

        assert outcome.decision == "deny"
        assert outcome.statuses == {}
        assert "maintain" in outcome.reply
        assert "admin" in outcome.reply
        assert outcome.reacted

    def test_is_refused_to_an_author_of_a_listed_organisation(self) -> None:
        configuration = "trust: [acme]\npipelines: {unit: {dag: checks}}\n"
        outcome = commented(
            "/override unit because", by="rita", configuration=configuration, members={"acme": ["rita"]}
        )

        assert outcome.decision == "deny"
        assert outcome.statuses == {}

    @pytest.mark.parametrize("body", ["/override", "/override unit", "/override unit  \t"])
    def test_needs_a_name_and_a_reason(self, body: str) -> None:
        outcome = commented(body, by="ada", statuses={"unit": "failure"})

        assert outcome.statuses == {}
        assert "/override" in outcome.reply
        assert "reason" in outcome.reply.lower()

    def test_answers_a_wrong_name(self) -> None:
        outcome = commented("/override unti because", by="ada", statuses={"unit": "failure"})

        assert outcome.statuses == {}
        assert suggests(outcome.reply, "unit")

    def test_stops_no_other_context(self) -> None:
        outcome = commented("/override unit x\n/override lint y", by="ada")

        assert {name: state for name, (state, _) in outcome.statuses.items()} == {
            "unit": "success",
            "lint": "success",
        }

    def test_needs_no_trusted_head_for_it_runs_nothing(self) -> None:
        outcome = commented("/override unit because", by="ada", of=stranger_pull())

        assert outcome.statuses["unit"] == ("success", "overridden by @ada: because")
        assert not outcome.of("trigger")

    def test_works_for_a_draft_and_a_manual_pipeline(self) -> None:
        outcome = commented("/override deploy because", by="ada", of=pull(draft=True))

        assert outcome.statuses["deploy"][0] == "success"

    @pytest.mark.parametrize(
        "reason", ["x" * 500, "\u00e9" * 200, "a `b` | c <d> @acme/all", "50% \\n {x} ${y}"]
    )
    def test_takes_any_reason(self, reason: str) -> None:
        outcome = commented(f"/override unit {reason}", by="ada")

        state, description = outcome.statuses["unit"]
        assert state == "success"
        assert description.startswith("overridden by @ada: ")
