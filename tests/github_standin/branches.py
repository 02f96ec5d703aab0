"""Pushes: what they change, and what GitHub tells its hooks about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes_commit, shapes_pull
from .git import NOTHING
from .state import Refused, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .state import Account, Json, Pull, Repository, World

COMMITS_SHOWN = 2048


def commit_to_branch(
    world: World,
    repository: Repository,
    by: Account,
    files: Mapping[str, bytes | None],
    *,
    branch: str,
    message: str = "",
    onto: str | None = None,
) -> str:
    """Commit files to a branch, made when new (from the default branch); `onto` forces it elsewhere."""
    parent = repository.heads.get(branch) or repository.heads.get(repository.default_branch)
    if onto:
        parent = repository.git.resolve(onto)
        if parent is None:
            raise Refused(f"{repository.full_name} has no commit {onto}")
    sha = repository.git.commit_files(
        branch,
        files,
        author=person(by),
        message=message or "Change " + ", ".join(files),
        parent=parent,
        when=int(now()),
    )
    notice_pushes(world, repository, by)
    return sha


def person(account: Account) -> tuple[str, str]:
    """Name and address of an account's commits."""
    return account.login, f"{account.login}@users.noreply.example.com"


def delete_branch(world: World, repository: Repository, by: Account, branch: str) -> None:
    """Delete a branch."""
    if branch not in repository.heads:
        raise Refused(f"{repository.full_name} has no branch {branch!r}")
    repository.git.set_ref(f"refs/heads/{branch}", None)
    notice_pushes(world, repository, by)


def may_push(world: World, repository: Repository, account: Account) -> bool:
    """Whether a person may push: a writer, or a maintainer whom a fork's pull request lets in."""
    if repository.allows(account, "write"):
        return True
    return any(
        pull.maintainer_can_modify and base.allows(account, "write")
        for base in world.repositories.values()
        for pull in base.pulls
        if pull.state == "open" and pull.head_repository is repository
    )


def notice_pushes(world: World, repository: Repository, by: Account) -> None:
    """Compare git's branches with those known, and do and tell what follows from each that moved."""
    found = repository.git.heads()
    known = repository.heads
    moved = [
        (branch, known.get(branch, NOTHING), found.get(branch, NOTHING))
        for branch in sorted(known.keys() | found.keys())
        if known.get(branch) != found.get(branch)
    ]
    repository.heads = found
    for branch, before, after in moved:
        repository.pushed_at = repository.updated_at = now()
        world.emit(
            "push",
            None,
            repository,
            by,
            _push_payload(world, repository, by, branch, before=before, after=after),
        )
        for pull in world.pulls_from(repository, branch):
            if after == NOTHING:
                close(world, pull, by)
            else:
                _synchronize(world, pull, by, before, after)


def follow_head(pull: Pull, sha: str) -> None:
    """Let `refs/pull/N/head` of the base repository be the head commit."""
    base, ref = pull.repository, f"refs/pull/{pull.number}/head"
    if pull.head_repository is base or pull.head_repository is None:
        base.git.set_ref(ref, sha)
    else:
        base.git.fetch(pull.head_repository.git, sha, ref)
    pull.head_sha = sha


def emit_pull(world: World, action: str, pull: Pull, by: Account, **more: object) -> None:
    """Tell the hooks about a pull request."""
    payload: Json = {"number": pull.number, "pull_request": shapes_pull.full_pull(world, pull, asked=False)}
    world.emit("pull_request", action, pull.repository, by, payload | more)


def close(world: World, pull: Pull, by: Account) -> None:
    """Close a pull request."""
    pull.state, pull.closed_by = "closed", by
    pull.closed_at = pull.updated_at = now()
    emit_pull(world, "closed", pull, by)


def _synchronize(world: World, pull: Pull, by: Account, before: str, after: str) -> None:
    follow_head(pull, after)
    pull.updated_at = now()
    emit_pull(world, "synchronize", pull, by, before=before, after=after)
    if pull.repository.git.is_ancestor(after, pull.base_tip):
        close(world, pull, by)


def _push_payload(
    world: World, repository: Repository, by: Account, branch: str, *, before: str, after: str
) -> Json:
    git = repository.git
    created, deleted = before == NOTHING, after == NOTHING
    forced = not (created or deleted) and not git.is_ancestor(before, after)
    start = repository.heads.get(repository.default_branch, "") if created else before
    new = []
    if not deleted:
        new = git.between(start, after) if start and start != after else []
    html = f"{world.base_url}/{repository.full_name}"
    name, email = person(by)
    commits = [_commit(world, repository, sha) for sha in new[-COMMITS_SHOWN:]]
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "pusher": {"name": name, "email": email},
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{html}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": None if deleted else _commit(world, repository, after),
    }


def _commit(world: World, repository: Repository, sha: str) -> Json:
    commit = repository.git.commit(sha)
    parent = commit.parents[0] if commit.parents else None
    changes = repository.git.changes(parent, sha) if parent else []
    people = {}
    for role, (name, email, _) in (("author", commit.author), ("committer", commit.committer)):
        account = world.accounts.get(email.split("@")[0].lower())
        people[role] = {"name": name, "email": email} | ({"username": account.login} if account else {})
    return {
        "id": sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": shapes_commit.utc(commit.committer[2]),
        "url": f"{world.base_url}/{repository.full_name}/commit/{sha}",
        **people,
        "added": [change.path for change in changes if change.status == "added"],
        "removed": [change.path for change in changes if change.status == "removed"],
        "modified": [change.path for change in changes if change.status not in ("added", "removed")],
    }
