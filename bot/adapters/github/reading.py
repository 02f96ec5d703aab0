"""From PyGithub's objects to the domain's: what the bot reads of a repository."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from bot.adapters.github.answers import Moved
from bot.errors import GitHubNotFound, GitHubRefused
from bot.models import ChangedFiles, Permission, PullRequest, Repository

if TYPE_CHECKING:
    from github.Repository import Repository as GitHubRepository

MOST_CHANGED_FILES = 3000
"""GitHub lists no more files of a pull request."""

REPORTED_AS = {Permission.MAINTAIN: Permission.WRITE, Permission.TRIAGE: Permission.READ}
"""What the older field `permission` makes of the newer roles."""

LARGEST_FILE = 1024 * 1024
"""Bytes; larger files come without their content."""


def pull_request(there: GitHubRepository, number: int, repository_id: int) -> PullRequest:
    """The pull request; Moved if it is another repository's, which took over the name of ours."""
    pull = there.get_pull(number)
    base, head, author = pull.base.repo, pull.head, pull.user
    if base.id != repository_id:
        raise Moved(f"GET {there.url}", base.url)
    return PullRequest(
        repository=Repository(base.id, base.full_name, base.private, base.clone_url),
        number=pull.number,
        open=pull.state == "open",
        draft=pull.draft,
        title=pull.title,
        author=author.login if author else "ghost",  # what GitHub's pages call a deleted account
        head_sha=head.sha,
        head_ref=head.ref,
        head_repository=head.repo.full_name if head.repo else None,
        base_ref=pull.base.ref,
        updated_at=pull.updated_at or pull.created_at,
        labels=tuple(label.name for label in pull.labels),
        comments=pull.comments,
    )


def permission(there: GitHubRepository, login: str) -> Permission:
    """The user's role; for a custom role, what it grants."""
    if not login:
        return Permission.NONE
    try:
        _, answer = there.requester.requestJsonAndCheck(
            "GET", f"{there.url}/collaborators/{quote(login, safe='')}/permission"
        )
    except GitHubNotFound:
        return Permission.NONE
    granted = Permission(answer["permission"])
    try:
        role = Permission(answer.get("role_name"))
    except ValueError:
        return granted
    # A custom role may carry any name: none may promise more than is granted.
    return role if REPORTED_AS.get(role, role) is granted else granted


def file(there: GitHubRepository, path: str, sha: str) -> bytes | None:
    """The file's content at that commit; GitHubNotFound if there is no such commit (yet)."""
    try:
        found = there.get_contents(path, ref=sha)
    except GitHubNotFound as error:
        if "no commit found" in str(error).lower():
            raise
        return None
    if isinstance(found, list):
        raise GitHubRefused(f"{path} is a directory: a file is needed there")
    if found.type != "file":
        raise GitHubRefused(f"{path} is a {found.type}: a plain file is needed there")
    if found.size > LARGEST_FILE or found.encoding != "base64":
        raise GitHubRefused(f"{path} has {found.size} bytes: at most {LARGEST_FILE} are read")
    return found.decoded_content


def changed_files(there: GitHubRepository, number: int) -> ChangedFiles:
    """Both names of each file, incomplete where GitHub's list may have been cut."""
    files = list(islice(there.get_pull(number).get_files(), MOST_CHANGED_FILES))
    names = (name for file in files for name in (file.previous_filename, file.filename) if name)
    return ChangedFiles(tuple(dict.fromkeys(names)), complete=len(files) < MOST_CHANGED_FILES)
