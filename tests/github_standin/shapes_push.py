"""The payload of a push."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import shapes_commit
from .git import EMPTY_TREE, NOTHING

if TYPE_CHECKING:
    from .state import Account, Json, Repository, World

COMMITS_SHOWN = 2048
MADE = ("added", "copied", "renamed")


def push(world: World, repository: Repository, by: Account, ref: str, *, before: str, after: str) -> Json:
    """What a push of one branch or tag says; `before` or `after` is NOTHING when it was made or deleted."""
    git = repository.git
    created, deleted, of_branch = before == NOTHING, after == NOTHING, ref.startswith("refs/heads/")
    tip = None if deleted else git.resolve(after)
    new = _new_commits(repository, ref, before, tip) if tip and of_branch else []
    name, email = person(by)
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "pusher": {"name": name, "email": email},
        "created": created,
        "deleted": deleted,
        "forced": of_branch and not (created or deleted) and not git.is_ancestor(before, after),
        "base_ref": _branch_at(repository, ref, tip) if created else None,
        "compare": f"{world.base_url}/{repository.full_name}/compare/{before[:12]}...{after[:12]}",
        "commits": [commit(world, repository, sha) for sha in new[-COMMITS_SHOWN:]],
        "head_commit": commit(world, repository, tip) if tip else None,
    }


def _new_commits(repository: Repository, ref: str, before: str, after: str) -> list[str]:
    """Commits since `before`; of a new branch, those that the default branch lacks."""
    default = repository.default_branch
    if before == NOTHING:
        before = "" if ref == f"refs/heads/{default}" else repository.heads.get(default, "")
    return repository.git.between(before, after)


def _branch_at(repository: Repository, ref: str, tip: str | None) -> str | None:
    """A branch where a new ref begins without a commit of its own."""
    branches = (f"refs/heads/{branch}" for branch, sha in repository.heads.items() if sha == tip)
    return next((branch for branch in branches if branch != ref), None)


def commit(world: World, repository: Repository, sha: str) -> Json:
    """A commit of a push, with the names of the files that it touched."""
    found = repository.git.commit(sha)
    changes = repository.git.changes(found.parents[0] if found.parents else EMPTY_TREE, sha)
    renamed = [change.previous for change in changes if change.status == "renamed" and change.previous]
    return {
        **simple_commit(repository, sha),
        "author": _signature(world, found.author),
        "committer": _signature(world, found.committer),
        "distinct": True,
        "url": f"{world.base_url}/{repository.full_name}/commit/{sha}",
        "added": [change.path for change in changes if change.status in MADE],
        "removed": [change.path for change in changes if change.status == "removed"] + renamed,
        "modified": [change.path for change in changes if change.status not in (*MADE, "removed")],
    }


def _signature(world: World, signed: tuple[str, str, str]) -> Json:
    """Name and address that a commit gives, and the account that the address belongs to."""
    name, email, _ = signed
    account = world.accounts.get(email.split("@", maxsplit=1)[0].lower())
    return {"name": name, "email": email} | ({"username": account.login} if account else {})


def simple_commit(repository: Repository, sha: str) -> Json:
    """A commit as any payload mentions it."""
    found = repository.git.commit(sha)
    return {
        "id": sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": shapes_commit.utc(found.committer[2]),
        "author": {"name": found.author[0], "email": found.author[1]},
        "committer": {"name": found.committer[0], "email": found.committer[1]},
    }


def person(account: Account) -> tuple[str, str]:
    """Name and address of an account's commits."""
    return account.login, f"{account.login}@users.noreply.example.com"
