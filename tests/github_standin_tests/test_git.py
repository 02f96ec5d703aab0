"""Real git against real repositories: clone, fetch by SHA, push, forks."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.github_standin.git import environment

from .test_apps import mint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_standin import Repository, Standin

    from .conftest import Receiver


def git(*arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


def commit(clone: Path, **files: str) -> str:
    for name, content in files.items():
        (clone / name).write_text(content)
    git("add", "-A", cwd=clone)
    git("commit", "-q", "-m", "Change", cwd=clone)
    return git("rev-parse", "HEAD", cwd=clone)


def test_what_is_public_can_be_cloned_by_anybody(repository: Repository, tmp_path: Path) -> None:
    git("clone", "-q", repository.clone_url, str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "README.md").read_text() == "one\n"
    assert git("ls-remote", repository.clone_url.removesuffix(".git"), "refs/heads/main").startswith(
        repository.tip()
    )


def test_what_is_private_needs_credentials(github: Standin, tmp_path: Path) -> None:
    secret = github.repository("acme/secret", private=True, permissions={"alice": "read"})
    with pytest.raises(AssertionError, match="could not read Username"):
        git("ls-remote", secret.clone_url)
    with pytest.raises(AssertionError, match="not found"):
        git("ls-remote", secret.remote("mallory"))
    assert secret.tip() in git("ls-remote", secret.remote("alice"))
    app = github.app("preflight")
    token = github.installation_token(app.installations["acme"])
    remote = secret.clone_url.replace("://", f"://x-access-token:{token}@")
    assert secret.tip() in git("ls-remote", remote)
    github.revoke_tokens()
    with pytest.raises(AssertionError, match="Authentication failed"):
        git("ls-remote", remote)


def test_a_narrowed_token_reads_what_it_was_narrowed_to(github: Standin, tmp_path: Path) -> None:
    secret, other = (github.repository(f"acme/{name}", private=True) for name in ("secret", "other"))
    public = github.repository("acme/public")
    app = github.app("preflight", owner="acme")

    def remote(repository: Repository, **asked: object) -> str:
        token = mint(github, app, asked).json()["token"]
        return repository.clone_url.replace("://", f"://x-access-token:{token}@")

    reads: dict[str, object] = {"repository_ids": [secret.id], "permissions": {"contents": "read"}}
    assert secret.tip() in git("ls-remote", remote(secret, **reads))
    assert public.tip() in git("ls-remote", remote(public, **reads))
    with pytest.raises(AssertionError, match="not found"):
        git("ls-remote", remote(other, **reads))
    git("clone", "-q", remote(secret, **reads), str(tmp_path / "clone"))
    commit(tmp_path / "clone", **{"new.txt": "1\n"})
    with pytest.raises(AssertionError, match="denied"):
        git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=tmp_path / "clone")

    blind = {"permissions": {"statuses": "write"}}
    with pytest.raises(AssertionError, match="Write access to repository not granted"):
        git("ls-remote", remote(secret, **blind))
    assert public.tip() in git("ls-remote", remote(public, **blind))

    github.limits(token_seconds=0)
    with pytest.raises(AssertionError, match="Authentication failed"):
        git("ls-remote", remote(secret, **reads))


def test_a_commit_of_a_fork_is_fetched_by_its_sha_from_the_base(
    repository: Repository, tmp_path: Path
) -> None:
    pull = repository.open_pull("mallory", branch="evil", files={"new.txt": "new\n"}, fork=True)
    assert pull.show().head_repository == "mallory/app"
    git("init", "-q", str(tmp_path / "clone"))
    git("fetch", "-q", "--depth=1", repository.clone_url, pull.head_sha, cwd=tmp_path / "clone")
    assert git("show", "FETCH_HEAD:new.txt", cwd=tmp_path / "clone") == "new"
    listed = git("ls-remote", repository.clone_url, "refs/pull/1/head")
    assert listed.split() == [pull.head_sha, "refs/pull/1/head"]
    later = pull.push("mallory", {"new.txt": "newer\n"})
    assert git("ls-remote", repository.clone_url, "refs/pull/1/head").startswith(later)


def test_a_push_moves_the_pull_request_and_is_told(
    github: Standin, repository: Repository, receiver: Receiver, tmp_path: Path
) -> None:
    pull = repository.open_pull("alice", branch="fix", files={"new.txt": "1\n"})
    before = pull.head_sha
    repository.hook(receiver.url, "s3cret")
    repository.permit("bob", "write")
    clone = tmp_path / "clone"
    git("clone", "-q", "-b", "fix", repository.remote("bob"), str(clone))
    after = commit(clone, **{"new.txt": "2\n"})
    git("push", "-q", cwd=clone)
    assert pull.head_sha == after
    push, synchronize = receiver.wait_for("push"), receiver.wait_for("pull_request.synchronize")
    assert receiver.names() == ["push", "pull_request.synchronize"]
    assert (push.payload["before"], push.payload["after"]) == (before, after)
    assert (push.payload["pusher"]["name"], push.payload["ref"]) == ("bob", "refs/heads/fix")
    assert [each["id"] for each in push.payload["commits"]] == [after]
    assert push.payload["head_commit"]["modified"] == ["new.txt"]
    assert synchronize.payload["sender"]["login"] == "bob"
    assert (synchronize.payload["before"], synchronize.payload["after"]) == (before, after)
    assert synchronize.payload["pull_request"]["head"]["sha"] == after
    assert synchronize.payload["pull_request"]["user"]["login"] == "alice"


def test_new_branches_deleted_branches_and_force_pushes(
    repository: Repository, receiver: Receiver, tmp_path: Path
) -> None:
    pull = repository.open_pull("alice", branch="fix", files={"new.txt": "1\n"})
    repository.hook(receiver.url, "s3cret")
    clone = tmp_path / "clone"
    git("clone", "-q", repository.remote("alice"), str(clone))
    forced = commit(clone, **{"other.txt": "1\n"})
    git("push", "-q", "--force", "origin", "HEAD:refs/heads/fix", "HEAD:refs/heads/-q", cwd=clone)
    assert (pull.head_sha, repository.tip("-q")) == (forced, forced)
    git("push", "-q", "origin", "--delete", "fix", cwd=clone)
    receiver.wait_for("pull_request.closed")
    pushes = {each.payload["ref"]: each.payload for each in receiver.received if each.event == "push"}
    assert pushes["refs/heads/-q"]["created"]
    assert pushes["refs/heads/fix"]["deleted"]
    assert pull.show().state == "closed"


@pytest.mark.parametrize(
    ("login", "reason"),
    [("mallory", "403"), ("nobody", "Authentication failed")],
)
def test_who_may_not_push_is_refused(
    github: Standin, repository: Repository, tmp_path: Path, login: str, reason: str
) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", repository.clone_url, str(clone))
    commit(clone, **{"new.txt": "1\n"})
    remote = repository.clone_url.replace("://", f"://{login}:x@")
    with pytest.raises(AssertionError, match=reason):
        git("push", "-q", remote, "HEAD:refs/heads/main", cwd=clone)


def test_refs_of_pull_requests_belong_to_github(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", repository.remote("alice"), str(clone))
    with pytest.raises(AssertionError, match="hidden ref"):
        git("push", "-q", "origin", "HEAD:refs/pull/1/head", cwd=clone)


def test_a_maintainer_may_push_to_a_forks_branch_that_allows_it(
    repository: Repository, tmp_path: Path
) -> None:
    pull = repository.open_pull("mallory", branch="help", files={"new.txt": "1\n"}, fork=True)
    fork = repository.fork("mallory")
    clone = tmp_path / "clone"
    git("clone", "-q", "-b", "help", fork.remote("alice"), str(clone))
    helped = commit(clone, **{"new.txt": "2\n"})
    git("push", "-q", cwd=clone)
    assert pull.head_sha == helped


def test_a_large_push_is_streamed(repository: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "-q", repository.remote("alice"), str(clone))
    (clone / "big").write_bytes(bytes(range(256)) * 20_000 + b"".join(b"%d" % n for n in range(200_000)))
    pushed = commit(clone, small="x")
    git("-c", "http.postBuffer=65536", "-c", "core.compression=0", "push", "-q", cwd=clone)
    assert repository.tip() == pushed


def test_git_follows_a_renamed_repository(repository: Repository) -> None:
    old = repository.clone_url
    repository.rename("renamed")
    assert repository.tip() in git("ls-remote", old)
