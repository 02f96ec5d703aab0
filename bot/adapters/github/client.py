"""GitHub as the bot's ports see it, through PyGithub."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from cachetools import TLRUCache, TTLCache
from github.Commit import Commit
from github.GithubException import BadAttributeException, GithubException
from github.GithubObject import NotSet
from github.IssueComment import IssueComment
from github.Repository import Repository as GitHubRepository

from bot.adapters.github import reading
from bot.adapters.github.access import AppAccess, TokenAccess
from bot.adapters.github.answers import Moved
from bot.adapters.github.api_url import check_api_url
from bot.adapters.github.cache import SharedCache
from bot.adapters.github.credentials import AppKey, PersonalToken
from bot.adapters.github.transport import Transport
from bot.errors import GitHubRefused, GitHubUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.adapters.github.access import Access, Identity
    from bot.adapters.github.transport import OnCall
    from bot.models import ChangedFiles, Permission, PullRequest, Repository, Status

Answer = TypeVar("Answer")

LONGEST_DESCRIPTION = 140
"""Characters of a status, above which GitHub answers 422."""

YES_IS_GOOD_FOR = 300.0
NO_IS_GOOD_FOR = 60.0
"""Seconds for which a permission is believed. A no keeps somebody waiting, so it is asked again sooner; so is
whether a file is absent, because right after a push GitHub may not see it yet."""

NAME_IS_GOOD_FOR = 3600.0
"""Seconds for which a repository's new name is remembered."""

FILE_IS_GOOD_FOR = 24 * 3600.0
"""Seconds that a file is kept for; at a given commit it never changes."""

FILES_KEPT = 16 * 1024 * 1024
"""Bytes."""


class GitHubClient:
    """Fulfils PullRequestReader and PullRequestWriter; to be shared by any number of threads.

    It never sleeps: where GitHub asks us to slow down it raises GitHubRateLimited. No write is sent twice,
    but one that was not carried out because the repository was renamed (a redirect) is sent to the new name.

    Args:
        api_url: of the REST API: https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise Server.
        credentials: a personal token, or a GitHub App's key.
        on_call: told of every request: method, kind of endpoint ("statuses"), status (0: no answer), seconds.
        max_concurrent: requests at one time.
        connect_timeout: seconds.
        read_timeout: seconds.
        clock: seconds from any fixed moment, for how long things are remembered.

    Raises:
        SettingsError: an address that credentials must not be sent to.
    """

    def __init__(
        self,
        api_url: str,
        credentials: PersonalToken | AppKey,
        *,
        on_call: OnCall | None = None,
        max_concurrent: int = 16,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        api_url = check_api_url(api_url)
        self._description = f"{api_url}, {credentials!r}"
        self._transport = Transport(
            on_call=on_call,
            max_concurrent=max_concurrent,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        self._access: Access = (
            AppAccess(api_url, credentials, self._transport, clock)
            if isinstance(credentials, AppKey)
            else TokenAccess(api_url, credentials, self._transport, clock)
        )
        self._names: SharedCache[tuple[int, str], str] = SharedCache(
            TTLCache(10_000, NAME_IS_GOOD_FOR, clock)
        )
        self._permissions: SharedCache[tuple[int, str], Permission] = SharedCache(
            TLRUCache(10_000, _permission_good_until, clock)
        )
        self._files: SharedCache[tuple[int, str, str], bytes | None] = SharedCache(
            TLRUCache(FILES_KEPT, _file_good_until, clock, getsizeof=_size)
        )

    def __repr__(self) -> str:
        return f"GitHubClient({self._description})"

    def close(self) -> None:
        """Close the connections that are kept."""
        self._transport.close()

    def identity(self) -> Identity:
        """The bot's account; asked for once."""
        with _understanding():
            return self._access.identity()

    def owner(self) -> str | None:
        """The login of the account that owns the App, None with a personal token; asked for once."""
        with _understanding():
            return self._access.owner()

    # PullRequestReader

    def pull_request(self, repository: Repository, number: int) -> PullRequest:
        """The pull request as it is now. One request."""
        return self._ask(repository, lambda there: reading.pull_request(there, number, repository.id))

    def permission(self, repository: Repository, login: str) -> Permission:
        """What the user may do; NONE for one who is no collaborator or unknown. At most one request."""
        return self._permissions.get(
            (repository.id, login.lower()),
            lambda: self._ask(repository, lambda there: reading.permission(there, login)),
        )

    def tip(self, repository: Repository, branch: str) -> str:
        """The SHA that the branch points at now. One request."""
        return self._ask(repository, lambda there: there.get_git_ref(f"heads/{branch}").object.sha)

    def file(self, repository: Repository, path: str, sha: str) -> bytes | None:
        """The file's content at that commit, None where there is none. At most one request.

        GitHubRefused for what is not a file, or is larger than 1 MB.
        """
        return self._files.get(
            (repository.id, path, sha),
            lambda: self._ask(repository, lambda there: reading.file(there, path, sha)),
        )

    def changed_files(self, repository: Repository, number: int) -> ChangedFiles:
        """The files that the pull request changes, renames with both names. One request for each 100."""
        return self._ask(repository, lambda there: reading.changed_files(there, number))

    # PullRequestWriter

    def set_status(self, repository: Repository, sha: str, status: Status) -> None:
        """Set one commit status. One request."""
        if len(status.description) > LONGEST_DESCRIPTION:
            raise GitHubRefused(
                f"the status of {status.context} has a description of {len(status.description)} characters: "
                f"GitHub takes {LONGEST_DESCRIPTION}"
            )
        self._ask(
            repository,
            # With its SHA given, PyGithub need not fetch the commit first.
            lambda there: Commit(
                there.requester, attributes={"url": f"{there.url}/commits/{sha}", "sha": sha}
            ).create_status(
                status.state.value, status.target_url or NotSet, status.description, status.context
            ),
        )

    def find_comment(self, repository: Repository, number: int, marker: str) -> int | None:
        """The id of our oldest comment that contains the marker, else None. One request for each 100."""
        identity = self.identity()
        return self._ask(
            repository,
            lambda there: next(
                (
                    comment.id
                    for comment in there.get_issue(number).get_comments()
                    if identity.wrote(comment.user) and marker in (comment.body or "")
                ),
                None,
            ),
        )

    def create_comment(self, repository: Repository, number: int, body: str) -> int:
        """Post a comment and return its id. One request; look for the marker before trying again."""
        return self._ask(repository, lambda there: there.get_issue(number).create_comment(body).id)

    def edit_comment(self, repository: Repository, comment_id: int, body: str) -> None:
        """Replace a comment's body; GitHubNotFound if somebody deleted it. One request."""
        self._ask(repository, lambda there: _comment(there, comment_id).edit(body))

    def react(self, repository: Repository, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes") to an issue comment; doing it twice is harmless. One request."""
        self._ask(repository, lambda there: _comment(there, comment_id).create_reaction(content))

    def _ask(self, repository: Repository, question: Callable[[GitHubRepository], Answer]) -> Answer:
        """Ask about a repository, once more by its new name if GitHub says that it has one."""
        name = self._names.known((repository.id, repository.full_name)) or repository.full_name
        with _understanding():
            try:
                return question(self._at(repository, name))
            except Moved:
                name = self._find_name(repository, name)
                return question(self._at(repository, name))

    def _at(self, repository: Repository, name: str) -> GitHubRepository:
        return GitHubRepository(self._access.requester(repository, name), url=f"/repos/{quote(name)}")

    def _find_name(self, repository: Repository, old: str) -> str:
        """The name that the repository's id has now, remembered."""
        requester = self._access.requester(repository, old)
        _, found = requester.requestJsonAndCheck("GET", f"/repositories/{repository.id}")
        name = str(found["full_name"])
        self._names.keep((repository.id, repository.full_name), name)
        return name


def _comment(there: GitHubRepository, comment_id: int) -> IssueComment:
    return IssueComment(there.requester, url=f"{there.url}/issues/comments/{comment_id}")


@contextmanager
def _understanding() -> Iterator[None]:
    """Turn what PyGithub (and our own reading) raises over an answer that makes no sense into our error."""
    try:
        yield
    except (
        GithubException,
        BadAttributeException,
        AssertionError,  # PyGithub's way to check types and the addresses in answers
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise GitHubUnavailable(f"GitHub sent an answer that makes no sense to us: {error!r}") from error


def _permission_good_until(_key: tuple[int, str], permission: Permission, now: float) -> float:
    return now + (YES_IS_GOOD_FOR if permission.can_write else NO_IS_GOOD_FOR)


def _file_good_until(_key: tuple[int, str, str], content: bytes | None, now: float) -> float:
    return now + (NO_IS_GOOD_FOR if content is None else FILE_IS_GOOD_FOR)


def _size(content: bytes | None) -> int:
    return 512 + len(content or b"")
