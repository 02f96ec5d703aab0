"""From the domain's words to PyGithub's objects: statuses and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from github.Commit import Commit
from github.GithubObject import NotSet
from github.IssueComment import IssueComment

from bot.errors import GitHubRefused

if TYPE_CHECKING:
    from github.Repository import Repository as GitHubRepository

    from bot.adapters.github.access import Identity
    from bot.models import Status

LONGEST_DESCRIPTION = 140
"""Characters of a status, above which GitHub answers 422."""


def check_description(status: Status) -> None:
    """Raise GitHubRefused for one that is too long, with which nothing need be sent."""
    if len(status.description) > LONGEST_DESCRIPTION:
        raise GitHubRefused(
            f"the status of {status.context} has a description of {len(status.description)} characters: "
            f"GitHub takes {LONGEST_DESCRIPTION}"
        )


def set_status(there: GitHubRepository, sha: str, status: Status) -> None:
    """Set one commit status. With its SHA given, PyGithub need not fetch the commit first."""
    commit = Commit(there.requester, attributes={"url": f"{there.url}/commits/{sha}", "sha": sha})
    commit.create_status(status.state.value, status.target_url or NotSet, status.description, status.context)


def find_comment(there: GitHubRepository, number: int, marker: str, identity: Identity) -> int | None:
    """The id of our oldest comment that ends with the marker, else None. One request for each 100.

    Whatever it quotes before, a log line say, is not ours.
    """
    for each in there.get_issue(number).get_comments():
        if identity.wrote(each.user) and (each.body or "").rstrip().endswith(marker):
            return each.id
    return None


def comment(there: GitHubRepository, comment_id: int) -> IssueComment:
    """A comment of an issue or pull request, without asking for it."""
    return IssueComment(there.requester, url=f"{there.url}/issues/comments/{comment_id}")
