"""What each event does, as the issue says it, one table a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.events.pull_request import PullAction
from bot.events.types import Ignored
from bot.models import (
    CancelKind,
    ChangedFiles,
    Outcome,
    Permission,
    Phase,
    PullRequest,
    Run,
    Status,
    StatusState,
    Verdict,
)
from bot.policy.decision import CancelRuns, DecisionKind, Notify, StartRun
from tests.examples import HEAD, pull, run, sha
from tests.policy.deciding import Known, answer, cancelled, comment, kinds, notice, opened, shown, started

WAITING = ("pending", "waiting for /ok-to-test")
SKIPPED = ("success", "skipped: no matching files")
TWO = "pipelines: {unit: {dag: checks}, docs: {dag: docs, paths: ['docs/**']}}"
BROKEN = Verdict("preflight/config", "", status=Status("preflight/config", StatusState.FAILURE, "broken"))
STARTING = (PullAction.OPENED, PullAction.REOPENED, PullAction.SYNCHRONIZE, PullAction.READY)


def ended(one: Run, outcome: Outcome = Outcome.SUCCESS) -> Run:
    return replace(one, phase=Phase.FINISHED, outcome=outcome)


def stopping(one: Run, kind: CancelKind) -> Run:
    return replace(one, cancel="a reason", cancel_kind=kind)


def action_id(action: PullAction) -> str:
    return action.value


class TestAPush:
    @pytest.mark.parametrize("action", STARTING, ids=action_id)
    def test_starts_every_pipeline(self, action: PullAction) -> None:
        decision = Known(yaml="pipelines: {unit: {dag: a}, lint: {dag: b}}").decide(opened(action))
        assert started(decision) == ["unit", "lint"]
        assert decision.kind is DecisionKind.RUN

    def test_starts_the_dag_with_the_params_of_the_configuration(self) -> None:
        yaml = "pipelines: {unit: {dag: checks, params: {steps: {lint: ruff check .}}}}"
        (start,) = Known(yaml=yaml).decide(opened()).actions
        assert isinstance(start, StartRun)
        assert (start.pipeline.dag, start.pipeline.params) == ("checks", {"steps": {"lint": "ruff check ."}})
        assert (start.context, start.trigger) == ("preflight/unit", "push")

    def test_cancels_the_runs_of_older_heads_before_it_starts_its_own(self) -> None:
        old = run(head_sha=sha(1))
        decision = Known(runs=(old,)).decide(opened(PullAction.SYNCHRONIZE))
        assert kinds(decision) == [CancelRuns, StartRun]
        assert cancelled(decision) == {old.id: f"superseded by {HEAD[:7]}"}

    def test_leaves_runs_alone_that_have_ended_or_are_stopping_already(self) -> None:
        old = run(head_sha=sha(1))
        runs = (ended(old), stopping(run(head_sha=sha(2)), CancelKind.COMMAND))
        assert cancelled(Known(runs=runs).decide(opened(PullAction.SYNCHRONIZE))) == {}

    def test_supersedes_even_where_the_new_head_may_not_run(self) -> None:
        old = run(head_sha=sha(1))
        known = Known(pull=pull(author="mallory"), runs=(old,))
        decision = known.decide(opened(PullAction.SYNCHRONIZE, sender="mallory"))
        assert list(cancelled(decision)) == [old.id]
        assert started(decision) == []

    @pytest.mark.parametrize("repeated", STARTING, ids=action_id)
    @pytest.mark.parametrize(
        "earlier",
        [run(), ended(run()), ended(run(), Outcome.FAILURE), ended(run(), Outcome.ERROR)],
        ids=["running", "passed", "failed", "error"],
    )
    def test_runs_once_per_head_and_base(self, earlier: Run, repeated: PullAction) -> None:
        decision = Known(runs=(earlier,)).decide(opened(repeated))
        assert decision.actions == ()

    def test_runs_again_at_another_base(self) -> None:
        earlier = run(base_ref="release")
        decision = Known(runs=(earlier,)).decide(opened(PullAction.SYNCHRONIZE))
        assert started(decision) == ["unit"]
        assert list(cancelled(decision)) == [earlier.id]

    @pytest.mark.parametrize(
        ("kind", "again"),
        [
            (CancelKind.PUSH, True),
            (CancelKind.CLOSED, True),
            (CancelKind.COMMAND, False),
            (CancelKind.RERUN, False),
        ],
        ids=lambda value: getattr(value, "value", None),
    )
    def test_runs_again_what_only_a_push_or_a_closing_stopped(self, kind: CancelKind, *, again: bool) -> None:
        earlier = ended(stopping(run(), kind), Outcome.CANCELLED)
        decision = Known(runs=(earlier,)).decide(opened(PullAction.REOPENED))
        assert started(decision) == (["unit"] if again else [])

    def test_the_newest_run_of_a_pipeline_counts(self) -> None:
        older = ended(stopping(run(attempt=1), CancelKind.CLOSED), Outcome.CANCELLED)
        newer = ended(run(attempt=2))
        assert Known(runs=(older, newer)).decide(opened(PullAction.REOPENED)).actions == ()

    def test_looks_at_the_pull_request_as_it_is_now_not_as_the_delivery_says(self) -> None:
        """A late delivery of an older head runs the newest one, and nothing twice."""
        late = opened(PullAction.SYNCHRONIZE, head=sha(1))
        decision = Known().decide(late)
        assert started(decision) == ["unit"]
        assert decision.subject == pull()
        assert Known(runs=(run(),)).decide(late).actions == ()

    def test_a_late_push_to_a_closed_pull_request_starts_nothing(self) -> None:
        assert Known(pull=pull(is_open=False)).decide(opened()).actions == ()

    def test_remembers_the_base_that_it_was_decided_on(self) -> None:
        decision = Known().decide(opened())
        assert decision.base is not None
        assert decision.base.sha == "b" * 40


class TestClosing:
    def test_cancels_what_runs(self) -> None:
        runs = (run("unit"), run("docs"), ended(run("lint")), stopping(run("e2e"), CancelKind.COMMAND))
        decision = Known(pull=pull(is_open=False), runs=runs).decide(opened(PullAction.CLOSED))
        assert cancelled(decision) == {runs[0].id: "pull request closed", runs[1].id: "pull request closed"}
        assert [a.kind for a in decision.actions if isinstance(a, CancelRuns)] == [CancelKind.CLOSED]

    def test_a_late_closing_of_one_that_is_open_again_cancels_nothing(self) -> None:
        assert Known(runs=(run(),)).decide(opened(PullAction.CLOSED)).actions == ()

    def test_needs_neither_configuration_nor_trust(self) -> None:
        known = Known(pull=pull(is_open=False, author="mallory"), runs=(run(),))
        assert cancelled(known.decide(opened(PullAction.CLOSED, sender="mallory"))) != {}
        assert known.asked == ["pull_request", "history"]


class TestADraft:
    def test_waits_until_it_is_ready(self) -> None:
        decision = Known(pull=pull(draft=True)).decide(opened())
        assert started(decision) == []
        assert shown(decision)["preflight/unit"][0] == "pending"

    def test_runs_when_it_is(self) -> None:
        assert started(Known().decide(opened(PullAction.READY))) == ["unit"]

    def test_a_person_can_have_it_tested(self) -> None:
        assert started(Known(pull=pull(draft=True)).decide(comment("/test"))) == ["unit"]

    def test_never_shows_waiting_over_a_result(self) -> None:
        known = Known(pull=pull(draft=True), runs=(ended(run()),))
        assert shown(known.decide(opened(PullAction.REOPENED))) == {}


class TestTrust:
    """A run needs an author and a pusher with write access, and a head where these may push."""

    @pytest.mark.parametrize(
        ("who", "pushers"),
        [
            pytest.param(pull(), {HEAD: "alice"}, id="author-pushed-to-the-repository"),
            pytest.param(pull(), {HEAD: "rita"}, id="another-writer-pushed"),
            pytest.param(pull(), {}, id="a-push-nobody-told-us-of-to-the-repository"),
            pytest.param(pull(head_repository="Acme/Widgets"), {HEAD: "alice"}, id="names-have-no-case"),
            pytest.param(pull(head_repository="alice/widgets"), {HEAD: "alice"}, id="authors-own-fork"),
            pytest.param(pull(head_repository="Alice/widgets"), {HEAD: "alice"}, id="own-fork-in-other-case"),
        ],
    )
    def test_runs(self, who: PullRequest, pushers: dict[str, str]) -> None:
        assert started(Known(pull=who, pushers=pushers).decide(opened())) == ["unit"]

    @pytest.mark.parametrize(
        ("who", "pushers"),
        [
            pytest.param(
                pull(author="mallory", head_repository="mallory/widgets"), {HEAD: "mallory"}, id="stranger"
            ),
            pytest.param(
                pull(author="mallory"), {HEAD: "alice"}, id="strangers-pull-request-pushed-by-a-writer"
            ),
            pytest.param(pull(), {HEAD: "mallory"}, id="pushed-by-a-stranger"),
            pytest.param(
                pull(head_repository="alice/widgets"), {HEAD: "mallory"}, id="stranger-pushed-to-the-fork"
            ),
            pytest.param(pull(head_repository="alice/widgets"), {}, id="fork-and-nobody-knows-who-pushed"),
            pytest.param(
                pull(head_repository="alice/widgets"), {sha(1): "alice"}, id="only-an-older-push-is-known"
            ),
            pytest.param(pull(head_repository="rita/widgets"), {HEAD: "rita"}, id="another-writers-fork"),
            pytest.param(pull(head_repository="mallory/widgets"), {HEAD: "alice"}, id="a-strangers-fork"),
            pytest.param(pull(head_repository=None), {HEAD: "alice"}, id="the-fork-is-gone"),
        ],
    )
    @pytest.mark.parametrize("action", STARTING, ids=action_id)
    def test_waits_for_a_maintainer(
        self, who: PullRequest, pushers: dict[str, str], action: PullAction
    ) -> None:
        decision = Known(pull=who, pushers=pushers).decide(opened(action))
        assert started(decision) == []
        assert shown(decision) == {"preflight/unit": WAITING}
        assert decision.kind is DecisionKind.WAIT

    @pytest.mark.parametrize("role", Permission, ids=lambda role: role.value)
    def test_write_access_is_write_maintain_or_admin(self, role: Permission) -> None:
        decision = Known(roles={"alice": role}, pushers={HEAD: "alice"}).decide(opened())
        may = role in {Permission.WRITE, Permission.MAINTAIN, Permission.ADMIN}
        assert started(decision) == (["unit"] if may else [])

    @pytest.mark.parametrize(
        ("who", "pushers"),
        [
            pytest.param(
                pull(author="mallory", head_repository="mallory/widgets"), {HEAD: "mallory"}, id="stranger"
            ),
            pytest.param(pull(head_repository="alice/widgets"), {HEAD: "mallory"}, id="stranger-pushed"),
        ],
    )
    @pytest.mark.parametrize("body", ["/test", "/test unit", "/test all"])
    def test_a_maintainers_test_command_does_not_run_a_head_that_is_not_trusted(
        self, who: PullRequest, pushers: dict[str, str], body: str
    ) -> None:
        decision = Known(pull=who, pushers=pushers).decide(comment(body, "rita"))
        assert started(decision) == []
        assert shown(decision) == {"preflight/unit": WAITING}
        assert f"/ok-to-test {HEAD[:12]}" in str(answer(decision))

    def test_waiting_never_hides_the_result_of_a_run(self) -> None:
        known = Known(runs=(ended(run()),), roles={"rita": Permission.WRITE})
        assert shown(known.decide(comment("/test", "rita"))) == {}

    def test_skipped_pipelines_need_no_approval(self) -> None:
        decision = Known(pull=pull(author="mallory"), yaml=TWO).decide(opened())
        assert shown(decision) == {"preflight/unit": WAITING, "preflight/docs": SKIPPED}


class TestSelection:
    def test_a_pipeline_whose_paths_do_not_match_succeeds_without_a_run(self) -> None:
        decision = Known(yaml=TWO).decide(opened())
        assert started(decision) == ["unit"]
        assert shown(decision) == {"preflight/docs": SKIPPED}

    def test_one_whose_paths_match_runs(self) -> None:
        known = Known(yaml=TWO, changed=ChangedFiles(("docs/index.md",)))
        assert started(known.decide(opened())) == ["unit", "docs"]

    def test_a_list_of_files_that_github_cut_matches_everything(self) -> None:
        known = Known(yaml=TWO, changed=ChangedFiles(("src/a.py",), complete=False))
        assert started(known.decide(opened())) == ["unit", "docs"]

    def test_files_are_not_asked_for_where_no_pipeline_cares(self) -> None:
        known = Known()
        known.decide(opened())
        assert "changed_files" not in known.asked

    def test_a_named_test_forces_past_the_filter(self) -> None:
        assert started(Known(yaml=TWO).decide(comment("/test docs"))) == ["docs"]

    def test_a_plain_test_does_not(self) -> None:
        decision = Known(yaml=TWO).decide(comment("/test"))
        assert started(decision) == ["unit"]
        assert shown(decision) == {"preflight/docs": SKIPPED}

    def test_nothing_applies(self) -> None:
        known = Known(yaml="pipelines: {docs: {dag: docs, paths: ['docs/**']}}")
        decision = known.decide(comment("/test"))
        assert started(decision) == []
        assert answer(decision)


class TestAPipelineThatIsGone:
    """The base branch's configuration changed, or the pull request has another base."""

    WAITS = Verdict("preflight/old", "old", status=Status("preflight/old", StatusState.PENDING, "waits"))

    def test_does_not_wait_for_ever(self) -> None:
        decision = Known(verdicts=(self.WAITS,)).decide(opened())
        assert shown(decision) == {"preflight/old": ("success", "skipped: no such pipeline any more")}

    def test_keeps_the_word_of_its_run(self) -> None:
        assert shown(Known(runs=(ended(run("old"), Outcome.FAILURE),)).decide(opened())) == {}


class TestTheConfiguration:
    @pytest.mark.parametrize("action", STARTING, ids=action_id)
    def test_without_one_the_bot_is_silent(self, action: PullAction) -> None:
        decision = Known(yaml=None).decide(opened(action))
        assert decision.actions == ()
        assert decision.kind is DecisionKind.IGNORE

    @pytest.mark.parametrize("body", ["/test", "/help", "/tset"])
    def test_without_one_commands_get_no_answer_either(self, body: str) -> None:
        assert Known(yaml=None).decide(comment(body)).actions == ()

    def test_where_it_vanished_older_heads_still_stop(self) -> None:
        old = run(head_sha=sha(1))
        assert list(cancelled(Known(yaml=None, runs=(old,)).decide(opened()))) == [old.id]

    def test_a_broken_one_runs_nothing_and_says_so_once_with_line_and_reason(self) -> None:
        decision = Known(yaml="pipelines:\n  unit:\n    dga: checks\n").decide(opened())
        assert started(decision) == []
        ((context, (state, _)),) = shown(decision).items()
        assert (context, state) == ("preflight/config", "failure")
        assert ".github/preflight.yaml:3:" in str(notice(decision))
        assert "dag" in str(notice(decision))

    def test_a_branch_can_not_mention_anybody_in_that(self) -> None:
        known = Known(pull=pull(base_ref="x`@acme/team`"), yaml="pipelines: 3")
        said = str(notice(known.decide(opened())))
        outside = "".join(said.splitlines()[0].split("`")[::2])
        assert "@" not in outside

    def test_a_broken_one_is_told_to_whoever_commands(self) -> None:
        assert "preflight.yaml:1:" in str(answer(Known(yaml="pipelines: 3").decide(comment("/test"))))

    def test_once_mended_the_error_goes_away(self) -> None:
        decision = Known(verdicts=(BROKEN,), notice="It is broken.").decide(opened())
        assert shown(decision)["preflight/config"][0] == "success"
        assert Notify("") in decision.actions
        assert started(decision) == ["unit"]

    def test_a_pipeline_named_config_does_not_share_a_context_with_its_errors(self) -> None:
        """Whatever the answer is, one context can't have two meanings."""
        known = Known(yaml="pipelines: {config: {dag: checks}}", verdicts=(BROKEN,))
        actions = known.decide(opened()).actions
        contexts = [getattr(action, "context", None) for action in actions]
        assert contexts.count("preflight/config") <= 1


def test_what_was_ignored_stays_ignored() -> None:
    decision = Known().decide(Ignored("a ping"))
    assert (decision.kind, decision.reason, decision.actions) == (DecisionKind.IGNORE, "a ping", ())
