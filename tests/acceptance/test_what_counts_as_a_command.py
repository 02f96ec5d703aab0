"""A command is a line of a newly created comment on an open pull request that begins with `/`."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.payloads import issue_comment, pull
from tests.acceptance.simulator import CONFIGURATION, commented, facts_about, names, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = {
    "alone": "/test unit",
    "at the end of a line of its own": "Please\n/test unit\nthanks",
    "one space before it": " /test unit",
    "two spaces before it": "  /test unit",
    "three spaces before it": "   /test unit",
    "three spaces, within a paragraph": "Please\n   /test unit",
    "with CRLF": "Please\r\n/test unit\r\nthanks\r\n",
    "with trailing blanks": "/test unit  \t ",
    "with trailing blanks and CRLF": "/test unit \t \r\n",
    "with blanks between": "/test    unit",
    "with a tab between": "/test\tunit",
    "in capitals": "/TEST unit",
    "in mixed case": "/tEsT unit",
    "after a quote and an empty line": "> what he said\n\n/test unit",
    "after a fence": "```\nmake\n```\n/test unit",
    "after an HTML comment": "<!-- a hint -->\n\n/test unit",
    "after a list": "- one\n- two\n\n/test unit",
    "right below a list": "- one\n- two\n/test unit",
    "within a list's item": "- one\n\n  /test unit",
    "within a numbered list's item": "1. one\n\n   /test unit",
    "after a heading": "# Why\n/test unit",
    "beside a link": "[docs](https://example.com/docs)\n/test unit",
    "beside inline code": "`make`\n/test unit",
}

DOES_NOT_COUNT = {
    "within a line": "please /test unit",
    "after a character": "x/test unit",
    "four spaces before it": "    /test unit",
    "four spaces before it, within a paragraph": "Please\n    /test unit",
    "a tab before it": "\t/test unit",
    "quoted": "> /test unit",
    "quoted without a space": ">/test unit",
    "quoted with blanks before": "   > /test unit",
    "quoted twice": "> > /test unit",
    "going on lazily in a quote": "> he said\n/test unit",
    "fenced": "```\n/test unit\n```",
    "fenced with a language": "```console\n/test unit\n```",
    "fenced with tildes": "~~~\n/test unit\n~~~",
    "fenced with CRLF": "```\r\n/test unit\r\n```\r\n",
    "in a fence that is never closed": "```\n/test unit",
    "in a long fence around a short one": "````\n```\n/test unit\n```\n````",
    "in a fence of a quote": "> ```\n> /test unit\n> ```",
    "indented code": "So:\n\n    /test unit\n",
    "indented code of a list": "- So:\n\n      /test unit\n",
    "inline code": "`/test unit`",
    "inline code with two ticks": "``/test unit``",
    "inline code over lines": "`\n/test unit\n`",
    "inline code over lines amid text": "see `this\n/test unit\nthat` there",
    "inline code in HTML": "see <code>\n/test unit\n</code>",
    "code in HTML": "<pre>\n/test unit\n</pre>",
    "a quote in HTML": "<blockquote>\n\n/test unit\n\n</blockquote>",
    "an HTML comment": "<!-- /test unit -->",
    "an HTML comment over lines": "<!--\n/test unit\n-->",
    "an HTML comment over lines within a paragraph": "see <!--\n/test unit\n--> there",
    "an HTML comment over an empty line": "<!--\n\n/test unit\n\n-->",
    "an HTML comment that is never closed": "<!--\n/test unit\n",
    "an HTML comment with CRLF": "<!--\r\n/test unit\r\n-->\r\n",
    "a link's text": "[/test unit](https://example.com)",
    "a link's text over lines": "[\n/test unit\n](https://example.com)",
    "a link's address": "[see](\n/test\n)",
    "a link's title": '[see](https://example.com "\n/test unit\n")',
    "a link definition's address": "[see]:\n/test\n\n[see]",
    "an image's text": "![\n/test unit\n](https://example.com/a.png)",
    "an attribute of inline HTML": '<a title="\n/test unit\n">see</a>',
    "a slash alone": "/",
    "two slashes": "//test unit",
    "a space after the slash": "/ test unit",
    "a path": "/test/unit",
    "a longer word": "/testing unit",
    "another slash": "\\test unit",
    "a full-width slash": "\uff0ftest unit",
    "a look-alike letter": "/t\u0435st unit",
    "an empty comment": "",
    "no comment": None,
}


class TestALineThatBeginsWithASlash:
    @pytest.mark.parametrize("body", COUNTS.values(), ids=COUNTS)
    def test_is_a_command(self, body: str) -> None:
        outcome = commented(body)

        assert outcome.decision == "run"
        assert outcome.runs == {"unit"}
        assert outcome.reacted

    @pytest.mark.parametrize("body", DOES_NOT_COUNT.values(), ids=DOES_NOT_COUNT)
    def test_is_none_elsewhere(self, body: str | None) -> None:
        outcome = commented(body)

        assert outcome.output["commands"] == []
        assert not outcome.of("trigger")

    def test_what_is_commented_out_selects_nothing_either(self) -> None:
        outcome = commented("/test unit <!-- lint -->\n\n<!--\n/test deploy\n-->")

        assert outcome.runs == {"unit"}

    @pytest.mark.parametrize(
        "body", ["/test unit", "x\n/test unit", "x\r\n\r\n/test unit", "<!--\n-->\n/test unit"]
    )
    def test_is_known_by_its_number(self, body: str) -> None:
        (command,) = commented(body).output["commands"]

        assert command["name"] == "test"
        assert command["pipelines"] == ["unit"]
        assert command["dryrun"] is False
        assert command["inputs"] == {}
        assert command["line"] == body.count("\n") + 1


class TestSeveralCommands:
    def test_form_a_union(self) -> None:
        outcome = commented("/test unit\nand\n/test docs deploy\n\n/test unit")

        assert outcome.runs == {"unit", "docs", "deploy"}
        assert set(names(outcome.output["commands"])) == {"test"}

    def test_form_a_union_of_all_and_some(self) -> None:
        assert commented("/test\n/test docs").runs == {"unit", "lint", "docs"}

    def test_may_be_of_several_kinds(self) -> None:
        outcome = commented("/test unit\n/cancel lint\n/dryrun docs", runs={"lint": "running"})

        assert outcome.runs == {"unit"}
        assert outcome.dry_runs == {"docs"}
        assert outcome.cancelled == {"lint"}

    def test_one_that_is_not_understood_leaves_the_others(self) -> None:
        outcome = commented("/test unit\n\n/tset lint")

        assert outcome.decision == "run"
        assert outcome.runs == {"unit"}
        (error,) = outcome.output["errors"]
        assert (error["line"], error["suggestion"]) == (3, "/test")


class TestAComment:
    @pytest.mark.parametrize("action", ["edited", "deleted"])
    @pytest.mark.parametrize("body", ["/test unit", "/cancel", "/help", "/tset", "/override unit because"])
    def test_that_is_not_new_starts_nothing(self, action: str, body: str) -> None:
        assert commented(body, action=action, by="ada").nothing

    def test_on_an_issue_starts_nothing(self) -> None:
        assert simulate("issue_comment", issue_comment("/test", on_issue=True), facts=facts_about()).nothing

    def test_on_a_closed_pull_request_starts_nothing(self) -> None:
        closed = pull(state="closed")

        assert commented("/test unit", of=closed).nothing

    def test_on_a_pull_request_that_was_closed_meanwhile_starts_nothing(self) -> None:
        outcome = simulate(
            "issue_comment", issue_comment("/test unit"), facts=facts_about(pull(state="closed"))
        )

        assert not outcome.of("trigger")

    @pytest.mark.parametrize("login", ["preflight[bot]", "dependabot[bot]", "renovate[bot]"])
    @pytest.mark.parametrize("body", ["/test unit", "/help", "/tset", "/ok-to-test"])
    def test_of_a_bot_never_counts(self, login: str, body: str) -> None:
        assert commented(body, by=login, permissions={login: "write", "alice": "write"}).nothing

    def test_of_a_listed_bot_counts(self) -> None:
        outcome = commented(
            "/test unit deploy",
            by="renovate[bot]",
            configuration=f'trust: ["renovate[bot]"]\n{CONFIGURATION}',
        )

        assert outcome.runs == {"unit", "deploy"}

    def test_of_a_bot_with_another_name_than_the_listed_one_does_not(self) -> None:
        configuration = f'trust: ["renovate[bot]"]\n{CONFIGURATION}'

        assert commented("/test unit", by="dependabot[bot]", configuration=configuration).nothing

    def test_of_a_user_who_is_named_like_a_listed_bot_has_no_rights_by_that(self) -> None:
        configuration = f'trust: ["renovate[bot]"]\n{CONFIGURATION}'
        outcome = commented(
            "/test deploy",
            by="renovate",
            configuration=configuration,
            permissions={"renovate": "none", "alice": "write"},
        )

        assert not outcome.of("trigger")

    def test_of_a_user_account_that_runs_the_bot_never_counts(self) -> None:
        assert commented("/test unit", by="bob", bot_login="bob").nothing

    @pytest.mark.parametrize("body", ["Looks good to me", "See /docs or 1/2", "/lgtm", "/hold cancel", ""])
    def test_without_a_command_of_ours_gets_no_answer(self, body: str) -> None:
        assert commented(body).nothing


WORDS = st.text(string.ascii_letters + string.digits + " .,:;!?*_#-[]()", max_size=30).map(str.strip)
PIPELINES = st.sampled_from(["unit", "lint", "docs", "deploy"])


@st.composite
def commands(draw: st.DrawFn) -> tuple[str, set[str]]:
    """A line that runs these pipelines."""
    chosen = draw(st.lists(PIPELINES, min_size=1, max_size=3))
    name = draw(st.sampled_from(["/test", "/TEST", "/Test"]))
    gap = st.sampled_from([" ", "  ", "\t"])
    line = draw(st.sampled_from(["", " ", "   "])) + name + "".join(draw(gap) + one for one in chosen)
    return line + draw(st.sampled_from(["", " ", " \t"])), set(chosen)


WRAPPERS: tuple[Callable[[str], str], ...] = (
    lambda line: f"> {line}",
    lambda line: f"> > {line}",
    lambda line: f"> text\n{line}",
    lambda line: f"```\n{line}\n```",
    lambda line: f"~~~~ sh\n{line}\n~~~~",
    lambda line: f"    {line}",
    lambda line: f"`{line}`",
    lambda line: f"text ``\n{line}\n`` text",
    lambda line: f"<!--\n{line}\n-->",
    lambda line: f"text <!--\n{line}\n--> text",
    lambda line: f"[\n{line}\n](https://example.com)",
)
"""Each makes a block in which a command doesn't count."""


@st.composite
def comments(draw: st.DrawFn) -> tuple[str, set[str]]:
    """A comment of blocks, and what it is to run."""
    blocks: list[str] = []
    wanted: set[str] = set()
    for kind in draw(st.lists(st.sampled_from(["command", "hidden", "words"]), min_size=1, max_size=6)):
        line, chosen = draw(commands())
        if kind == "command":
            blocks.append(line)
            wanted |= chosen
        elif kind == "hidden":
            blocks.append(draw(st.sampled_from(WRAPPERS))(line.strip()))
        else:
            # A number would make a list of it that swallows what follows, so words begin with a word.
            blocks.append("text " + draw(WORDS).replace("[", "").replace("]", ""))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    return "\n\n".join(blocks).replace("\n", ending), wanted


class TestAnyComment:
    @given(comments())
    def test_runs_what_it_says_and_nothing_that_it_quotes(self, comment: tuple[str, set[str]]) -> None:
        body, wanted = comment

        assert commented(body).runs == wanted

    @given(
        st.text(
            alphabet=st.sampled_from("/test unit\n\r\t >`~<!-[]()\\*_#&;:?=\0\u2028\u00a0\ufeff\ud800éL"),
            max_size=80,
        )
    )
    def test_never_raises(self, body: str) -> None:
        assert commented(body).code == 0

    @settings(max_examples=30)
    @given(
        st.lists(
            st.sampled_from(
                [
                    "/test unit",
                    "/test lint docs",
                    "/dryrun docs",
                    "/retest",
                    "/TEST all",
                    "/tset",
                    "/test nope",
                ]
            ),
            min_size=1,
            max_size=5,
        ),
        st.data(),
    )
    def test_has_no_order_and_no_duplicates(self, lines: list[str], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(lines))
        repeated = shuffled + data.draw(st.lists(st.sampled_from(lines), max_size=3))

        first, second = commented("\n\n".join(lines)), commented("\n\n".join(repeated))

        assert first.decision == second.decision
        assert first.runs == second.runs
        assert first.dry_runs == second.dry_runs
        assert first.resumed == second.resumed
