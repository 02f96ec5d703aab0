"""Which files a pull request or a branch changes.

A pull request's list may be another head's: GitHub lags after a push, and who pushes between two requests
(and back again) chooses the head that it is about. It is believed only where its own entries prove the head.
Else the files come from a comparison, which names the head in its address, so that it can be about no other.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from bot.adapters.github.answers import Unprocessable
from bot.adapters.github.requester import PER_PAGE
from bot.errors import GitHubNotFound
from bot.models import Branch, ChangedFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from github.Repository import Repository as GitHubRepository

    from bot.models import PullRequest, Subject

    File = dict[str, Any]
    """An entry of GitHub's lists: `filename`, `status`, `contents_url` and more."""

MOST_OF_A_PULL_REQUEST = 3000
MOST_OF_A_COMPARISON = 300
"""GitHub lists no more files."""

UNKNOWN = ChangedFiles((), complete=False)
"""Nobody can tell: every filter matches."""

ANYHOW = frozenset({"ahead", "behind", "diverged", "identical"})
ONWARD = frozenset({"ahead", "identical"})
"""How a head may lie to what it is compared with."""

SHA = re.compile(r"(?!0+$)([0-9a-f]{40}|[0-9a-f]{64})")
"""A commit; the null SHA stands for none."""


def changed_files(there: GitHubRepository, subject: Subject) -> ChangedFiles:
    """Both names of each file, incomplete where GitHub's list is cut or nobody can tell.

    One request for each 100 files of a pull request, and one more where its list does not prove its head:
    right after a push, without a file, or with a page of removed files only. One for a branch.
    """
    try:
        return _of_branch(there, subject) if isinstance(subject, Branch) else _of_pull_request(there, subject)
    except Unprocessable:  # the diff takes GitHub too long
        return UNKNOWN


def _of_pull_request(there: GitHubRepository, pull: PullRequest) -> ChangedFiles:
    pages = list(pages_of(there, pull.number))
    files = [file for page in pages for file in page]
    # Each page on its own: between two of them the head may have moved.
    if not all(_heads(page) == {pull.head_sha} for page in pages):
        return _compared(there, pull.base_ref, pull.head_sha, ANYHOW)
    return _changed(files, MOST_OF_A_PULL_REQUEST)


def _of_branch(there: GitHubRepository, branch: Branch) -> ChangedFiles:
    """What was added since `before`, for a push as for a merge group.

    GitHub compares with three dots only: from the commit that both have in common. That is `before` itself
    where it lies in the head's history, as it does in a merge group's and in a push that adds commits. Where
    it does not (a force push), what the push took away is not in the list, so the list is not believed.
    """
    if not SHA.fullmatch(branch.before):
        return UNKNOWN
    return _compared(there, branch.before, branch.head_sha, ONWARD)


def pages_of(there: GitHubRepository, number: int) -> Iterator[list[File]]:
    """A pull request's files, a request for each page; PyGithub's own lists don't show where a page ends."""
    for page in count(1):
        headers, files = there.requester.requestJsonAndCheck(
            "GET", f"{there.url}/pulls/{number}/files", parameters={"per_page": PER_PAGE, "page": page}
        )
        yield files
        if page * PER_PAGE >= MOST_OF_A_PULL_REQUEST or 'rel="next"' not in headers.get("link", ""):
            return


def _compared(there: GitHubRepository, base: str, head_sha: str, believed: frozenset[str]) -> ChangedFiles:
    """What the head changes since the commit that it has in common with the base (a branch or a SHA)."""
    try:
        _, found = there.requester.requestJsonAndCheck(
            "GET",
            f"{there.url}/compare/{quote(base)}...{head_sha}",
            # The files come whole with the first page of commits, which we have no use for.
            parameters={"per_page": 1, "page": 1},
        )
    except GitHubNotFound:  # one of both is nowhere (yet, or any more), or they have nothing in common
        return UNKNOWN
    files = found.get("files")
    return (
        UNKNOWN if files is None or found["status"] not in believed else _changed(files, MOST_OF_A_COMPARISON)
    )


def _changed(files: list[File], most: int) -> ChangedFiles:
    names = (name for file in files for name in (file.get("previous_filename"), file["filename"]) if name)
    return ChangedFiles(tuple(dict.fromkeys(names)), complete=len(files) < most)


def _heads(files: Iterable[File]) -> set[str]:
    return {head for file in files for head in heads_of(file)}


def heads_of(file: File) -> list[str]:
    """The commit that a file says it is of, if it does; a removed one names a commit that still has it."""
    if file.get("status") == "removed":
        return []
    return parse_qs(urlsplit(file.get("contents_url") or "").query).get("ref", [])
