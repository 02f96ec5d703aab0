"""What each event of GitHub leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.payloads import (
    HEAD,
    NULL_SHA,
    OLD_HEAD,
    REPOSITORY,
    Json,
    delivered,
    installation,
    installation_repositories,
    issue_comment,
    label,
    merge_group,
    ping,
    pull,
    pull_request,
    push,
    repository_event,
)
from tests.acceptance.simulator import (
    CONFIGURATION,
    commented,
    facts_about,
    happened,
    simulate,
    stranger_pull,
)

EVERYWHERE = """\
pipelines:
  unit: {dag: checks, on: [pull_request, merge_group, push]}
  docs: {dag: checks, on: [pull_request, merge_group, push], paths: ["docs/**"]}
"""
NEW_BASE = {"base": {"ref": {"from": "dev"}, "sha": {"from": OLD_HEAD}}}


class TestPullRequest:
    @pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
    def test_runs(self, action: str) -> None:
        outcome = happened(pull_request(action))

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}
        assert outcome.statuses["docs"][0] == "success"
        assert outcome.statuses["docs"][1].startswith("skipped: ")
        assert not outcome.of("reply")
        assert not outcome.of("react")

    def test_with_a_new_base_runs_again(self) -> None:
        done = {"unit": "success", "lint": "success", "docs": "success"}
        outcome = happened(pull_request("edited", changes=NEW_BASE), statuses=done)

        assert outcome.runs == {"unit", "lint"}

    @pytest.mark.parametrize("changes", [{"title": {"from": "x"}}, {"body": {"from": "x"}}, {}], ids=str)
    def test_with_another_text_does_nothing(self, changes: Json) -> None:
        assert happened(pull_request("edited", changes=changes)).nothing

    def test_pushed_to_supersedes(self) -> None:
        runs = {"unit": "running", "lint": "queued"}
        outcome = happened(pull_request("synchronize"), runs=runs)

        assert outcome.runs == {"unit", "lint"}
        assert outcome.cancelled == {"unit", "lint"}

    def test_pushed_to_supersedes_nothing_where_the_pipeline_says_so(self) -> None:
        configuration = "pipelines: {unit: {dag: checks, supersede: false}, lint: {dag: checks}}\n"
        runs = {"unit": "running", "lint": "running"}
        outcome = happened(pull_request("synchronize"), configuration=configuration, runs=runs)

        assert outcome.runs == {"unit", "lint"}
        assert outcome.cancelled == {"lint"}

    def test_pushed_to_by_a_stranger_supersedes_too(self) -> None:
        of = pull(head_repository="alice/widgets")
        outcome = happened(pull_request("synchronize", of, sender="mallory"), runs={"unit": "running"})

        assert outcome.decision == "wait"
        assert outcome.cancelled == {"unit"}

    @pytest.mark.parametrize(
        "of", [pull(state="closed"), stranger_pull(state="closed")], ids=["ours", "theirs"]
    )
    def test_closed_cancels(self, of: Json) -> None:
        outcome = happened(pull_request("closed", of), runs={"unit": "running", "lint": "failed"})

        assert outcome.cancelled == {"unit"}
        assert not outcome.of("trigger")

    def test_converted_to_draft_cancels_and_waits(self) -> None:
        outcome = happened(pull_request("converted_to_draft", pull(draft=True)), runs={"unit": "running"})

        assert outcome.cancelled == {"unit"}
        assert not outcome.of("trigger")
        assert outcome.statuses["unit"] == ("pending", "waits until ready for review")

    def test_converted_to_draft_leaves_what_runs_on_drafts(self) -> None:
        configuration = "pipelines: {unit: {dag: checks}, early: {dag: checks, drafts: true}}\n"
        outcome = happened(
            pull_request("converted_to_draft", pull(draft=True)),
            configuration=configuration,
            runs={"unit": "running", "early": "running"},
            statuses={"unit": "pending", "early": "pending"},
        )

        assert outcome.cancelled == {"unit"}
        assert not outcome.of("trigger")

    def test_converted_to_draft_leaves_no_manual_pipeline_pending(self) -> None:
        """Becoming ready for review would not start it."""
        outcome = happened(
            pull_request("converted_to_draft", pull(draft=True)),
            runs={"deploy": "running"},
            statuses={"deploy": "pending"},
        )

        assert outcome.statuses.get("deploy", ("", ""))[0] != "pending"

    @pytest.mark.parametrize(
        "action",
        [
            "assigned", "unassigned", "locked", "unlocked", "milestoned", "demilestoned", "review_requested",
            "review_request_removed", "auto_merge_enabled", "auto_merge_disabled", "enqueued", "dequeued",
            "labeled", "unlabeled", "something_new",
        ],
    )  # fmt: skip
    def test_otherwise_changed_does_nothing(self, action: str) -> None:
        assert happened(pull_request(action, label=label("bug"))).nothing


class TestOutOfOrder:
    """The pull request as GitHub has it now decides, not the delivery."""

    @pytest.mark.parametrize("action", ["opened", "synchronize", "reopened", "ready_for_review", "labeled"])
    def test_nothing_runs_on_one_that_is_closed_by_now(self, action: str) -> None:
        payload = pull_request(action, label=label("bug"))
        outcome = simulate("pull_request", payload, facts=facts_about(pull(state="closed")))

        assert not outcome.of("trigger")

    def test_closed_does_not_end_one_that_was_reopened_meanwhile(self) -> None:
        payload = pull_request("closed", pull(state="closed"))
        outcome = simulate(
            "pull_request",
            payload,
            facts=facts_about(
                runs={"unit": "running", "lint": "running"}, statuses={"unit": "pending", "lint": "pending"}
            ),
        )

        assert not outcome.of("trigger")
        assert outcome.cancelled == set()

    def test_a_draft_waits_although_an_older_delivery_says_it_is_ready(self) -> None:
        payload = pull_request("ready_for_review")
        outcome = simulate("pull_request", payload, facts=facts_about(pull(draft=True)))

        assert not outcome.of("trigger")

    def test_converted_to_draft_does_not_stop_what_is_ready_again(self) -> None:
        payload = pull_request("converted_to_draft", pull(draft=True))
        facts = facts_about(
            runs={"unit": "running", "lint": "running"}, statuses={"unit": "pending", "lint": "pending"}
        )
        outcome = simulate("pull_request", payload, facts=facts)

        assert outcome.cancelled == set()

    def test_a_label_that_is_gone_selects_nothing(self) -> None:
        configuration = 'pipelines: {e2e: {dag: checks, labels: ["e2e"]}}\n'
        payload = pull_request("labeled", pull(labels=("e2e",)), label=label("e2e"))
        outcome = simulate("pull_request", payload, configuration, facts_about(pull()))

        assert not outcome.of("trigger")

    @pytest.mark.parametrize("action", ["opened", "synchronize"])
    def test_a_repeated_delivery_starts_nothing_again(self, action: str) -> None:
        outcome = happened(
            pull_request(action),
            runs={"unit": "success", "lint": "failed"},
            statuses={"unit": "success", "lint": "failure", "docs": "success"},
        )

        assert not outcome.of("trigger") or action == "synchronize", (
            "it can't be told from a push of another head"
        )


class TestMergeGroup:
    def test_runs_what_is_asked_for(self) -> None:
        outcome = happened(merge_group("checks_requested"), event="merge_group")

        assert outcome.decision == "run"
        assert outcome.runs == {"unit", "lint"}
        assert outcome.statuses["docs"][0] == "success"
        assert outcome.output["pull_request"] is None

    def test_destroyed_cancels(self) -> None:
        outcome = happened(
            merge_group("destroyed", reason="dequeued"), event="merge_group", runs={"unit": "running"}
        )

        assert outcome.cancelled == {"unit"}
        assert not outcome.of("trigger")

    def test_otherwise_changed_does_nothing(self) -> None:
        assert happened(merge_group("something_new"), event="merge_group").nothing

    def test_takes_no_approval_or_override_with_it(self) -> None:
        outcome = happened(merge_group("checks_requested"), event="merge_group", approved_shas=[])

        assert all(state != "success" for name, (state, _) in outcome.statuses.items() if name != "docs")


class TestPush:
    def test_to_a_branch_runs_what_is_asked_for(self) -> None:
        outcome = happened(push(), event="push", configuration=EVERYWHERE)

        assert outcome.decision == "run"
        assert outcome.runs == {"unit"}
        assert outcome.output["pull_request"] is None

    def test_to_a_new_branch_runs_too(self) -> None:
        payload = push("refs/heads/new", before=NULL_SHA)

        assert "unit" in happened(payload, event="push", configuration=EVERYWHERE).runs

    @pytest.mark.parametrize(
        "payload",
        [
            pytest.param(push("refs/tags/v1"), id="a tag"),
            pytest.param(push("refs/tags/main"), id="a tag named like a branch"),
            pytest.param(push(after=NULL_SHA), id="a deletion"),
            pytest.param(push() | {"deleted": True}, id="a deletion by its word"),
            pytest.param(push("refs/notes/commits"), id="another ref"),
            pytest.param(push("refs/tags/v1", after=NULL_SHA), id="a deleted tag"),
        ],
    )
    def test_of_anything_else_does_nothing(self, payload: Json) -> None:
        assert happened(payload, event="push", configuration=EVERYWHERE).nothing

    def test_where_no_pipeline_asks_for_it_does_nothing(self) -> None:
        outcome = happened(push(), event="push")

        assert outcome.decision == "ignore"
        assert not outcome.of("trigger")
        assert not outcome.of("status")

    def test_to_a_merge_queue_s_branch_is_the_merge_group_s_business(self) -> None:
        payload = push(
            "refs/heads/gh-readonly-queue/main/pr-12-abc", before=NULL_SHA, by="github-merge-queue[bot]"
        )

        assert happened(payload, event="push", configuration="pipelines: {unit: {dag: checks}}\n").nothing

    def test_that_changes_the_configuration_checks_again(self) -> None:
        payload = push(modified=(".github/preflight.yaml",))
        outcome = happened(payload, event="push", configuration=EVERYWHERE)

        assert outcome.code == 0
        assert outcome.runs == {"unit"}


class TestEverythingElse:
    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            ("ping", ping()),
            ("installation", installation("created")),
            ("installation", installation("deleted")),
            ("installation", installation("suspend")),
            ("installation_repositories", installation_repositories("added")),
            ("installation_repositories", installation_repositories("removed")),
            ("repository", repository_event("created")),
            ("repository", repository_event("privatized")),
            ("star", delivered("rita", action="created", starred_at=None)),
            ("check_suite", delivered("alice", action="requested", check_suite={"head_sha": HEAD})),
            ("status", delivered("alice", state="success", sha=HEAD, context="preflight/unit")),
            ("issues", delivered("rita", action="opened", issue=issue_comment("x")["issue"])),
            ("pull_request_review", delivered("rita", action="submitted", pull_request=pull())),
            ("pull_request_review_comment", delivered("rita", action="created", pull_request=pull())),
            ("commit_comment", delivered("rita", action="created", comment={"id": 1, "body": "/test unit"})),
            ("discussion_comment", delivered("rita", action="created", comment={"id": 1, "body": "/test"})),
            ("gollum", delivered("rita", pages=[])),
            ("something_new", delivered("rita", action="done")),
            ("something_new", {}),
        ],
    )
    def test_is_ignored(self, event: str, payload: Json) -> None:
        outcome = simulate(event, payload, facts=facts_about())

        assert outcome.code == 0
        assert outcome.decision == "ignore"
        assert not outcome.of("trigger")

    @pytest.mark.parametrize("action", ["renamed", "transferred"])
    def test_a_renaming_runs_nothing(self, action: str) -> None:
        outcome = simulate("repository", repository_event(action), facts=facts_about())

        assert outcome.code == 0
        assert not outcome.of("trigger")

    def test_needs_no_facts_nor_configuration(self) -> None:
        assert simulate("ping", ping(), None, None).nothing


CASES: dict[str, tuple[str, Json, dict[str, Any]]] = {
    "a comment": (
        "issue_comment",
        issue_comment("/test unit"),
        {"action": "created", "pull_request": 12},
    ),
    "a pull request": ("pull_request", pull_request("opened"), {"action": "opened", "pull_request": 12}),
    "a merge group": (
        "merge_group",
        merge_group("checks_requested"),
        {"action": "checks_requested", "pull_request": None},
    ),
    "a push": ("push", push(), {"pull_request": None}),
    "an unknown event": ("star", delivered("rita", action="created"), {"action": "created"}),
}


class TestTheOutput:
    @pytest.mark.parametrize(("event", "payload", "told"), CASES.values(), ids=CASES)
    def test_tells_what_it_is_about(self, event: str, payload: Json, told: dict[str, Any]) -> None:
        output = simulate(event, payload, CONFIGURATION, facts_about()).output

        assert output["event"] == event
        assert output["repository"] == REPOSITORY
        assert {key: output[key] for key in told} == told

    def test_of_an_event_other_than_a_comment_has_no_commands(self) -> None:
        output = happened(pull_request("opened", pull() | {"body": "/test deploy"})).output

        assert output["commands"] == []
        assert output["errors"] == []

    def test_is_the_same_each_time(self) -> None:
        assert commented("/test\n/tset\n/cancel x").output == commented("/test\n/tset\n/cancel x").output
