"""What a comment is answered with, whatever it asks for."""

from __future__ import annotations

import pytest

from bot.models import Permission
from bot.policy.decision import DecisionKind
from bot.policy.operator import Operator
from tests.examples import pull
from tests.policy.deciding import BOT, Known, answer, comment, started


class TestWhoIsHeard:
    @pytest.mark.parametrize("login", [BOT, BOT.upper()])
    def test_the_bot_itself_never(self, login: str) -> None:
        known = Known(roles={login: Permission.ADMIN})
        assert known.decide(comment("/test", login)).actions == ()

    def test_other_bots_are_not(self) -> None:
        known = Known(roles={"renovate[bot]": Permission.ADMIN, "alice": Permission.WRITE})
        assert known.decide(comment("/test", "renovate[bot]")).actions == ()

    @pytest.mark.parametrize("where", ["operator", "repository"])
    def test_but_those_that_are_listed(self, where: str) -> None:
        known = Known(yaml="{trust: ['renovate[bot]'], pipelines: {unit: {dag: checks}}}")
        if where == "operator":
            known = Known(operator=Operator(trust=("Renovate[bot]",)))
        assert started(known.decide(comment("/test", "renovate[bot]"))) == ["unit"]

    def test_a_comment_without_a_command_costs_no_question(self) -> None:
        known = Known()
        decision = known.decide(comment("Nice work, please see src/test"))
        assert (decision.kind, decision.actions) == (DecisionKind.IGNORE, ())
        assert known.asked == []

    def test_a_closed_pull_request_takes_no_commands(self) -> None:
        assert Known(pull=pull(is_open=False)).decide(comment("/test")).actions == ()


class TestTheAnswer:
    """Every command gets one, once."""

    @pytest.mark.parametrize("body", ["/test", "/test nonsense", "/cancel", "/tset", "/test\n/cancel\n/tset"])
    @pytest.mark.parametrize("author", ["alice", "mallory"])
    def test_each_comment_with_a_command_gets_exactly_one(self, author: str, body: str) -> None:
        decision = Known().decide(comment(body, author))
        assert answer(decision) is not None

    def test_a_misspelt_command_gets_a_suggestion(self) -> None:
        decision = Known().decide(comment("Hello\n/tset unit"))
        assert started(decision) == []
        assert "Line 2" in str(answer(decision))
        assert "`/test`" in str(answer(decision))

    def test_other_bots_commands_get_none(self) -> None:
        assert Known().decide(comment("/lgtm\n/approve\n/assign @rita")).actions == ()

    @pytest.mark.parametrize(
        "hostile",
        [
            "@acme/everyone",
            "#1",
            "`x`",
            "![i](http://x)",
            "<img src=x>",
            "x" * 5000,
            "a\u202eb",
            "```",
            "\\`x",
        ],
    )
    def test_what_it_quotes_can_do_nothing(self, hostile: str) -> None:
        reply = str(answer(Known().decide(comment(f"/test {hostile}"))))
        for line in reply.splitlines():
            outside = "".join(line.split("`")[::2])
            assert not set("@#<![") & set(outside), line
        assert len(reply) < 2000

    def test_many_unknown_names_are_not_all_repeated(self) -> None:
        reply = str(answer(Known().decide(comment("/test " + " ".join(f"no{i}" for i in range(3000))))))
        assert len(reply.splitlines()) < 20
