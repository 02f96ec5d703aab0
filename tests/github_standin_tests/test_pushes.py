"""Pushes of all kinds: what is told, and whom it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .test_git import commit, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_standin import Repository

    from .conftest import Receiver

NOTHING = "0" * 40


@pytest.fixture
def pushes(repository: Repository, receiver: Receiver) -> Receiver:
    repository.hook(receiver.url, "s3cret", events=["push", "pull_request"])
    return receiver


def last(receiver: Receiver, times: int = 1) -> dict[str, Any]:
    return receiver.wait_for("push", times).payload


class TestABranch:
    def test_moved(self, repository: Repository, pushes: Receiver) -> None:
        before = repository.tip()
        files: dict[str, str | bytes | None] = {
            ".github/preflight.yaml": "pipelines: {}\n",
            "src/app.py": None,
        }
        after = repository.push("alice", {**files, "README.md": "two\n"}, message="Mend it")
        told = last(pushes)
        assert (told["ref"], told["before"], told["after"]) == ("refs/heads/main", before, after)
        assert (told["created"], told["deleted"], told["forced"]) == (False, False, False)
        assert (told["pusher"]["name"], told["sender"]["login"]) == ("alice", "alice")
        (shown,) = told["commits"]
        assert shown == told["head_commit"]
        assert [shown[name] for name in ("added", "modified", "removed")] == [
            [".github/preflight.yaml"],
            ["README.md"],
            ["src/app.py"],
        ]

    def test_made(self, repository: Repository, pushes: Receiver) -> None:
        repository.push("alice", {"new": ""}, branch="feature/x")
        told = last(pushes)
        assert (told["ref"], told["before"], told["created"]) == ("refs/heads/feature/x", NOTHING, True)
        assert len(told["commits"]) == 1

    def test_deleted(self, repository: Repository, pushes: Receiver) -> None:
        repository.push("alice", {"new": ""}, branch="next")
        repository.delete_branch("root", "next")
        told = last(pushes, 2)
        assert (told["after"], told["deleted"], told["head_commit"]) == (NOTHING, True, None)
        assert told["sender"]["login"] == "root"

    def test_forced(self, repository: Repository, pushes: Receiver) -> None:
        first = repository.tip()
        repository.push("alice", {"new": "1"})
        repository.push("alice", {"new": "2"}, onto=first)
        assert last(pushes, 2)["forced"]

    def test_a_renamed_file_is_added_and_removed(self, repository: Repository, pushes: Receiver) -> None:
        repository.push("alice", {"README.md": None, "READ.md": "one\n"})
        (shown,) = last(pushes)["commits"]
        assert (shown["added"], shown["removed"]) == (["READ.md"], ["README.md"])

    def test_the_author_of_a_commit_is_anybody(self, repository: Repository, pushes: Receiver) -> None:
        pull = repository.open_pull("alice", branch="fix", files={"new": ""})
        repository.permit("mallory", "write")
        pull.push("mallory", {"new": "evil"}, author="alice")
        told = pushes.wait_for("pull_request.synchronize").payload
        assert told["sender"]["login"] == "mallory"
        assert told["pull_request"]["user"]["login"] == "alice"
        shown = last(pushes, 2)["head_commit"]
        assert (shown["author"]["username"], shown["committer"]["username"]) == ("alice", "mallory")


class TestTags:
    def test_are_told_too(self, repository: Repository, pushes: Receiver) -> None:
        tip = repository.tip()
        repository.tag("alice", "v1", tip)
        repository.tag("alice", "v1", None)
        made, deleted = last(pushes), last(pushes, 2)
        assert (made["ref"], made["after"], made["base_ref"]) == ("refs/tags/v1", tip, "refs/heads/main")
        assert (made["commits"], made["head_commit"]["id"]) == ([], tip)
        assert (deleted["before"], deleted["deleted"]) == (tip, True)

    def test_with_a_message_have_a_sha_of_their_own(
        self, repository: Repository, pushes: Receiver, tmp_path: Path
    ) -> None:
        clone = tmp_path / "clone"
        git("clone", "-q", repository.remote("alice"), str(clone))
        git("tag", "-a", "-m", "First", "v1", cwd=clone)
        git("push", "-q", "origin", "v1", cwd=clone)
        told = last(pushes)
        assert told["after"] == git("rev-parse", "v1", cwd=clone) != repository.tip()
        assert told["head_commit"]["id"] == repository.tip()

    @pytest.mark.parametrize(("number", "told"), [(3, 3), (4, 0)])
    def test_of_more_than_three_at_once_nothing_is_said(
        self, repository: Repository, pushes: Receiver, tmp_path: Path, number: int, told: int
    ) -> None:
        clone = tmp_path / "clone"
        git("clone", "-q", repository.remote("alice"), str(clone))
        commit(clone, new="1")
        for each in range(number):
            git("tag", f"v{each}", cwd=clone)
        git("push", "-q", "--tags", "origin", "HEAD:refs/heads/main", cwd=clone)
        repository.push("alice", {"last": ""})
        pushes.wait_for("push", told + 2)
        refs = [each.payload["ref"] for each in pushes.received if each.event == "push"]
        assert sum(ref.startswith("refs/tags/") for ref in refs) == told
