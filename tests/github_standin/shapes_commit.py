"""Commits, their files and their statuses as GitHub's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from .shapes import minimal_repository, node_id, timestamp, user

if TYPE_CHECKING:
    from .git import ChangedFile
    from .state import Json, Repository, Status, World


def simple_status(world: World, home: Repository, found: Status) -> Json:
    """A commit status in the combined one."""
    return {
        "url": f"{world.api}/repos/{home.full_name}/statuses/{found.sha}",
        "avatar_url": f"{world.base_url}/avatars/u/{found.creator.id}",
        "id": found.id,
        "node_id": node_id("SC", found.id),
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.created_at),
    }


def status(world: World, home: Repository, found: Status) -> Json:
    """A commit status."""
    return {**simple_status(world, home, found), "creator": user(world, found.creator)}


def combined_status(
    world: World, home: Repository, sha: str, shown: list[Status], newest: list[Status]
) -> Json:
    """The combined status: `newest` of each context decide, `shown` is the page of them asked for."""
    states = {each.state for each in newest}
    bad = states & {"failure", "error"}
    state = "failure" if bad else "success" if states == {"success"} else "pending"
    api = f"{world.api}/repos/{home.full_name}"
    return {
        "state": state,
        "statuses": [simple_status(world, home, each) for each in shown],
        "sha": sha,
        "total_count": len(newest),
        "repository": minimal_repository(world, home),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }


def commit(world: World, home: Repository, sha: str) -> Json:
    """A commit in a list or a branch."""
    found = home.git.commit(sha)
    api = f"{world.api}/repos/{home.full_name}"
    html = f"{world.base_url}/{home.full_name}/commit/{sha}"
    return {
        "url": f"{api}/commits/{sha}",
        "sha": sha,
        "node_id": node_id("C", sha),
        "html_url": html,
        "comments_url": f"{api}/commits/{sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{sha}",
            "author": _signed(found.author),
            "committer": _signed(found.committer),
            "message": found.message,
            "tree": {"sha": found.tree, "url": f"{api}/git/trees/{found.tree}"},
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "author": _committer(world, found.author[1]),
        "committer": _committer(world, found.committer[1]),
        "parents": [
            {
                "sha": parent,
                "url": f"{api}/commits/{parent}",
                "html_url": f"{world.base_url}/{home.full_name}/commit/{parent}",
            }
            for parent in found.parents
        ],
    }


def _signed(person: tuple[str, str, str]) -> Json:
    name, email, date = person
    return {"name": name, "email": email, "date": utc(date)}


def utc(date: str) -> str:
    """Git's ISO date as GitHub writes it."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _committer(world: World, email: str) -> Json | None:
    """The account that an address of this GitHub belongs to."""
    account = world.accounts.get(email.split("@", maxsplit=1)[0].lower())
    return user(world, account) if account else None


def changed_file(world: World, home: Repository, head: str, found: ChangedFile) -> Json:
    """A file of a pull request or commit."""
    path = quote(found.path)
    html = f"{world.base_url}/{home.full_name}"
    shown: Json = {
        "sha": found.blob,
        "filename": found.path,
        "status": found.status,
        "additions": found.additions,
        "deletions": found.deletions,
        "changes": found.additions + found.deletions,
        "blob_url": f"{html}/blob/{head}/{path}",
        "raw_url": f"{html}/raw/{head}/{path}",
        "contents_url": f"{world.api}/repos/{home.full_name}/contents/{path}?ref={head}",
    }
    if found.patch is not None:
        shown["patch"] = found.patch
    if found.previous is not None:
        shown["previous_filename"] = found.previous
    return shown
