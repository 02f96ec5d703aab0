"""Pushes: what they change, and what GitHub tells its hooks about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import check_events, shapes_pull, shapes_push
from .git import NOTHING
from .state import Refused, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .state import Account, Json, Pull, Repository, World

HEADS, TAGS = "refs/heads/", "refs/tags/"
MOST_TAGS, MOST_BRANCHES = 3, 5000
"""Of which one push tells; of more it says nothing."""


def commit_to_branch(
    world: World,
    repository: Repository,
    by: Account,
    files: Mapping[str, bytes | None],
    *,
    branch: str,
    message: str = "",
    onto: str | None = None,
    author: Account | None = None,
) -> str:
    """Commit files to a branch, made when new (from the default branch), and push it.

    `onto` forces the branch elsewhere. `author`: whom the commit names as its author, which nobody checks.
    """
    parent = repository.heads.get(branch) or repository.heads.get(repository.default_branch)
    if onto:
        parent = repository.git.resolve(onto)
        if parent is None:
            raise Refused(f"{repository.full_name} has no commit {onto}")
    sha = repository.git.commit_files(
        branch,
        files,
        author=shapes_push.person(author or by),
        committer=shapes_push.person(by),
        message=message or "Change " + ", ".join(files),
        parent=parent,
        when=int(now()),
    )
    notice_pushes(world, repository, by)
    return sha


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


def set_tag(world: World, repository: Repository, by: Account, name: str, sha: str | None) -> None:
    """Make, move or delete (None) a tag."""
    if sha is not None and repository.git.resolve(sha) is None:
        raise Refused(f"{repository.full_name} has no commit {sha}")
    repository.git.set_ref(f"refs/tags/{name}", sha)
    notice_pushes(world, repository, by)


def notice_pushes(world: World, repository: Repository, by: Account) -> None:
    """Compare git's branches and tags with those known, and do and tell what follows from each that moved."""
    known, found = _refs(repository), repository.git.refs()
    moved = [
        (ref, known.get(ref, NOTHING), found.get(ref, NOTHING))
        for ref in sorted(known.keys() | found.keys())
        if known.get(ref) != found.get(ref)
    ]
    repository.heads, repository.tags = _named(found, HEADS), _named(found, TAGS)
    for kind, most in ((HEADS, MOST_BRANCHES), (TAGS, MOST_TAGS)):
        pushed = [each for each in moved if each[0].startswith(kind)]
        for ref, before, after in pushed:
            repository.pushed_at = repository.updated_at = now()
            if len(pushed) <= most:
                payload = shapes_push.push(world, repository, by, ref, before=before, after=after)
                world.emit("push", None, repository, by, payload)
            if kind == HEADS:
                if after != NOTHING:
                    check_events.request_suites(world, repository, by, before, after)
                for pull in world.pulls_from(repository, ref.removeprefix(HEADS)):
                    _synchronize(world, pull, by, before, after)


def _refs(repository: Repository) -> dict[str, str]:
    heads = {HEADS + name: sha for name, sha in repository.heads.items()}
    return heads | {TAGS + name: sha for name, sha in repository.tags.items()}


def _named(refs: Mapping[str, str], kind: str) -> dict[str, str]:
    return {ref.removeprefix(kind): sha for ref, sha in refs.items() if ref.startswith(kind)}


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
    """What a push means for a pull request from that branch."""
    if after == NOTHING:
        close(world, pull, by)
        return
    follow_head(pull, after)
    pull.updated_at = now()
    emit_pull(world, "synchronize", pull, by, before=before, after=after)
    if pull.repository.git.is_ancestor(after, pull.base_tip):
        close(world, pull, by)
