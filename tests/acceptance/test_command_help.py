"""`/test ?` and `/help`: the pipelines of this pull request, and the commands."""

from __future__ import annotations

import pytest

from tests.acceptance.payloads import Json, pull
from tests.acceptance.simulator import STRANGERS, TRUSTED, bot, commented, stranger_pull

COMMANDS = ("/test", "/dryrun", "/help", "/retest", "/cancel", "/ok-to-test", "/override")
QUESTIONS = ("/help", "/test ?", "/HELP", "/Test ?")


@pytest.mark.parametrize("body", QUESTIONS)
class TestHelp:
    @pytest.mark.parametrize("by", [*TRUSTED, *STRANGERS])
    def test_tells_everyone_the_pipelines_and_the_commands(self, body: str, by: str) -> None:
        outcome = commented(body, by=by)

        assert outcome.reacted
        assert not outcome.of("trigger")
        assert all(name in outcome.reply for name in ("unit", "lint", "docs", "deploy"))
        assert all(name in outcome.reply for name in COMMANDS)
        assert outcome.decision not in {"deny", "error"}

    def test_tells_what_each_runs_on(self, body: str) -> None:
        assert "docs/**" in commented(body).reply
        assert "manual" in commented(body).reply

    def test_tells_the_last_result(self, body: str) -> None:
        facts: Json = {
            "statuses": {"unit": "failure", "lint": "success"},
            "runs": {"unit": "failed", "lint": "success"},
        }
        before, after = commented(body).reply, commented(body, **facts).reply
        row = next(line for line in after.splitlines() if "unit" in line and line not in before)

        assert "fail" in row
        assert "fail" not in before.lower().replace("failed, errored", "").split("/retest")[0]

    def test_answers_on_an_untrusted_head_too(self, body: str) -> None:
        outcome = commented(body, by="mallory", of=stranger_pull())

        assert "unit" in outcome.reply
        assert not outcome.of("trigger")

    def test_answers_on_a_draft(self, body: str) -> None:
        assert "unit" in commented(body, of=pull(draft=True)).reply

    def test_says_the_help_of_the_command_line(self, body: str) -> None:
        reply = squeezed(commented(body).reply)
        lines = [squeezed(line) for line in bot("commands").out.splitlines()]

        assert [line for line in lines if line and line not in reply] == []


def squeezed(text: str) -> str:
    """The text without the marks and blanks that only make it a table or code."""
    return " ".join(text.replace("`", "").replace("|", " ").replace("\\", "").split())


def test_help_and_a_command_are_both_obeyed() -> None:
    outcome = commented("/help\n/test unit")

    assert outcome.runs == {"unit"}
    assert "/retest" in outcome.reply


def test_commands_prints_every_command() -> None:
    printed = bot("commands")

    assert printed.code == 0
    assert all(name in printed.out for name in COMMANDS)
    assert "--dryrun" in printed.out
    assert "KEY=VALUE" in printed.out
