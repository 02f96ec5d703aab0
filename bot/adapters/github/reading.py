"""From PyGithub's objects to the domain's: what the bot reads of a repository."""

from __future__ import annotations

from github.GithubObject import NotSet
from github.Repository import Repository as GitHubRepository

from bot.adapters.github.answers import Moved
from bot.errors import GitHubNotFound, NotAFile
from bot.models import PullRequest, Repository

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


def file(there: GitHubRepository, path: str, sha: str | None = None) -> bytes | None:
    """The file's content at that commit, by default the default branch's tip.

    GitHubNotFound if there is no such commit (yet).
    """
    try:
        found = there.get_contents(path, ref=NotSet if sha is None else sha)
    except GitHubNotFound as error:
        if "no commit found" in str(error).lower():
            raise
        return None
    if isinstance(found, list):
        raise NotAFile(f"{path} is a directory: a file is needed there")
    if found.type != "file":
        raise NotAFile(f"{path} is a {found.type}: a plain file is needed there")
    if found.size > LARGEST_FILE or found.encoding != "base64":
        raise NotAFile(f"{path} has {found.size} bytes: at most {LARGEST_FILE} are read")
    return found.decoded_content


def shared_file(there: GitHubRepository, path: str) -> bytes | None:
    """The file in the `.github` repository of the same owner, seen with what `there` is seen with.

    An App has one installation for all that an account holds, so that this is the right one for both.
    """
    owner, _, _ = there.url.rpartition("/")
    return file(GitHubRepository(there.requester, url=f"{owner}/.github"), path)
