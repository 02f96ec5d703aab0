"""Every command is acknowledged; a line that resembles none of ours gets no answer."""

from __future__ import annotations

import re

import pytest

from tests.acceptance.simulator import STRANGERS, asks_for_approval, commented, stranger_pull, suggests

ALL = (
    "/test",
    "/test unit",
    "/dryrun",
    "/test ?",
    "/help",
    "/retest",
    "/cancel",
    "/ok-to-test",
    "/override unit x",
)


class TestEveryCommand:
    @pytest.mark.parametrize("body", ALL)
    @pytest.mark.parametrize("by", ["ada", "alice", "rita", "mallory"])
    @pytest.mark.parametrize("trusted", [True, False], ids=["trusted head", "untrusted head"])
    def test_is_acknowledged_with_eyes(self, body: str, by: str, trusted: bool) -> None:  # noqa: FBT001 - a table's column
        outcome = commented(body, by=by) if trusted else commented(body, by=by, of=stranger_pull())

        assert outcome.reacted
        assert outcome.actions[0]["do"] == "react" or outcome.of("react")

    @pytest.mark.parametrize("body", ALL)
    @pytest.mark.parametrize("by", STRANGERS)
    def test_either_happens_or_is_explained(self, body: str, by: str) -> None:
        outcome = commented(body, by=by, of=stranger_pull(author="tina", head_repository="tina/widgets"))

        happened = outcome.of("trigger") or outcome.of("cancel") or outcome.of("status")
        assert happened or outcome.reply

    @pytest.mark.parametrize("body", ["/test", "/test unit", "/retest", "/dryrun", "/test unit\n/retest"])
    @pytest.mark.parametrize("by", ["ada", "mallory"])
    def test_on_an_untrusted_head_is_answered_with_the_line_to_copy(self, body: str, by: str) -> None:
        outcome = commented(body, by=by, of=stranger_pull())

        assert outcome.decision == "wait"
        assert asks_for_approval(outcome.reply)

    def test_that_simply_happened_needs_no_reply(self) -> None:
        assert commented("/test unit").reply == ""


MEANT = {
    "/tset": "/test",
    "/tes": "/test",
    "/tests": "/test",
    "/tast": "/test",
    "/TSET": "/test",
    "/hlep": "/help",
    "/halp": "/help",
    "/rtest": "/retest",
    "/cancle": "/cancel",
    "/cancell": "/cancel",
    "/ok-to-tset": "/ok-to-test",
    "/ok-to-tests": "/ok-to-test",
    "/overide": "/override",
    "/dryrum": "/dryrun",
}

OTHERS = (
    "/lgtm", "/approve", "/hold", "/assign @bob", "/cc @bob", "/label bug", "/kind feature", "/merge",
    "/close", "/retitle Better", "/rebase", "/shrug", "/area docs", "/ok", "/etc/passwd", "/run",
    "/build", "/deploy prod", "/testing-all", "/te", "/x", "/1", "/\U0001f600", "/packit build",
    "/azp run", "/bors r+", "/integrate", "/lifecycle stale", "/milestone v1", "/help-wanted",
    "/good-first-issue", "/check-cla", "/joke",
)  # fmt: skip


class TestAnUnknownCommand:
    @pytest.mark.parametrize(("said", "meant"), MEANT.items(), ids=list(MEANT))
    def test_is_answered_with_the_nearest(self, said: str, meant: str) -> None:
        outcome = commented(said)

        assert suggests(outcome.reply, meant)
        assert outcome.output["errors"][0]["suggestion"] == meant
        assert not outcome.of("trigger")
        assert not outcome.of("status")

    @pytest.mark.parametrize("said", OTHERS)
    def test_that_resembles_none_of_ours_gets_no_answer(self, said: str) -> None:
        outcome = commented(said)

        assert outcome.nothing
        assert outcome.output["errors"] == []

    @pytest.mark.parametrize("said", OTHERS[:5])
    def test_beside_one_of_ours_does_not_matter(self, said: str) -> None:
        outcome = commented(f"{said}\n\n/test unit")

        assert outcome.runs == {"unit"}
        assert outcome.reply == ""

    @pytest.mark.parametrize("said", ["> /tset", "`/tset`", "```\n/tset\n```", "<!-- /tset -->"])
    def test_in_a_quote_gets_no_answer(self, said: str) -> None:
        assert commented(said).nothing


class TestOneReply:
    def test_tells_everything_that_went_wrong(self) -> None:
        outcome = commented("/tset\n\n/test dcos\n\n/override unit\n\n/test nothing-like-it", by="ada")

        assert len(outcome.of("reply")) == 1
        assert all(word in outcome.reply for word in ("/test", "docs", "/override", "nothing-like-it"))
        assert {1, 5} <= {error["line"] for error in outcome.output["errors"]}

    @pytest.mark.parametrize(
        "said",
        ["@acme/everyone", "@ada", "#1", "acme/widgets#1", "<img src=x>", "![x](https://x.example/a.png)"],
    )
    def test_neither_mentions_nor_embeds_what_it_repeats(self, said: str) -> None:
        reply = commented(f"/test {said}").reply

        assert said not in re.sub(r"(`+).*?\1", "", reply), "only within code"

    def test_stays_short_whatever_is_asked(self) -> None:
        assert len(commented("\n".join(f"/test nothing{number}" for number in range(500))).reply) < 10_000
