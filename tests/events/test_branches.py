"""`push` and `merge_group`: branches that are tested by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import events
from bot.events.branch import BranchEvent
from bot.events.push import PushEvent
from bot.events.types import Ignored
from bot.models import Branch, CancelKind, ChangedFiles
from bot.policy.decision import CancelRuns, DecisionKind, Forget, Recheck
from bot.policy.operator import Operator
from tests.examples import HEAD, REPOSITORY, TIP, branch, delivery, repository_payload, run, sha, user_payload
from tests.policy.deciding import Known, cancelled, queued, shown, started

if TYPE_CHECKING:
    from bot.events.types import Event
    from bot.models import Repository
    from bot.policy.decision import Decision

GROUP = branch("gh-readonly-queue/main/pr-12-1a2b", merge_group=True)
PUSHED = "pipelines: {unit: {dag: checks}, nightly: {dag: nightly, on: push}}"


def push_payload(
    ref: str = "refs/heads/main", *, of: Repository = REPOSITORY, **fields: object
) -> dict[str, object]:
    """A `push` delivery."""
    return {
        "ref": ref,
        "before": TIP,
        "after": HEAD,
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": [{"id": HEAD, "added": [], "modified": ["src/app.py"], "removed": []}],
        "repository": repository_payload(of),
        "sender": user_payload("alice"),
    } | fields


def parse(event: str, payload: dict[str, object]) -> Event:
    return events.parse(delivery(event, payload))


class TestReadingAPush:
    def test_of_a_branch(self) -> None:
        assert parse("push", push_payload("refs/heads/release/1")) == PushEvent(
            branch("release/1", base_ref="release/1"), "alice", changes_configuration=False
        )

    @pytest.mark.parametrize(
        "payload",
        [
            push_payload("refs/tags/v1"),
            push_payload(deleted=True, after="0" * 40),
            push_payload(after="0" * 40),
            push_payload("refs/heads/gh-readonly-queue/main/pr-1-2"),
        ],
        ids=["tag", "deleted", "null-sha", "a-queue's-branch"],
    )
    def test_of_anything_else_means_nothing(self, payload: dict[str, object]) -> None:
        assert isinstance(parse("push", payload), Ignored)

    def test_of_a_new_branch_has_nothing_before_it(self) -> None:
        event = parse("push", push_payload(before="0" * 40, created=True))
        assert isinstance(event, PushEvent)
        assert event.branch.before == ""

    @pytest.mark.parametrize(
        ("fields", "may"),
        [
            ({}, False),
            ({"commits": [{"added": [".github/preflight.yaml"], "modified": [], "removed": []}]}, True),
            ({"commits": [{"added": [], "modified": [], "removed": [".github/preflight.yaml"]}]}, True),
            ({"commits": []}, True),
            ({"forced": True}, True),
            ({"commits": None}, True),
            ({"commits": [{}]}, True),
            ({"commits": [7]}, True),
        ],
    )
    def test_says_whether_the_configuration_may_have_changed(
        self, fields: dict[str, object], *, may: bool
    ) -> None:
        event = parse("push", push_payload() | fields)
        assert isinstance(event, PushEvent)
        assert event.changes_configuration is may


class TestDecidingOnAPush:
    def decide(self, known: Known, *, changes: bool = False, of: Branch | None = None) -> Decision:
        pushed = of or branch()
        known.branch = pushed
        return known.decide(PushEvent(pushed, "alice", changes))

    def test_runs_what_listens(self) -> None:
        decision = self.decide(Known(yaml=PUSHED, tip=HEAD))
        assert started(decision) == ["nightly"]
        assert shown(decision) == {}

    def test_costs_little_where_nothing_does(self) -> None:
        known = Known()
        assert self.decide(known).kind is DecisionKind.IGNORE
        assert known.asked == ["base"]

    def test_of_a_branch_that_moved_on_runs_nothing(self) -> None:
        decision = self.decide(Known(yaml=PUSHED, tip=sha(5)))
        assert decision.actions == ()
        assert "moved on" in decision.reason

    @pytest.mark.parametrize(
        ("sender", "runs"),
        [
            ("alice", True),
            ("dependabot[bot]", False),
            ("renovate[bot]", True),
            ("github-merge-queue[bot]", True),
        ],
    )
    def test_by_an_app_runs_only_if_the_operator_lists_it(self, sender: str, *, runs: bool) -> None:
        """What it pushed can't vouch for it."""
        yaml = "trust: ['dependabot[bot]']\n" + PUSHED
        known = Known(branch=branch(), yaml=yaml, tip=HEAD, operator=Operator(trust=("Renovate[bot]",)))
        decision = known.decide(PushEvent(branch(), sender, changes_configuration=False))
        assert bool(started(decision)) is runs

    def test_supersedes_the_push_before(self) -> None:
        old = run("nightly", head_sha=sha(1))
        decision = self.decide(Known(yaml=PUSHED, tip=HEAD, runs=(old,)))
        assert cancelled(decision) == {old.id: f"superseded by {HEAD[:7]}"}

    def test_unless_the_pipeline_says_otherwise(self) -> None:
        one = run("nightly", head_sha=sha(1))
        old = replace(one, rules=replace(one.rules, supersede=False))
        assert cancelled(self.decide(Known(yaml=PUSHED, tip=HEAD, runs=(old,)))) == {}

    def test_has_pull_requests_looked_at_whose_configuration_it_may_mend(self) -> None:
        known = Known(broken=((REPOSITORY, 12), (REPOSITORY, 13)), tip=HEAD)
        decision = self.decide(known, changes=True)
        assert decision.actions == (Recheck(REPOSITORY, 12), Recheck(REPOSITORY, 13))

    def test_to_the_shared_configuration_too(self) -> None:
        shared = replace(REPOSITORY, full_name="acme/.github")
        known = Known(yaml=None, broken=((REPOSITORY, 12),), tip=HEAD)
        decision = self.decide(known, changes=True, of=branch(repository=shared))
        assert decision.actions == (Forget(shared), Recheck(REPOSITORY, 12))


class TestAMergeGroup:
    def payload(self, action: str) -> dict[str, object]:
        return {
            "action": action,
            "merge_group": {
                "head_sha": HEAD,
                "head_ref": f"refs/heads/{GROUP.name}",
                "base_ref": "refs/heads/main",
                "base_sha": TIP,
            },
            "repository": repository_payload(),
            "sender": user_payload("alice"),
        }

    @pytest.mark.parametrize(("action", "is_open"), [("checks_requested", True), ("destroyed", False)])
    def test_is_read(self, action: str, *, is_open: bool) -> None:
        expected = BranchEvent(replace(GROUP, open=is_open), "merge_group", action, "alice")
        assert parse("merge_group", self.payload(action)) == expected

    def test_runs_its_pipelines(self) -> None:
        decision = Known(branch=GROUP, yaml=PUSHED).decide(queued(GROUP))
        assert started(decision) == ["unit"]

    def test_a_pipeline_that_does_not_apply_reports_so(self) -> None:
        yaml = "pipelines: {docs: {dag: docs, paths: ['docs/**']}}"
        known = Known(branch=GROUP, yaml=yaml, changed=ChangedFiles(("a.py",)))
        assert shown(known.decide(queued(GROUP))) == {
            "preflight/docs": ("success", "skipped: no matching files")
        }

    def test_that_was_taken_apart_stops(self) -> None:
        one = run()
        group = replace(GROUP, open=False)
        decision = Known(branch=group, runs=(one,)).decide(queued(group))
        assert list(cancelled(decision)) == [one.id]
        assert [a.kind for a in decision.actions if isinstance(a, CancelRuns)] == [CancelKind.CLOSED]

    def test_that_was_taken_apart_before_we_heard_of_it_starts_nothing(self) -> None:
        assert started(Known(branch=GROUP, closed=True).decide(queued(GROUP))) == []
