"""What pull requests ask for beside a push: labels, drafts, another base, their own configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.events.pull_request import PullAction
from bot.models import CancelKind, Outcome, Permission, Phase, Status, StatusState, Verdict
from bot.policy.decision import CancelRuns, DecisionKind
from tests.examples import pull, run, sha
from tests.policy.deciding import Known, cancelled, notice, opened, shown, started

WAITS = Verdict(
    "preflight/e2e",
    "e2e",
    status=Status("preflight/e2e", StatusState.PENDING, "waits until ready for review"),
)
LABELLED = "pipelines: {unit: {dag: checks}, e2e: {dag: e2e, labels: [needs-e2e]}}"


class TestLabels:
    def test_without_it_the_pipeline_is_skipped(self) -> None:
        decision = Known(yaml=LABELLED).decide(opened())
        assert started(decision) == ["unit"]
        ((context, (state, description)),) = shown(decision).items()
        assert (context, state) == ("preflight/e2e", "success")
        assert description.startswith("skipped: ")
        assert "needs-e2e" in description

    def test_with_it_the_pipeline_runs(self) -> None:
        known = Known(yaml=LABELLED, pull=pull(labels=("needs-e2e",)), runs=(run(),))
        assert started(known.decide(opened(PullAction.LABELED))) == ["e2e"]

    @pytest.mark.parametrize("action", [PullAction.LABELED, PullAction.UNLABELED])
    def test_where_no_pipeline_asks_they_mean_nothing(self, action: PullAction) -> None:
        decision = Known().decide(opened(action))
        assert (decision.kind, decision.actions) == (DecisionKind.IGNORE, ())


class TestDrafts:
    def test_becoming_one_stops_what_runs_and_waits(self) -> None:
        one = run()
        decision = Known(pull=pull(draft=True), runs=(one,)).decide(opened(PullAction.DRAFTED))
        assert list(cancelled(decision)) == [one.id]
        assert [a.kind for a in decision.actions if isinstance(a, CancelRuns)] == [CancelKind.DRAFT]
        assert shown(decision) == {"preflight/unit": ("pending", "waits until ready for review")}

    def test_that_is_heard_late_stops_nothing_that_was_asked_for_meanwhile(self) -> None:
        one = run()
        one = replace(one, conf={**one.conf, "preflight": {"draft": True}})
        decision = Known(pull=pull(draft=True), runs=(one,)).decide(opened(PullAction.DRAFTED))
        assert (cancelled(decision), shown(decision)) == ({}, {})

    def test_what_ran_only_because_somebody_named_it_does_not_wait(self) -> None:
        known = Known(yaml=LABELLED, pull=pull(draft=True), runs=(run("e2e"),))
        decision = known.decide(opened(PullAction.DRAFTED))
        assert shown(decision)["preflight/e2e"] == ("success", "skipped: no label needs-e2e")

    @pytest.mark.parametrize("action", [PullAction.READY, PullAction.UNLABELED, PullAction.REOPENED])
    def test_nor_for_ever_once_nothing_will_run_it(self, action: PullAction) -> None:
        one = replace(
            run("e2e"),
            phase=Phase.FINISHED,
            outcome=Outcome.CANCELLED,
            cancel="x",
            cancel_kind=CancelKind.DRAFT,
        )
        known = Known(yaml=LABELLED, runs=(run(), one), verdicts=(WAITS,))
        assert shown(known.decide(opened(action))) == {
            "preflight/e2e": ("success", "skipped: no label needs-e2e")
        }

    def test_and_being_ready_again_runs_it_again(self) -> None:
        one = replace(
            run(), phase=Phase.FINISHED, outcome=Outcome.CANCELLED, cancel="x", cancel_kind=CancelKind.DRAFT
        )
        assert started(Known(runs=(one,)).decide(opened(PullAction.READY))) == ["unit"]

    def test_pipelines_that_ask_for_drafts_run(self) -> None:
        known = Known(
            pull=pull(draft=True), yaml="pipelines: {unit: {dag: checks, drafts: true}, e2e: {dag: e2e}}"
        )
        decision = known.decide(opened())
        assert started(decision) == ["unit"]
        assert shown(decision) == {"preflight/e2e": ("pending", "waits until ready for review")}

    def test_what_such_a_pipeline_runs_goes_on(self) -> None:
        known = Known(
            pull=pull(draft=True), yaml="pipelines: {unit: {dag: checks, drafts: true}}", runs=(run(),)
        )
        assert cancelled(known.decide(opened(PullAction.DRAFTED))) == {}


class TestAnotherBase:
    def test_stops_what_runs_for_the_old_one_even_if_pushes_do_not(self) -> None:
        one = run(base_ref="release")
        one = replace(one, rules=replace(one.rules, supersede=False))
        decision = Known(runs=(one,)).decide(opened(PullAction.EDITED))
        assert list(cancelled(decision)) == [one.id]
        assert started(decision) == ["unit"]

    def test_of_which_a_pipeline_is_not(self) -> None:
        yaml = "pipelines: {unit: {dag: checks, branches: [main]}}"
        known = Known(pull=pull(base_ref="release/1"), yaml=yaml)
        decision = known.decide(opened(PullAction.EDITED))
        assert started(decision) == []
        ((_, (state, description)),) = shown(decision).items()
        assert state == "success"
        assert "release/1" in description


class TestSupersede:
    def test_a_pipeline_can_let_its_runs_go_on_after_a_push(self) -> None:
        one = run(head_sha=sha(1))
        one = replace(one, rules=replace(one.rules, supersede=False))
        assert cancelled(Known(runs=(one,)).decide(opened(PullAction.SYNCHRONIZE))) == {}

    def test_but_not_after_closing(self) -> None:
        one = run(head_sha=sha(1))
        one = replace(one, rules=replace(one.rules, supersede=False))
        known = Known(pull=pull(is_open=False), runs=(one,))
        assert list(cancelled(known.decide(opened(PullAction.CLOSED)))) == [one.id]

    def test_dry_runs_of_older_heads_always_stop(self) -> None:
        one = replace(run(head_sha=sha(1)), dryrun=True)
        assert list(cancelled(Known(runs=(one,)).decide(opened(PullAction.SYNCHRONIZE)))) == [one.id]


class TestItsOwnConfiguration:
    """A pull request that changes the file: its version is checked, and not used."""

    def test_that_is_fine_says_so(self) -> None:
        decision = Known(proposed="pipelines: {other: {dag: checks}}").decide(opened())
        assert shown(decision)["preflight/config (proposed)"][0] == "success"
        assert started(decision) == ["unit"]

    def test_that_is_broken_says_where_and_changes_nothing(self) -> None:
        decision = Known(proposed="pipelines:\n  unit:\n    dga: checks\n").decide(opened())
        state, description = shown(decision)["preflight/config (proposed)"]
        assert state == "failure"
        assert description.startswith("line 2: 'pipelines.unit.dag' is missing")
        assert started(decision) == ["unit"]
        assert ".github/preflight.yaml:3:" in str(notice(decision))

    def test_is_checked_where_the_base_has_none_yet(self) -> None:
        decision = Known(yaml=None, proposed="pipelines: 3").decide(opened())
        assert shown(decision)["preflight/config (proposed)"][0] == "failure"
        assert started(decision) == []


class TestTrustedPeople:
    def test_members_of_what_the_configuration_lists(self) -> None:
        known = Known(
            pull=pull(author="bob", head_repository="bob/widgets"),
            yaml="{trust: [acme], pipelines: {unit: {dag: checks}}}",
            members={"acme": ["bob"]},
            pushers={pull().head_sha: "bob"},
        )
        assert started(known.decide(opened(sender="bob"))) == ["unit"]

    def test_an_app_only_where_it_is_listed_itself(self) -> None:
        theirs = pull(author="renovate[bot]")
        roles = {"renovate[bot]": Permission.ADMIN}
        known = Known(pull=theirs, roles=roles, pushers={pull().head_sha: "renovate[bot]"})
        assert started(known.decide(opened(sender="renovate[bot]"))) == []
        known.yaml = "{trust: ['renovate[bot]'], pipelines: {unit: {dag: checks}}}"
        assert started(known.decide(opened(sender="renovate[bot]"))) == ["unit"]


def test_closing_a_repository_without_configuration_still_stops_what_runs() -> None:
    known = Known(pull=pull(is_open=False), yaml=None, runs=(run(),))
    assert cancelled(known.decide(opened(PullAction.CLOSED)))
