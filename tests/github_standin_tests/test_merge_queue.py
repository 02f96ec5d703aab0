"""The merge queue: real branches with real merges, and what GitHub tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.github_standin import StandinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github

    from tests.github_standin import Pull, Repository

    from .conftest import Receiver


@pytest.fixture
def pulls(repository: Repository) -> list[Pull]:
    return [
        repository.open_pull("alice", branch=name, files={name: "x\n"}) for name in ("one", "two", "three")
    ]


def events(receiver: Receiver) -> list[str]:
    """What was delivered, with the reason where one is given; pushes with their branch's last part."""
    shown = []
    for each in receiver.received:
        if each.event == "push":
            deleted = "-" if each.payload["deleted"] else "+"
            shown.append(f"push {deleted}{each.payload['ref'].split('/')[-1].split('-')[0]}")
        elif each.event != "ping":
            shown.append(f"{each.name} {each.payload.get('reason', '')}".strip())
    return shown


class TestAnEntry:
    def test_is_a_real_branch_with_a_merge(
        self, repository: Repository, pulls: list[Pull], connect: Callable[[str], Github]
    ) -> None:
        group = pulls[0].enqueue("alice")
        assert group.base_sha == repository.tip()
        assert group.head_ref == f"refs/heads/gh-readonly-queue/main/pr-1-{group.base_sha}"
        branch = connect("alice").get_repo("acme/app").get_branch(group.head_ref.removeprefix("refs/heads/"))
        assert branch.commit.sha == group.head_sha
        assert [each.sha for each in branch.commit.parents] == [group.base_sha, pulls[0].head_sha]
        assert pulls[0].show().queued

    def test_lies_on_the_one_before(self, repository: Repository, pulls: list[Pull]) -> None:
        first, second = pulls[0].enqueue("alice"), pulls[1].enqueue("alice")
        assert (first.base_ref, second.base_ref) == ("refs/heads/main", "refs/heads/main")
        assert second.base_sha == first.head_sha
        assert [each.head_sha for each in repository.queue()] == [first.head_sha, second.head_sha]
        assert repository.queue("other") == []

    def test_is_told(self, pulls: list[Pull], receiver: Receiver) -> None:
        pulls[0].repository.hook(receiver.url, "s3cret")
        group = pulls[0].enqueue("alice")
        told = receiver.wait_for("merge_group.checks_requested").payload
        assert events(receiver) == ["pull_request.enqueued", "push +pr", "merge_group.checks_requested"]
        assert told["sender"]["login"] == "github-merge-queue[bot]"
        assert {
            name: told["merge_group"][name] for name in ("head_sha", "head_ref", "base_sha", "base_ref")
        } == {
            "head_sha": group.head_sha,
            "head_ref": group.head_ref,
            "base_sha": group.base_sha,
            "base_ref": "refs/heads/main",
        }

    def test_needs_an_open_pull_request_that_fits(self, repository: Repository, pulls: list[Pull]) -> None:
        clash = repository.open_pull("alice", branch="clash", files={"README.md": "other\n"})
        repository.push("alice", {"README.md": "two\n"})
        draft = repository.open_pull("alice", branch="draft", files={"new": ""}, draft=True)
        pulls[0].enqueue("alice")
        pulls[1].close("alice")
        for pull, why in ((pulls[0], "already"), (pulls[1], "open"), (draft, "draft"), (clash, "conflict")):
            with pytest.raises(StandinError, match=why):
                pull.enqueue("alice")

    def test_has_statuses_of_its_own(self, pulls: list[Pull], connect: Callable[[str], Github]) -> None:
        group = pulls[0].enqueue("alice")
        commit = connect("alice").get_repo("acme/app").get_commit(group.head_sha)
        commit.create_status("success", context="unit")
        assert (group.state_of("unit"), group.state_of("lint"), pulls[0].state_of("unit")) == (
            "success",
            None,
            None,
        )


class TestTheEndOfAnEntry:
    def test_merged(self, repository: Repository, pulls: list[Pull], receiver: Receiver) -> None:
        first, second = pulls[0].enqueue("alice"), pulls[1].enqueue("alice")
        repository.hook(receiver.url, "s3cret")
        assert first.merge() == repository.tip() == first.head_sha
        closed = receiver.wait_for("pull_request.closed").payload
        assert closed["pull_request"]["merged"]
        assert closed["pull_request"]["merge_commit_sha"] == first.head_sha
        assert events(receiver) == [
            "push +main",
            "merge_group.destroyed merged",
            "push -pr",
            "pull_request.dequeued MERGE",
            "pull_request.closed",
        ]
        assert [each.head_sha for each in repository.queue()] == [second.head_sha]
        assert second.merge() == repository.tip()

    def test_only_the_first_can_be_merged(self, pulls: list[Pull]) -> None:
        pulls[0].enqueue("alice")
        with pytest.raises(StandinError, match="not the first"):
            pulls[1].enqueue("alice").merge()

    def test_taken_out(self, repository: Repository, pulls: list[Pull], receiver: Receiver) -> None:
        groups = [pull.enqueue("alice") for pull in pulls]
        repository.hook(receiver.url, "s3cret")
        groups[1].dequeue("alice", "CI_FAILURE")
        receiver.wait_for("merge_group.checks_requested")
        assert events(receiver) == [
            "merge_group.destroyed dequeued",
            "push -pr",
            "pull_request.dequeued CI_FAILURE",
            "merge_group.destroyed invalidated",
            "push -pr",
            "push +pr",
            "merge_group.checks_requested",
        ]
        first, third = repository.queue()
        assert (first.head_sha, third.base_sha) == (groups[0].head_sha, groups[0].head_sha)
        assert third.head_sha != groups[2].head_sha
        assert not pulls[1].show().queued

    def test_closed(self, pulls: list[Pull], receiver: Receiver) -> None:
        pulls[0].enqueue("alice")
        pulls[0].repository.hook(receiver.url, "s3cret", events=["merge_group", "pull_request"])
        pulls[0].close("alice")
        receiver.wait_for("pull_request.closed")
        assert receiver.names() == ["merge_group.destroyed", "pull_request.dequeued", "pull_request.closed"]

    def test_built_anew(self, repository: Repository, pulls: list[Pull]) -> None:
        old = [pull.enqueue("alice") for pull in pulls[:2]]
        moved = repository.push("alice", {"README.md": "two\n"})
        with pytest.raises(StandinError, match="moved"):
            old[0].merge()
        new = old[0].invalidate()
        assert (new.base_sha, repository.queue()[1].base_sha) == (moved, new.head_sha)
        assert new.head_sha != old[0].head_sha

    def test_only_what_is_queued_ends(self, pulls: list[Pull]) -> None:
        group = pulls[0].enqueue("alice")
        group.dequeue("alice")
        with pytest.raises(StandinError, match="not in the queue"):
            group.merge()
