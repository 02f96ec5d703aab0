"""Each endpoint as PyGithub uses it, with a person's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from github import GithubException, UnknownObjectException
from github.ContentFile import ContentFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github

    from tests.github_standin import Repository, Standin


def test_the_person_whose_token_it_is(repository: Repository, connect: Callable[[str], Github]) -> None:
    me = connect("alice").get_user()
    assert (me.login, me.type) == ("alice", "User")


def test_a_repository_by_name_and_by_id(repository: Repository, connect: Callable[[str], Github]) -> None:
    alice = connect("alice")
    found = alice.get_repo("acme/app")
    assert (found.id, found.full_name, found.default_branch) == (repository.id, "acme/app", "main")
    assert found.permissions.push
    assert not found.permissions.admin
    assert alice.get_repo(repository.id).full_name == "acme/app"
    assert found.clone_url == repository.clone_url
    assert alice.get_user("acme").type == "Organization"


def test_a_pull_request(repository: Repository, connect: Callable[[str], Github]) -> None:
    pull = repository.open_pull(
        "alice",
        branch="fix",
        files={"README.md": "two\n", "new.txt": "a\nb\n"},
        title="Fix it",
        body="Because",
    )
    found = connect("alice").get_repo("acme/app").get_pull(pull.number)
    assert (found.title, found.body, found.state, found.draft) == ("Fix it", "Because", "open", False)
    assert (found.user.login, found.head.ref, found.base.ref) == ("alice", "fix", "main")
    assert (found.head.sha, found.base.sha) == (pull.head_sha, repository.tip())
    assert (found.changed_files, found.additions, found.deletions, found.commits) == (2, 3, 1, 1)
    assert {file.filename: file.status for file in found.get_files()} == {
        "README.md": "modified",
        "new.txt": "added",
    }
    assert [commit.sha for commit in found.get_commits()] == [pull.head_sha]
    assert found.as_issue().raw_data["pull_request"]["html_url"] == pull.html_url


def test_whether_it_can_be_merged_is_unknown_to_who_asks_first(
    repository: Repository, connect: Callable[[str], Github]
) -> None:
    app = connect("alice").get_repo("acme/app")
    clean = repository.open_pull("alice", branch="clean", files={"new.txt": ""})
    clash = repository.open_pull("alice", branch="clash", files={"README.md": "two\n"})
    repository.push("alice", {"README.md": "three\n"})
    assert [app.get_pull(clean.number).mergeable for _ in range(2)] == [None, True]
    assert [app.get_pull(clash.number).mergeable for _ in range(2)] == [None, False]
    assert app.get_pull(clash.number).mergeable_state == "dirty"


def test_the_base_sha_is_stale_when_the_base_moves_on(
    repository: Repository, connect: Callable[[str], Github]
) -> None:
    before = repository.tip()
    pull = repository.open_pull("alice", files={"new.txt": ""})
    after = repository.push("alice", {"README.md": "three\n"})
    found = connect("alice").get_repo("acme/app").get_pull(pull.number)
    assert found.base.sha == before
    assert connect("alice").get_repo("acme/app").get_branch("main").commit.sha == after
    assert found.changed_files == 1


def test_pull_requests_are_listed_and_filtered(
    repository: Repository, connect: Callable[[str], Github]
) -> None:
    first = repository.open_pull("alice", branch="one", files={"1": ""})
    second = repository.open_pull("mallory", branch="two", files={"2": ""}, fork=True)
    first.close("alice")
    app = connect("alice").get_repo("acme/app")
    assert [pull.number for pull in app.get_pulls()] == [second.number]
    assert [pull.number for pull in app.get_pulls(state="all")] == [second.number, first.number]
    assert [pull.number for pull in app.get_pulls(state="all", head="acme:one")] == [first.number]
    assert [pull.number for pull in app.get_pulls(head="mallory:two")] == [second.number]


def test_lists_come_in_pages(
    repository: Repository, connect: Callable[[str], Github], github: Standin
) -> None:
    pull = repository.open_pull("alice", files={f"file{number:03}": "x" for number in range(250)})
    mark = github.mark()
    alice = connect("alice")
    alice.per_page = 100
    files = list(alice.get_repo("acme/app").get_pull(pull.number).get_files())
    assert len(files) == 250
    asked = [request.query for request in github.requests(mark, path="/files$")]
    assert len(asked) == 3
    answer = requests.get(
        f"{github.api_url}/repos/acme/app/pulls/{pull.number}/files?per_page=500&page=2", timeout=5
    )
    assert len(answer.json()) == 100
    assert 'page=3>; rel="next"' in answer.headers["Link"]
    assert {"first", "prev", "next", "last"} == set(answer.links)


def test_branches_refs_and_commits(repository: Repository, connect: Callable[[str], Github]) -> None:
    sha = repository.push("alice", {"README.md": "two\n"}, branch="feature/x", message="Say two")
    app = connect("alice").get_repo("acme/app")
    assert app.get_branch("feature/x").commit.sha == sha
    assert app.get_git_ref("heads/feature/x").object.sha == sha
    commit = app.get_commit("feature/x")
    assert (commit.sha, commit.commit.message, commit.author.login) == (sha, "Say two", "alice")
    assert [file.filename for file in commit.files] == ["README.md"]
    for missing in (lambda: app.get_branch("nope"), lambda: app.get_git_ref("heads/nope")):
        with pytest.raises(GithubException, match="404"):
            missing()
    with pytest.raises(GithubException, match="No commit found for SHA"):
        app.get_commit("nope")


def test_only_the_sha_of_a_commit(github: Standin, repository: Repository) -> None:
    answer = requests.get(
        f"{github.api_url}/repos/acme/app/commits/main",
        headers={"Accept": "application/vnd.github.sha"},
        timeout=5,
    )
    assert answer.text == repository.tip()


def test_files_at_a_commit(github: Standin, repository: Repository, connect: Callable[[str], Github]) -> None:
    first = repository.tip()
    repository.push(
        "alice", {"README.md": "two\n", "gone/deep er/ü.txt": b"\xff\x00", "big": "x" * 1_000_001}
    )
    app = connect("alice").get_repo("acme/app")

    def read(path: str, ref: str = "main") -> ContentFile:
        found = app.get_contents(path, ref=ref)
        assert isinstance(found, ContentFile)
        return found

    def names(path: str) -> list[str]:
        found = app.get_contents(path)
        assert isinstance(found, list)
        return sorted(entry.path for entry in found)

    assert read("README.md", first).decoded_content == b"one\n"
    assert read("README.md").decoded_content == b"two\n"
    assert read("gone/deep er/ü.txt").decoded_content == b"\xff\x00"
    assert read("big").encoding == "none"
    assert names("") == ["README.md", "big", "gone", "src"]
    assert names("src") == ["src/app.py"]
    for path, ref in (("nope", "main"), ("README.md", "nope"), ("gone/deep er/ü.txt", first)):
        with pytest.raises(UnknownObjectException):
            app.get_contents(path, ref=ref)
    raw = requests.get(
        f"{github.api_url}/repos/acme/app/contents/README.md",
        headers={"Accept": "application/vnd.github.raw+json"},
        timeout=5,
    )
    assert raw.content == b"two\n"


@pytest.mark.parametrize(
    ("role", "permission", "role_name"),
    [
        ("read", "read", "read"),
        ("triage", "read", "triage"),
        ("write", "write", "write"),
        ("maintain", "write", "maintain"),
        ("admin", "admin", "admin"),
        ("none", "read", "read"),
    ],
)
def test_a_persons_permission_is_collapsed_but_not_the_role(
    repository: Repository, connect: Callable[[str], Github], role: str, permission: str, role_name: str
) -> None:
    repository.permit("bob", role)  # type: ignore[arg-type] # a table of roles
    app = connect("alice").get_repo("acme/app")
    assert app.get_collaborator_permission("bob") == permission
    assert app.get_collaborator_role_name("bob") == role_name


def test_strangers_have_no_permission_for_what_is_private(
    github: Standin, connect: Callable[[str], Github]
) -> None:
    github.user("mallory")
    github.repository("acme/secret", permissions={"alice": "write"}, private=True)
    assert connect("alice").get_repo("acme/secret").get_collaborator_permission("mallory") == "none"
    with pytest.raises(UnknownObjectException):
        connect("alice").get_repo("acme/secret").get_collaborator_permission("nobody")
    with pytest.raises(UnknownObjectException):
        connect("mallory").get_repo("acme/secret")


def test_statuses(repository: Repository, connect: Callable[[str], Github]) -> None:
    pull = repository.open_pull("mallory", files={"new.txt": ""}, fork=True)
    commit = connect("alice").get_repo("acme/app").get_commit(pull.head_sha)
    for state, context in (("pending", "unit"), ("pending", "lint"), ("success", "unit")):
        commit.create_status(
            state, target_url="http://127.0.0.1/", description=f"is {state}", context=context
        )
    assert [(each.context, each.state) for each in commit.get_statuses()] == [
        ("unit", "success"),
        ("lint", "pending"),
        ("unit", "pending"),
    ]
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("pending", 2)
    assert {each.context: each.state for each in combined.statuses} == {"unit": "success", "lint": "pending"}
    assert [status.state for status in pull.statuses("unit")] == ["pending", "success"]
    assert pull.state_of("unit") == "success"
    assert pull.combined()["unit"].creator == "alice"


def test_comments_and_reactions(repository: Repository, connect: Callable[[str], Github]) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    issue = connect("mallory").get_repo("acme/app").get_issue(pull.number)
    comment = issue.create_comment("first")
    comment.edit("second")
    reaction = comment.create_reaction("eyes")
    assert comment.create_reaction("eyes").id == reaction.id
    assert [each.content for each in comment.get_reactions()] == ["eyes"]
    assert issue.get_comment(comment.id).body == "second"
    assert [each.body for each in issue.get_comments()] == ["second"]
    assert [(each.author, each.body, each.reactions) for each in pull.comments()] == [
        ("mallory", "second", ["eyes"])
    ]
    assert connect("alice").get_repo("acme/app").get_issue(pull.number).comments == 1
    comment.delete()
    assert pull.comments() == []


def test_ids_outgrow_32_bits(repository: Repository) -> None:
    pull = repository.open_pull("alice", files={"new.txt": ""})
    assert pull.comment("alice", "hello").id > 2**31


def test_what_is_left_of_the_quota(repository: Repository, connect: Callable[[str], Github]) -> None:
    alice = connect("alice")
    assert alice.get_rate_limit().resources.core.remaining == 5000
    alice.get_repo("acme/app")
    assert alice.get_rate_limit().resources.core.remaining == 4999
    assert alice.rate_limiting == (4999, 5000)


def test_hooks_of_a_repository(repository: Repository, connect: Callable[[str], Github]) -> None:
    hook_id = repository.hook("http://127.0.0.1:9/webhook", "s3cret")
    (hook,) = connect("root").get_repo("acme/app").get_hooks()
    assert (hook.id, hook.config["secret"]) == (hook_id, "********")
    assert connect("root").get_repo("acme/app").get_hook(hook_id).events == [
        "issue_comment",
        "merge_group",
        "pull_request",
        "push",
        "repository",
    ]
    with pytest.raises(UnknownObjectException):
        connect("alice").get_repo("acme/app").get_hook(hook_id)
