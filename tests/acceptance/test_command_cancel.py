"""`/cancel [NAME...]`: for trusted users and the pull request's author."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.simulator import TRUSTED, commented, stranger_pull, suggests

if TYPE_CHECKING:
    from tests.acceptance.payloads import Json

RUNNING = {"unit": "running", "lint": "running"}
FACTS: Json = {"runs": RUNNING, "statuses": {"unit": "pending", "lint": "pending"}}


class TestCancel:
    @pytest.mark.parametrize("by", TRUSTED)
    def test_stops_everything_for_trusted_users(self, by: str) -> None:
        outcome = commented("/cancel", by=by, **FACTS)

        assert outcome.cancelled == {"unit", "lint"}
        assert outcome.decision not in {"deny", "wait", "error"}
        assert outcome.reacted
        assert not outcome.of("trigger")

    @pytest.mark.parametrize("by", TRUSTED)
    def test_says_by_whom(self, by: str) -> None:
        outcome = commented("/cancel unit", by=by, **FACTS)

        (cancel,) = outcome.of("cancel")
        assert cancel["reason"] == f"by {by}"

    def test_stops_those_that_are_named(self) -> None:
        assert commented("/cancel lint", **FACTS).cancelled == {"lint"}

    def test_stops_what_waits_for_its_turn(self) -> None:
        outcome = commented("/cancel", runs={"unit": "queued"}, statuses={"unit": "pending"})

        assert outcome.cancelled == {"unit"}

    def test_stops_for_the_author_who_is_nobody_else(self) -> None:
        outcome = commented("/cancel", by="mallory", of=stranger_pull(), **FACTS)

        assert outcome.cancelled == {"unit", "lint"}

    @pytest.mark.parametrize("by", ["tina", "rita", "mallory"])
    @pytest.mark.parametrize("body", ["/cancel", "/cancel unit"])
    def test_is_refused_to_others_who_hear_who_could(self, by: str, body: str) -> None:
        outcome = commented(body, by=by, **FACTS)

        assert outcome.decision == "deny"
        assert outcome.cancelled == set()
        assert "author" in outcome.reply
        assert "write" in outcome.reply
        assert outcome.reacted

    def test_stops_each_once(self) -> None:
        outcome = commented("/cancel unit\n/cancel\n/test unit", **FACTS)

        assert sorted(action["pipeline"] for action in outcome.of("cancel")) == ["lint", "unit"]

    def test_says_so_where_nothing_runs(self) -> None:
        outcome = commented("/cancel")

        assert outcome.cancelled == set()
        assert outcome.reacted
        assert outcome.reply

    def test_leaves_what_has_ended(self) -> None:
        outcome = commented(
            "/cancel", runs={"unit": "failed", "lint": "running"}, statuses={"unit": "failure"}
        )

        assert outcome.cancelled == {"lint"}

    def test_answers_a_wrong_name(self) -> None:
        outcome = commented("/cancel lnit", **FACTS)

        assert outcome.cancelled == set()
        assert suggests(outcome.reply, "lint") or suggests(outcome.reply, "unit")

    def test_needs_no_trusted_head(self) -> None:
        assert commented("/cancel", by="ada", of=stranger_pull(), **FACTS).cancelled == {"unit", "lint"}
