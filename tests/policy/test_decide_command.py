"""What comments do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import CancelKind, ChangedFiles, Outcome, Permission, Phase
from bot.policy.decision import Answer, CancelRuns, DecisionKind, StartRun
from tests.examples import HEAD, pull, run, sha
from tests.policy.deciding import BOT, Known, answer, cancelled, comment, kinds, started

TWO = "pipelines: {unit: {dag: checks}, docs: {dag: docs}}"


class TestWhoMay:
    @pytest.mark.parametrize("role", Permission, ids=lambda role: role.value)
    @pytest.mark.parametrize("body", ["/test", "/test unit", "/cancel"])
    def test_write_access_is_needed(self, body: str, role: Permission) -> None:
        known = Known(roles={"alice": Permission.WRITE, "rita": role}, runs=(run(),))
        decision = known.decide(comment(body, "rita"))
        may = role in {Permission.WRITE, Permission.MAINTAIN, Permission.ADMIN}
        assert (decision.kind is DecisionKind.DENY) is not may
        assert bool(started(decision) or cancelled(decision)) is may

    def test_whoever_may_not_is_told_so(self) -> None:
        decision = Known().decide(comment("/test", "mallory"))
        assert "write access" in str(answer(decision))
        assert kinds(decision) == [Answer]

    def test_the_author_alone_may_not(self) -> None:
        known = Known(pull=pull(author="mallory", head_repository="mallory/widgets"))
        assert kinds(known.decide(comment("/test", "mallory"))) == [Answer]

    @pytest.mark.parametrize("login", [BOT, BOT.upper()])
    def test_the_bot_itself_never(self, login: str) -> None:
        known = Known(roles={login: Permission.ADMIN})
        assert known.decide(comment("/test", login)).actions == ()

    def test_a_comment_without_a_command_costs_no_question(self) -> None:
        known = Known()
        decision = known.decide(comment("Nice work, please see src/test"))
        assert (decision.kind, decision.actions) == (DecisionKind.IGNORE, ())
        assert known.asked == []

    def test_a_closed_pull_request_takes_no_commands(self) -> None:
        assert started(Known(pull=pull(is_open=False)).decide(comment("/test"))) == []


class TestTest:
    def test_starts_all_that_apply(self) -> None:
        assert started(Known(yaml=TWO).decide(comment("/test"))) == ["unit", "docs"]

    def test_starts_those_that_are_named(self) -> None:
        assert started(Known(yaml=TWO).decide(comment("/test docs"))) == ["docs"]

    def test_several_commands_are_a_union_and_start_each_once(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test docs\n/test unit docs\n/test docs"))
        assert sorted(started(decision)) == ["docs", "unit"]

    def test_runs_again_what_ended(self) -> None:
        ended = replace(run(), phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
        assert started(Known(runs=(ended,)).decide(comment("/test"))) == ["unit"]

    def test_takes_the_place_of_what_runs(self) -> None:
        runs = (run("unit"), run("docs"))
        decision = Known(yaml=TWO, runs=runs).decide(comment("/test unit"))
        assert list(cancelled(decision)) == [runs[0].id]
        assert started(decision) == ["unit"]
        stops = [action.kind for action in decision.actions if isinstance(action, CancelRuns)]
        assert stops == [CancelKind.RERUN]
        assert kinds(decision).index(CancelRuns) < kinds(decision).index(StartRun)

    def test_says_that_a_person_asked(self) -> None:
        decision = Known().decide(comment("/test", "rita"))
        assert [a.trigger for a in decision.actions if isinstance(a, StartRun)] == ["command"]
        assert decision.actor == "rita"

    def test_an_unknown_name_gets_a_suggestion(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test unti"))
        assert started(decision) == []
        assert "`unit`" in str(answer(decision))

    def test_an_unknown_name_gets_the_list(self) -> None:
        reply = str(answer(Known(yaml=TWO).decide(comment("/test everything"))))
        assert "`unit`" in reply
        assert "`docs`" in reply

    def test_known_names_beside_an_unknown_one_run(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test docs nonsense"))
        assert started(decision) == ["docs"]
        assert "nonsense" in str(answer(decision))

    def test_all_beside_a_filtered_name_is_a_union(self) -> None:
        yaml = "pipelines: {unit: {dag: checks}, docs: {dag: docs, paths: ['docs/**']}}"
        known = Known(yaml=yaml, changed=ChangedFiles(("src/app.py",)))
        assert started(known.decide(comment("/test\n/test docs"))) == ["unit", "docs"]

    def test_at_a_new_head_it_also_stops_what_runs_for_the_old_one(self) -> None:
        old = run(head_sha=sha(1))
        assert cancelled(Known(runs=(old,)).decide(comment("/test"))) == {old.id: f"superseded by {HEAD[:7]}"}


class TestCancel:
    def test_stops_all_and_says_who(self) -> None:
        runs = (run("unit"), run("docs"))
        decision = Known(runs=runs).decide(comment("/cancel", "rita"))
        assert cancelled(decision) == dict.fromkeys((one.id for one in runs), "by rita")
        assert [a.kind for a in decision.actions if isinstance(a, CancelRuns)] == [CancelKind.COMMAND]

    def test_stops_those_that_are_named(self) -> None:
        runs = (run("unit"), run("docs"))
        assert list(cancelled(Known(runs=runs).decide(comment("/cancel docs")))) == [runs[1].id]

    def test_works_without_a_configuration(self) -> None:
        one = run()
        assert list(cancelled(Known(yaml=None, runs=(one,)).decide(comment("/cancel")))) == [one.id]

    @pytest.mark.parametrize("body", ["/cancel", "/cancel docs"])
    def test_says_when_there_is_nothing_to_cancel(self, body: str) -> None:
        decision = Known(runs=(replace(run(), phase=Phase.FINISHED),)).decide(comment(body))
        assert cancelled(decision) == {}
        assert answer(decision)

    @pytest.mark.parametrize("body", ["/cancel\n/test", "/test\n/cancel"])
    def test_beside_a_test_the_old_run_stops_and_the_new_one_runs(self, body: str) -> None:
        old = run()
        decision = Known(runs=(old,)).decide(comment(body))
        assert cancelled(decision) == {old.id: "by alice"}
        assert started(decision) == ["unit"]


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
