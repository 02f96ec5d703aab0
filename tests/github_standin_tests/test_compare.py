"""Comparisons, labels, and what else a bot reads before it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from github import GithubException, UnknownObjectException

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github

    from tests.github_standin import Pull, Repository, Standin


def compared(github: Standin, basehead: str, query: str = "") -> requests.Response:
    return requests.get(f"{github.api_url}/repos/acme/app/compare/{basehead}{query}", timeout=5)


class TestCompare:
    def test_shows_what_the_head_changed_since_they_parted(
        self, repository: Repository, connect: Callable[[str], Github]
    ) -> None:
        common = repository.tip()
        head = repository.push("alice", {"new.txt": "1\n"}, branch="feature/x")
        base = repository.push("alice", {"README.md": "two\n"})
        found = connect("alice").get_repo("acme/app").compare("main", "feature/x")
        assert [file.filename for file in found.files] == ["new.txt"]
        assert (found.status, found.ahead_by, found.behind_by) == ("diverged", 1, 1)
        assert (found.base_commit.sha, found.merge_base_commit.sha) == (base, common)
        assert [commit.sha for commit in found.commits] == [head]

    def test_a_rename_counts_with_both_names(
        self, repository: Repository, connect: Callable[[str], Github]
    ) -> None:
        before = repository.push("alice", {"old.txt": "a\nb\nc\n"})
        after = repository.push("alice", {"old.txt": None, "new.txt": "a\nb\nc\n"})
        (file,) = connect("alice").get_repo("acme/app").compare(before, after).files
        assert (file.status, file.filename, file.previous_filename) == ("renamed", "new.txt", "old.txt")

    @pytest.mark.parametrize(
        ("basehead", "status"),
        [("main...next", "ahead"), ("next...main", "behind"), ("main...main", "identical")],
    )
    def test_says_how_they_lie(
        self, github: Standin, repository: Repository, basehead: str, status: str
    ) -> None:
        repository.push("alice", {"new.txt": "1\n"}, branch="next")
        assert compared(github, basehead).json()["status"] == status

    def test_shows_at_most_300_files_and_only_on_the_first_page(
        self, github: Standin, repository: Repository
    ) -> None:
        repository.push("alice", {f"{number:03}": "x" for number in range(301)}, branch="next")
        repository.push("alice", {"more": "x"}, branch="next")
        whole, first, second = (
            compared(github, "main...next", query).json()
            for query in ("", "?per_page=1", "?per_page=1&page=2")
        )
        assert (len(whole["files"]), len(first["files"])) == (300, 300)
        assert "files" not in second
        assert [len(each["commits"]) for each in (whole, first, second)] == [2, 1, 1]
        assert second["total_commits"] == 2

    def test_reaches_into_forks(self, github: Standin, repository: Repository) -> None:
        pull = repository.open_pull("mallory", branch="help", files={"new.txt": ""}, fork=True)
        answer = compared(github, "main...mallory:help").json()
        assert answer["commits"][0]["sha"] == pull.head_sha

    @pytest.mark.usefixtures("repository")
    @pytest.mark.parametrize("basehead", ["main..main", "main", "main...nope", "main...nobody:main"])
    def test_of_what_is_not_there_is_not_found(self, github: Standin, basehead: str) -> None:
        assert compared(github, basehead).status_code == 404


def label(github: Standin, pull: Pull, login: str, *names: str) -> int:
    answer = requests.post(
        f"{github.api_url}/repos/acme/app/issues/{pull.number}/labels",
        json={"labels": list(names)},
        headers={"Authorization": f"token {github.user(login).token}"},
        timeout=5,
    )
    return answer.status_code


class TestLabels:
    def test_are_given_listed_and_taken(
        self, github: Standin, repository: Repository, connect: Callable[[str], Github]
    ) -> None:
        pull = repository.open_pull("alice", files={"new.txt": ""})
        assert label(github, pull, "alice", "e2e", "good first issue") == 200
        found = connect("alice").get_repo("acme/app").get_issue(pull.number)
        assert [each.name for each in found.get_labels()] == ["e2e", "good first issue"]
        found.remove_from_labels("e2e")
        assert pull.show().labels == ["good first issue"]
        with pytest.raises(GithubException, match="Label does not exist"):
            found.remove_from_labels("e2e")

    @pytest.mark.parametrize(("login", "status"), [("tina", 200), ("mallory", 404)])
    def test_need_a_role(self, github: Standin, repository: Repository, login: str, status: int) -> None:
        pull = repository.open_pull("alice", files={"new.txt": ""})
        repository.permit("tina", "triage")
        assert label(github, pull, login, "e2e") == status


def test_the_organisations_own_configuration(github: Standin, connect: Callable[[str], Github]) -> None:
    github.repository("acme/.github", files={"preflight.yaml": "pipelines: {}\n"}, default_branch="trunk")
    found = connect("mallory").get_repo("acme/.github").get_contents("preflight.yaml")
    assert not isinstance(found, list)
    assert found.decoded_content == b"pipelines: {}\n"
    with pytest.raises(UnknownObjectException):
        connect("mallory").get_repo("other/.github")


def test_a_comment_can_be_deleted_once(repository: Repository, connect: Callable[[str], Github]) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    comment = connect("alice").get_repo("acme/app").get_issue(pull.number).create_comment("hello")
    comment.delete()
    with pytest.raises(UnknownObjectException):
        comment.delete()
