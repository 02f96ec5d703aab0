"""`/test`: who may, and what runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.models import CancelKind, ChangedFiles, Outcome, Permission, Phase, Status, StatusState, Verdict
from bot.policy.decision import CancelRuns, DecisionKind, StartRun
from tests.examples import HEAD, pull, run, sha
from tests.policy.deciding import Known, answer, cancelled, comment, dry_run, kinds, shown, started

TWO = "pipelines: {unit: {dag: checks}, docs: {dag: docs}}"
ALL_KINDS = """
pipelines:
  unit: {dag: checks}
  docs: {dag: docs, paths: ["docs/**"]}
  deploy: {dag: deploy, manual: true}
  e2e:
    dag: e2e
    inputs:
      gpu: {type: boolean, default: false}
      zone: {choices: [us-east1, us-west1]}
      nodes: {type: integer}
  nightly: {dag: nightly, on: [push]}
  packages: {dag: build, needs: [unit]}
  publish: {dag: publish, manual: true, needs: [packages]}
"""


class TestWhatRuns:
    def test_all_that_apply(self) -> None:
        assert started(Known(yaml=TWO).decide(comment("/test"))) == ["unit", "docs"]

    @pytest.mark.parametrize("body", ["/test", "/test all", "/TEST", "   /test   "])
    def test_automatic_ones_only(self, body: str) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment(body))
        assert started(decision) == ["unit", "e2e", "packages"]
        assert shown(decision) == {"preflight/docs": ("success", "skipped: no matching files")}

    def test_those_that_are_named(self) -> None:
        assert started(Known(yaml=TWO).decide(comment("/test docs"))) == ["docs"]

    def test_those_that_are_named_even_if_filtered_out(self) -> None:
        assert started(Known(yaml=ALL_KINDS).decide(comment("/test docs"))) == ["docs"]

    def test_a_manual_one_by_its_name(self) -> None:
        assert started(Known(yaml=ALL_KINDS).decide(comment("/test deploy"))) == ["deploy"]

    def test_all_and_a_manual_one(self) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment("/test all deploy"))
        assert started(decision) == ["deploy", "unit", "e2e", "packages"]

    def test_not_one_that_is_for_pushes(self) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment("/test nightly"))
        assert started(decision) == []
        assert "does not run on pull requests" in str(answer(decision))

    def test_several_commands_are_a_union_and_start_each_once(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test docs\n/test unit docs\n/test docs"))
        assert sorted(started(decision)) == ["docs", "unit"]

    def test_all_beside_a_filtered_name_is_a_union(self) -> None:
        yaml = "pipelines: {unit: {dag: checks}, docs: {dag: docs, paths: ['docs/**']}}"
        known = Known(yaml=yaml, changed=ChangedFiles(("src/app.py",)))
        assert set(started(known.decide(comment("/test\n/test docs")))) == {"unit", "docs"}

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

    def test_at_a_new_head_it_also_stops_what_runs_for_the_old_one(self) -> None:
        old = run(head_sha=sha(1))
        assert cancelled(Known(runs=(old,)).decide(comment("/test"))) == {old.id: f"superseded by {HEAD[:7]}"}

    def test_says_that_a_person_asked(self) -> None:
        decision = Known().decide(comment("/test", "rita"))
        assert [a.trigger for a in decision.actions if isinstance(a, StartRun)] == ["command"]
        assert decision.actor == "rita"


class TestNeeds:
    def test_what_a_named_pipeline_needs_runs_too_if_it_never_ran_here(self) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment("/test publish"))
        assert set(started(decision)) == {"publish", "packages", "unit"}

    def test_but_not_what_ran(self) -> None:
        passed = replace(run("packages"), phase=Phase.FINISHED, outcome=Outcome.SUCCESS)
        decision = Known(yaml=ALL_KINDS, runs=(passed,)).decide(comment("/test publish"))
        assert started(decision) == ["publish"]

    def test_a_manual_one_only_for_trusted_users(self) -> None:
        yaml = (
            "pipelines: {deploy: {dag: deploy, manual: true}, "
            "smoke: {dag: smoke, on: pull_request, needs: [deploy]}}"
        )
        assert set(started(Known(yaml=yaml).decide(comment("/test smoke")))) == {"smoke", "deploy"}
        decision = Known(yaml=yaml).decide(comment("/test smoke", "mallory"))
        assert started(decision) == ["smoke"]
        assert "manual pipeline deploy" in str(answer(decision))


class TestNames:
    def test_an_unknown_one_gets_a_suggestion(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test unti"))
        assert started(decision) == []
        assert decision.kind is DecisionKind.ERROR
        assert "Did you mean `unit`?" in str(answer(decision))

    def test_an_unknown_one_gets_the_list(self) -> None:
        reply = str(answer(Known(yaml=TWO).decide(comment("/test everything"))))
        assert "`unit`" in reply
        assert "`docs`" in reply

    def test_known_ones_beside_an_unknown_one_run(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test docs nonsense"))
        assert started(decision) == ["docs"]
        assert decision.kind is DecisionKind.RUN
        assert "nonsense" in str(answer(decision))


class TestWhoMay:
    @pytest.mark.parametrize("role", [*Permission], ids=lambda role: role.value)
    def test_anyone_where_the_head_is_trusted(self, role: Permission) -> None:
        known = Known(roles={"alice": Permission.WRITE, "mallory": role})
        assert started(known.decide(comment("/test", "mallory"))) == ["unit"]

    @pytest.mark.parametrize("who", ["mallory", "rita"])
    def test_nobody_where_it_is_not(self, who: str) -> None:
        known = Known(pull=pull(author="mallory", head_repository="mallory/widgets"))
        decision = known.decide(comment("/test", who))
        assert started(decision) == []
        assert decision.kind is DecisionKind.WAIT
        assert shown(decision) == {"preflight/unit": ("pending", "waiting for /ok-to-test")}
        assert f"\n/ok-to-test {HEAD[:12]}\n" in str(answer(decision))

    @pytest.mark.parametrize("body", ["/test deploy", "/test e2e gpu=true", "/dryrun deploy"])
    def test_manual_pipelines_and_inputs_are_for_trusted_users(self, body: str) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment(body, "mallory"))
        assert started(decision) == dry_run(decision) == []
        assert decision.kind is DecisionKind.DENY
        assert "write access" in str(answer(decision))

    def test_a_member_of_a_listed_team_is_trusted(self) -> None:
        known = Known(yaml="trust: [acme/ci]\n" + ALL_KINDS, members={"acme/ci": ["bob"]})
        assert started(known.decide(comment("/test deploy", "bob"))) == ["deploy"]
        denied = known.decide(comment("/test deploy", "mallory"))
        assert "a member of `acme/ci`" in str(answer(denied))


class TestInputs:
    def test_are_typed_and_have_a_context_of_their_own(self) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment("/test e2e gpu=true nodes=3 zone=us-east1"))
        (start,) = [action for action in decision.actions if isinstance(action, StartRun)]
        assert start.inputs == {"gpu": True, "nodes": 3, "zone": "us-east1"}
        assert start.context == "preflight/e2e (gpu=true, nodes=3, zone=us-east1)"

    def test_do_not_take_the_place_of_the_run_without_them(self) -> None:
        known = Known(yaml=ALL_KINDS, runs=(run("e2e"),))
        assert cancelled(known.decide(comment("/test e2e gpu=true"))) == {}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("e2e gpus=1", "gpu"),
            ("e2e gpu=perhaps", "gpu"),
            ("e2e nodes=many", "nodes"),
            ("e2e zone=mars", "us-east1"),
            ("unit gpu=true", "takes none"),
            ("gpu=true", "which pipeline"),
            ("e2e gpu=true gpu=false", "twice"),
            ("e2e --force", "--dryrun"),
        ],
    )
    def test_others_are_refused_with_what_is_allowed(self, words: str, said: str) -> None:
        decision = Known(yaml=ALL_KINDS).decide(comment(f"/test {words}"))
        assert started(decision) == []
        assert decision.kind is DecisionKind.ERROR
        assert said in str(answer(decision))


class TestADryRun:
    @pytest.mark.parametrize("body", ["/dryrun unit", "/test unit --dryrun", "/test --dryrun unit"])
    def test_is_shown_and_not_done(self, body: str) -> None:
        decision = Known(yaml=TWO, runs=(run("unit"),)).decide(comment(body, comment_id=77))
        assert dry_run(decision) == ["unit"]
        assert started(decision) == []
        assert not cancelled(decision)
        assert not shown(decision)
        (start,) = [action for action in decision.actions if isinstance(action, StartRun)]
        assert start.comment_id == 77

    def test_of_all_that_apply(self) -> None:
        assert dry_run(Known(yaml=ALL_KINDS).decide(comment("/dryrun"))) == ["unit", "e2e", "packages"]

    def test_waits_for_nothing_that_it_needs(self) -> None:
        assert dry_run(Known(yaml=ALL_KINDS).decide(comment("/dryrun publish"))) == ["publish"]

    def test_beside_a_real_run_is_another(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test unit\n/dryrun unit"))
        assert started(decision) == dry_run(decision) == ["unit"]

    def test_of_an_untrusted_head_waits_and_shows_no_status(self) -> None:
        known = Known(pull=pull(author="mallory", head_repository="mallory/widgets"))
        decision = known.decide(comment("/dryrun", "rita"))
        assert dry_run(decision) == []
        assert shown(decision) == {}
        assert "/ok-to-test" in str(answer(decision))


class TestWhatAMaintainerOverrode:
    KNOWN = Known(
        yaml=TWO,
        verdicts=(
            Verdict(
                "preflight/unit",
                "unit",
                status=Status("preflight/unit", StatusState.SUCCESS, "overridden by @rita: flaky"),
                override=True,
            ),
        ),
    )

    def test_stays_until_it_is_named(self) -> None:
        decision = self.KNOWN.decide(comment("/test"))
        assert started(decision) == ["docs"]
        assert "`unit`" in str(answer(decision))
        assert started(self.KNOWN.decide(comment("/test unit"))) == ["unit"]
